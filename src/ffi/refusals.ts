/**
 * The errors of loading: each names the file and the reason, as far as the system's loader reports it, and says what to
 * do.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import type { Backend } from "./native.ts";
import { type Candidate, LIBRARY_VARIABLE, packageName } from "./locate.ts";

const BUILD_ADVICE = "In a checkout of sluice, build it: make build\n" +
  `Or name a library in ${LIBRARY_VARIABLE} (in Deno that needs --allow-env=${LIBRARY_VARIABLE}).`;

/**
 * Whether the message of a loader that refused `path` means that this file is missing. Messages for a library that
 * `path` needs are similar, and that of glibc for a file of another processor is the same.
 *
 * @param exists Whether the file exists, if that is known.
 */
export function isMissing(path: string, reason: string, exists: boolean | undefined): boolean {
  if (exists === true) return false;
  const words = [
    `${path}: cannot open shared object file: No such file`, // glibc
    `Error loading shared library ${path}: No such file`, // musl
  ];
  if (words.some((words) => reason.includes(words))) return true;
  // macOS uses the same words for the paths where it has searched a library that another one needs.
  if (reason.includes(`'${path}' (no such file)`)) return !reason.includes("Library not loaded");
  return /could not be found|os error 126\b/.test(reason); // Windows, which names no file
}

/** No candidate exists. */
export function notFound(tried: readonly Candidate[], backend: Backend): SluiceError {
  const lines = tried.map(({ path, origin }) => {
    const isUnsure = backend.exists(path) === undefined;
    const or = isUnsure ? " (or one for another processor: checking needs --allow-read)" : "";
    return `  ${path} (${origin}): no such file${or}`;
  });
  const hasPackage = tried.some(({ origin }) => origin === "platform package");
  const isNamed = tried.some(({ origin }) => origin === "SLUICE_LIB");
  const name = packageName(backend.platform);
  const advice = isNamed
    ? ""
    : hasPackage
    ? `The package ${name} is there and its library is not: install it anew.\n`
    : `The package ${name} is not installed. It is an optional dependency of sluice, which npm leaves ` +
      "out with --omit=optional, and from a lock file that was made on another platform: " +
      `npm install ${name}\n`;
  return new SluiceError(
    "SLUICE_LIBRARY_NOT_FOUND",
    `The native library of sluice was not found. Tried:\n${lines.join("\n")}\n` +
      advice + BUILD_ADVICE,
  );
}

/** The file exists, and the system does not load it. */
export function notLoaded(
  { path, origin }: Candidate,
  reason: string,
  cause: unknown,
): SluiceError {
  return new SluiceError(
    "SLUICE_LIBRARY_NOT_LOADED",
    `The native library of sluice at ${path} (${origin}) cannot be loaded: ${reason}\n` +
      `${explanation(path, reason)}\n${BUILD_ADVICE}`,
    { cause },
  );
}

/** Deno lacks the permission to load it. */
export function ffiDenied(denied: readonly Candidate[]): SluiceError {
  const paths = denied.map(({ path }) => path);
  return new SluiceError(
    "SLUICE_FFI_DENIED",
    `sluice needs permission to load its native library. Run with --allow-ffi=${paths.join(",")}` +
      " (or --allow-ffi for any library)",
  );
}

/** The library comes from another version. */
export function mismatch(path: string, what: string, cause?: unknown): SluiceError {
  return new SluiceError(
    "SLUICE_ABI_MISMATCH",
    `The native library at ${path} does not fit this version of sluice: ${what}.\n` +
      "In a checkout, rebuild it: make build\n" +
      "Otherwise install the same version of sluice and of its platform package.",
    cause === undefined ? undefined : { cause },
  );
}

const GLIBC =
  "It is made for systems with glibc, such as Debian and its kin. On one with another C " +
  "library, such as Alpine Linux with musl, use an image with glibc.";

/** What the message of a loader means. */
function explanation(path: string, reason: string): string {
  const needed = neededBy(path, reason);
  if (needed !== undefined) {
    const isOfGlibc = /^(?:ld-linux|lib(?:c|m|pthread|dl|gcc_s)\.so)/.test(needed);
    return `It needs ${needed}, which this system does not have. ${isOfGlibc ? GLIBC : ""}`.trim();
  }
  const version = /version [`'"](GLIBC_[\d.]+)['"] not found/.exec(reason)?.[1];
  if (version !== undefined) {
    return `It needs ${version}: the C library of this system is older. Use a newer system.`;
  }
  if (/could not be found|os error 126\b/.test(reason)) {
    return "It needs a library that this system does not have.";
  }
  if (/Error relocating|symbol not found/.test(reason)) return GLIBC;
  if (/Permission denied|failed to map segment|Operation not permitted/i.test(reason)) {
    return "The file may not be read, or lies on a file system that is mounted with noexec.";
  }
  return "It is for another system or processor, or is damaged: install its package anew, for this platform.";
}

/** The library that the one at `path` needs, if the loader did not find that. */
function neededBy(path: string, reason: string): string | undefined {
  const found = /([^\s:]+): cannot open shared object file: No such file/.exec(reason) ??
    /Error loading shared library ([^\s:]+): No such file/.exec(reason) ??
    /Library not loaded: (\S+)/.exec(reason);
  const needed = found?.[1];
  return needed === path || needed === undefined || path.endsWith(needed) ? undefined : needed;
}
