/**
 * Classification of the messages by which the loaders of operating systems refuse a library, by patterns.
 *
 * glibc, musl, macOS and Windows use similar words for a missing library, for a library that this one needs, and for one
 * of another system. `tests/loader_messages_test.ts` has messages of each.
 *
 * @module
 */

/** A C library of Linux. */
export type CLibrary = "glibc" | "musl";

/** The C library of this system, by the words in which its loader refused a library on Linux. */
export function systemOf(reason: string): CLibrary {
  return /(?:^|: )Error (?:loading shared library|relocating) /.test(reason) ? "musl" : "glibc";
}

/**
 * Whether the message means that the file at `path` is missing. That of glibc for a file of another processor is the
 * same, and Windows has one message for this and for a missing library that the file needs.
 *
 * @param exists Whether the file exists, if that is known.
 */
export function isMissing(path: string, reason: string, exists: boolean | undefined): boolean {
  if (exists === true) return false;
  if (isNotFoundOnWindows(reason)) return true;
  // macOS lists the same paths when it has searched for a library that this one needs.
  if (reason.includes(`'${path}' (no such file)`)) return !reason.includes("Library not loaded");
  return notFoundOnLinux(path, reason) === path;
}

/** The library that the one at `path` needs and the loader did not find, if the message names it. */
export function neededBy(path: string, reason: string): string | undefined {
  const needed = notFoundOnLinux(path, reason) ?? /Library not loaded: (\S+)/.exec(reason)?.[1];
  return needed === path ? undefined : needed;
}

/** Whether Windows found neither the library nor all that it needs. It does not say which. */
export function isNotFoundOnWindows(reason: string): boolean {
  return /\b(?:os error|error code) 126\b|specified module could not be found/.test(reason);
}

/** The C library for which a library is made that does not fit that of this system. */
export function otherCLibrary(path: string, reason: string): CLibrary | undefined {
  const needed = neededBy(path, reason);
  if (systemOf(reason) === "musl") {
    // With an emulation of glibc's loader the library is found, and some of its functions are not.
    const isOfGlibc = reason.includes("Error relocating") ||
      /^(?:ld-linux|libc\.so\.6|libgcc_s\.so)/.test(needed ?? "");
    return isOfGlibc ? "glibc" : undefined;
  }
  // What is `libc.so` for musl is a text file where glibc's development files are installed.
  const isOfMusl = /^(?:libc\.musl-|ld-musl-|libc\.so$)/.test(needed ?? "") ||
    /\/libc\.so: invalid ELF header/.test(reason);
  return isOfMusl ? "musl" : undefined;
}

/**
 * Whether the message means that this system refuses the library in every folder. Others may be about one folder, such as
 * one that is mounted with noexec.
 *
 * @param libc The C library for which it is made, if that is known.
 */
export function isRefusedEverywhere(path: string, reason: string, libc?: CLibrary): boolean {
  // Only musl's words are certain: other ones may be those of the runtime.
  return (libc === "glibc" && systemOf(reason) === "musl") ||
    otherCLibrary(path, reason) !== undefined || newerGlibc(reason) !== undefined;
}

/** The version of glibc that a library needs and this system does not have. */
export function newerGlibc(reason: string): string | undefined {
  return /version [`'"](GLIBC_[\d.]+)['"] not found/.exec(reason)?.[1];
}

/** Whether the file may not be read or mapped as code. */
export function isForbidden(reason: string): boolean {
  return /Permission denied|failed to map segment|Operation not permitted|\b(?:os error|error code) 5\b|Access is denied/i
    .test(reason);
}

/** Whether the loader searched its folders for the file, and not the current folder. Only for a file that exists. */
export function isSearchedFor(path: string, reason: string): boolean {
  return !path.includes("/") && notFoundOnLinux(path, reason) === path;
}

const NO_FILE = ": cannot open shared object file: No such file";

/**
 * The file that the loader of glibc or musl did not find; `path` itself if it is that one, which some runtimes make
 * absolute. A path may have spaces, and runtimes put words before it.
 */
function notFoundOnLinux(path: string, reason: string): string | undefined {
  if (`: ${reason}`.includes(`: ${path}${NO_FILE}`)) return path;
  const found = (/Error loading shared library (.+?): No such file/.exec(reason) ??
    /(?:^|: )((?:(?!: ).)+): cannot open shared object file: No such file/.exec(reason))?.[1];
  const end = `/${path.replace(/^(?:\.{1,2}\/)+/, "")}`;
  const isThis = !path.startsWith("/") && found?.startsWith("/") && found.endsWith(end);
  return isThis === true ? path : found;
}
