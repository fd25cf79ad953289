/**
 * A depth-first walk of folders, in the order of names.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import { bytesPath, type FilePath, isReplaced, joinPath, textPath } from "./file_path.ts";
import { isSkippedFolder } from "./text_names.ts";

/** Which files a walk selects, and which folders it enters. Paths are relative, with `/` as separator. */
export interface Walk {
  /** Whether a file is selected. */
  readonly takes: (path: string) => boolean;
  /** Whether a file, or a folder with its contents, is excluded. */
  readonly leavesOut?: (path: string) => boolean;
  /** Whether names that begin with a dot are considered. */
  readonly hidden: boolean;
  /** The greatest depth. */
  readonly depth?: number;
  /** Is called for a folder that cannot be read. */
  readonly onError: (folder: FilePath, error: unknown) => void;
}

interface Entry {
  readonly path: FilePath;
  readonly isFile: boolean;
  readonly isFolder: boolean;
}

/** The regular files below `folder` that `walk` selects. Links are not followed, so the walk ends. */
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

/** The entries of a folder in the order of the bytes of their names, independent of system and locale. */
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

/** The entries of a folder with names that are not UTF-8, if the runtime supports them. */
function listBytes(folder: FilePath, at: string | Buffer): Entry[] {
  return fs.readdirSync(at, { encoding: "buffer" }).map((name) => {
    const path = bytesPath(Buffer.from(name));
    const whole = folder.name === "" ? path : joinPath(folder, path);
    const stats = fs.lstatSync(whole.at, { throwIfNoEntry: false });
    // An entry without stats is treated as a file. Reading it will report the error.
    return { path, isFile: stats?.isFile() ?? true, isFolder: stats?.isDirectory() ?? false };
  });
}

function bytes({ path: { at } }: Entry): Buffer {
  return typeof at === "string" ? Buffer.from(at) : at;
}
