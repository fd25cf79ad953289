/**
 * Atomic and durable writes: a temporary file, `fsync`, `rename`, `fsync` of the folder.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import { temporaryName } from "./unit/names.ts";

const LINUX_CODES: Readonly<Record<string, string>> = {
  1: "EPERM",
  5: "EIO",
  22: "EINVAL",
  27: "EFBIG",
  28: "ENOSPC",
  30: "EROFS",
  31: "EMLINK",
  38: "ENOSYS",
  95: "ENOTSUP",
  122: "EDQUOT",
};

/**
 * Makes a folder and those above it that are missing. Not by the option `recursive`, with which Node.js reports a
 * read-only file system as a folder that does not exist.
 */
export function makeFolder(at: string): void {
  try {
    fs.mkdirSync(at);
  } catch (error) {
    const parent = path.dirname(at);
    if (codeOf(error) === "ENOENT" && parent !== at) {
      makeFolder(parent);
      makeFolder(at);
    } else if (!fs.statSync(at, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** Replaces the file `at` by `text`. A reader sees the old or the new file, whatever fails when. */
export function writeDurably(at: string, text: string): void {
  const temporary = writeTemporary(at, text);
  try {
    fs.renameSync(temporary, at);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(path.dirname(at));
}

/** Writes the file `at` if there is none, and returns whether there was none. Of several processes one wins. */
export function createDurably(at: string, text: string): boolean {
  const temporary = writeTemporary(at, text);
  try {
    if (!link(temporary, at)) return false;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
  syncFolder(path.dirname(at));
  return true;
}

/** Makes the renames and deletions in a folder durable, where the system can. */
export function syncFolder(folder: string): void {
  let fd: number;
  try {
    fd = fs.openSync(folder, "r");
  } catch {
    return; // Windows does not open folders.
  }
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Network file systems may not know it. A full or broken disk is told.
    if (!["EINVAL", "ENOTSUP", "EPERM", "EBADF"].includes(codeOf(error) ?? "")) throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** The code of a failure of the system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string") return code;
  // Deno has no code for some.
  const [, number] = typeof message === "string" ? /\(os error (\d+)\)/.exec(message) ?? [] : [];
  return number === undefined ? undefined : LINUX_CODES[number] ?? `E${number}`;
}

function writeTemporary(at: string, text: string): string {
  const name = temporaryName(path.basename(at).replaceAll(".", "-"))("");
  const temporary = path.join(path.dirname(at), name);
  try {
    const fd = fs.openSync(temporary, "wx");
    try {
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Gives the file a second name, or another one, and returns whether it was free. */
export function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP", "EMLINK"].includes(codeOf(error) ?? "")) {
      throw error;
    }
    // Some file systems have no links. Then two processes at the same moment can both win.
    if (fs.existsSync(to)) return false;
    fs.renameSync(from, to);
    return true;
  }
}
