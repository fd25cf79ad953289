/**
 * Walks folders, depth first and in the order of names.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { bytesPath, type FilePath, isReplaced, joinPath, textPath } from "./file_path.ts";
import { isSkippedFolder } from "./text_files.ts";

/** What a walk takes and where it goes. Paths are inside the folder, with `/` between their parts. */
export interface Walk {
  /** Whether a file is taken. */
  readonly takes: (path: string) => boolean;
  /** Whether a file or folder is left out with all that is in it. */
  readonly leavesOut?: (path: string) => boolean;
  /** Whether names that begin with a dot are looked at. */
  readonly hidden: boolean;
  /** How many folders deep to go. */
  readonly depth?: number;
  /** Is told of a folder that cannot be read. */
  readonly onError: (folder: FilePath, error: unknown) => void;
}

interface Entry {
  readonly path: FilePath;
  readonly isFile: boolean;
  readonly isFolder: boolean;
}

/**
 * The regular files below `folder` that `walk` takes. Links are not followed, so there is an end.
 */
export function* walkFolder(folder: FilePath, walk: Walk, prefix = ""): Generator<FilePath> {
  let entries: Entry[];
  try {
    entries = list(folder);
  } catch (error) {
    walk.onError(folder, error);
    return;
  }
  const depth = walk.depth ?? Infinity;
  for (const { path: entry, isFile, isFolder } of entries) {
    if (!walk.hidden && entry.name.startsWith(".")) continue;
    const inside = prefix + entry.name;
    if (walk.leavesOut?.(inside)) continue;
    const path = folder.name === "" ? entry : joinPath(folder, entry);
    if (isFolder && depth > 0 && !isSkippedFolder(entry.name)) {
      yield* walkFolder(path, { ...walk, depth: depth - 1 }, `${inside}/`);
    } else if (isFile && walk.takes(inside)) {
      yield path;
    }
  }
}

/** What is in a folder, by the bytes of the names, whatever the system's order and language. */
function list(folder: FilePath): Entry[] {
  const at = folder.name === "" ? "." : folder.at;
  const found = fs.readdirSync(at, { withFileTypes: true });
  const entries = found.some(({ name }) => isReplaced(name))
    ? listBytes(folder, at)
    : found.map((entry): Entry => ({
      path: textPath(entry.name),
      isFile: entry.isFile(),
      isFolder: entry.isDirectory(),
    }));
  return entries.sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
}

/** The same for names that are not UTF-8, where the runtime can tell them. */
function listBytes(folder: FilePath, at: string | Buffer): Entry[] {
  return fs.readdirSync(at, { encoding: "buffer" }).map((name) => {
    const path = bytesPath(Buffer.from(name));
    const whole = folder.name === "" ? path : joinPath(folder, path);
    const stats = fs.lstatSync(whole.at, { throwIfNoEntry: false });
    // What cannot be looked at is tried to be read, which says why.
    return { path, isFile: stats?.isFile() ?? true, isFolder: stats?.isDirectory() ?? false };
  });
}

function bytes({ path: { at } }: Entry): Buffer {
  return typeof at === "string" ? Buffer.from(at) : at;
}
