/**
 * Content-addressed copies of a library that is inside of an executable, where the system's loader can open it.
 *
 * A copy is `<folder>/sluice/<SHA-256>/<file>`. It is written to a temporary name and linked to its own, so that it is
 * whole or not there, and the first of many processes wins. What is there already is compared byte by byte before it is
 * loaded, because the loader crashes on a truncated file. Only this user and root may write to the folders of the path, so
 * no other user can exchange the file between the comparison and the loading.
 *
 * @module
 */
import type { Backend } from "./native.ts";

/** Node's modules, loaded when an executable needs them. */
const fsModule = () => process.getBuiltinModule("node:fs");
const pathModule = () => process.getBuiltinModule("node:path");
type Fs = ReturnType<typeof fsModule>;
type Path = ReturnType<typeof pathModule>;

/** The folders of this user for copies, in the order in which they are to be tried. */
export function copyFolders(
  { platform, environment }: Pick<Backend, "platform" | "environment">,
): string[] {
  const { join, posix, win32 } = pathModule();
  const { isAbsolute } = platform.startsWith("win32") ? win32 : posix;
  const os = process.getBuiltinModule("node:os");
  const absolute = (name: string): string | undefined => {
    const folder = environment(name);
    return folder !== undefined && isAbsolute(folder) ? folder : undefined;
  };
  const within = (...names: string[]): string | undefined => {
    try {
      return join(os.homedir(), ...names);
    } catch {
      return undefined; // this user has no home
    }
  };
  // On Windows the temporary folder may be one of all users.
  const folders = platform.startsWith("win32")
    ? [absolute("LOCALAPPDATA") ?? within("AppData", "Local")]
    : [
      absolute("XDG_CACHE_HOME") ??
        (platform.startsWith("darwin") ? within("Library", "Caches") : within(".cache")),
      absolute("XDG_RUNTIME_DIR"),
    ];
  const all = folders.filter((it) => it !== undefined).map((it) => join(it, "sluice"));
  if (hasUsers()) all.push(join(os.tmpdir(), `sluice-${process.geteuid!()}`));
  // HOME and TMPDIR may be relative as well.
  return all.filter(isAbsolute);
}

/** A copy, or the reason why there is none in a folder. */
export interface LibraryCopy {
  /** The path of the copy, or of the folder. */
  readonly path: string;
  readonly fault?: string;
}

/**
 * Puts a copy of `bytes` into one folder after the other, for a caller that stops where the copy can be loaded.
 *
 * A caller that asks for the next one could not load this one. So it is removed, unless it was there before. The caller
 * passes whether it would be refused in every other folder too, which ends the search.
 */
export function* copiesOf(
  bytes: Uint8Array,
  file: string,
  folders: readonly string[],
): Generator<LibraryCopy, void, boolean | undefined> {
  const { createHash } = process.getBuiltinModule("node:crypto");
  const hash = createHash("sha256").update(bytes).digest("hex");
  for (const folder of folders) {
    let copy: ReturnType<typeof copyInto>;
    try {
      copy = copyInto(folder, hash, file, bytes);
    } catch (error) {
      yield { path: folder, fault: error instanceof Error ? error.message : String(error) };
      continue;
    }
    const { path, isNew } = copy;
    const isRefusedEverywhere = yield { path };
    if (isNew) removeIfPossible(path, fsModule());
    if (isRefusedEverywhere === true) return;
  }
}

function copyInto(
  folder: string,
  hash: string,
  file: string,
  bytes: Uint8Array,
): { path: string; isNew: boolean } {
  const [fs, path] = [fsModule(), pathModule()];
  fs.mkdirSync(path.join(folder, hash), { recursive: true, mode: 0o700 });
  // Without symbolic links, so that the folders that are checked are those of the path.
  const own = fs.realpathSync(path.join(folder, hash));
  checkFolders(own, fs, path);
  const copy = path.join(own, file);
  const isNew = !holds(copy, bytes, fs) && write(copy, bytes, fs);
  removeOldParts(copy, fs, path);
  return { path: copy, isNew };
}

/** Writes a copy. Returns whether it is the file of this call, and not that of another process or thread. */
function write(copy: string, bytes: Uint8Array, fs: Fs): boolean {
  const part = `${copy}.${process.pid}.${crypto.randomUUID()}`;
  try {
    fs.writeFileSync(part, bytes, { mode: 0o500, flag: "wx" });
    return put(part, copy, bytes, fs);
  } finally {
    fs.rmSync(part, { force: true });
  }
}

/** Gives the file at `part` the name `copy`, unless there is one with these bytes. Returns whether it did. */
function put(part: string, copy: string, bytes: Uint8Array, fs: Fs): boolean {
  try {
    // Unlike a rename, this keeps the file that another thread may have loaded: a second file is a second library.
    fs.linkSync(part, copy);
    return true;
  } catch {
    // There is one, or this file system has no hard links.
    if (holds(copy, bytes, fs)) return false;
  }
  fs.renameSync(part, copy);
  return true;
}

/** What {@linkcode write} names its files: the copy, the number of a process, and a UUID. */
const PART = /^\.\d+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OLD_MS = 3_600_000;

/**
 * Removes the files that processes left which were killed while they wrote. One that still writes after an hour loses
 * nothing: the copy is there already.
 */
function removeOldParts(copy: string, fs: Fs, path: Path): void {
  const [folder, file] = [path.dirname(copy), path.basename(copy)];
  try {
    for (const name of fs.readdirSync(folder)) {
      if (!name.startsWith(file) || !PART.test(name.slice(file.length))) continue;
      const part = path.join(folder, name);
      const stat = fs.lstatSync(part);
      if (stat.isFile() && stat.mtimeMs < Date.now() - OLD_MS) removeIfPossible(part, fs);
    }
  } catch {
    // Another process has removed it.
  }
}

function removeIfPossible(file: string, fs: Fs): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // It costs space and nothing else.
  }
}

/** Whether the file is one of this user with these bytes, to which no other user can write. */
function holds(path: string, bytes: Uint8Array, fs: Fs): boolean {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
  } catch {
    return false;
  }
  try {
    const stat = fs.fstatSync(descriptor);
    return stat.isFile() && isOurs(stat) && !isWritable(stat) &&
      stat.size === bytes.length && fs.readFileSync(descriptor).equals(bytes);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Refuses a folder whose path somebody else could change. The two folders at its end must be of this user. On Windows,
 * the access list of the user's folder sees to it.
 */
function checkFolders(folder: string, fs: Fs, path: Path): void {
  if (!hasUsers()) return;
  // In a sandbox with users of its own, the system's folders may belong to another number than 0.
  const system = [0, fs.statSync("/").uid];
  const own = [folder, path.dirname(folder)];
  for (let at = folder;; at = path.dirname(at)) {
    const stat = fs.statSync(at);
    const isOwn = own.includes(at);
    // In a folder with the sticky bit, only the owner of an entry can rename it.
    const isSticky = !isOwn && (stat.mode & 0o1000) !== 0;
    if (!isOurs(stat) && (isOwn || !system.includes(stat.uid))) {
      throw new Error(`${at} belongs to user ${stat.uid}`);
    }
    if (isWritable(stat) && !isSticky) throw new Error(`others may write to ${at}`);
    if (at === path.dirname(at)) return;
  }
}

/** Whether others than the owner may write. Windows has no such bits. */
function isWritable({ mode }: { readonly mode: number }): boolean {
  return hasUsers() && (mode & 0o022) !== 0;
}

function isOurs({ uid }: { readonly uid: number }): boolean {
  return !hasUsers() || uid === process.geteuid!();
}

function hasUsers(): boolean {
  return process.geteuid !== undefined;
}
