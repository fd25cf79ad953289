/**
 * The errors of loading: each names the file and the reason, as far as the system's loader reports it, and says what to
 * do.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import type { Backend } from "./native.ts";
import {
  type CLibrary,
  isForbidden,
  isNotFoundOnWindows,
  isRefusedEverywhere,
  isSearchedFor,
  neededBy,
  newerGlibc,
  otherCLibrary,
  systemOf,
} from "./loader_messages.ts";
import { type Candidate, FILES, LIBRARY_VARIABLE, packagesOf } from "./locate.ts";

const BUILD_ADVICE = "In a checkout of sluice, build it: make build\n" +
  `Or name a library in ${LIBRARY_VARIABLE} (in Deno that needs --allow-env=${LIBRARY_VARIABLE}).`;

const LIBRARY_ADVICE = `Or name a library in ${LIBRARY_VARIABLE}.`;

const COPY_ADVICE =
  "Name a folder in XDG_CACHE_HOME (on Windows in LOCALAPPDATA) to which only this user may write, and from which " +
  `programs may be loaded. ${LIBRARY_ADVICE}`;

const NAMED_ADVICE = `${LIBRARY_VARIABLE} names it. Without that, this executable loads its own.`;

/** A library that exists, and what the system's loader said of it. */
export interface Refusal {
  readonly candidate: Candidate;
  readonly reason: string;
  readonly cause: unknown;
}

/** No candidate exists. */
export function notFound(tried: readonly Candidate[], backend: Backend): SluiceError {
  const lines = tried.map(({ path, origin }) => {
    const isUnsure = backend.exists(path) === undefined;
    const or = isUnsure
      ? " (or one for another processor, or that needs another library: checking needs --allow-read)"
      : "";
    return `  ${path} (${origin}): no such file${or}`;
  });
  const where = lines.length === 0 ? "" : ` Tried:\n${lines.join("\n")}`;
  return new SluiceError(
    "SLUICE_LIBRARY_NOT_FOUND",
    `The native library of sluice was not found.${where}\n${installAdvice(tried, backend)}` +
      (backend.executable === undefined ? BUILD_ADVICE : `Or name one in ${LIBRARY_VARIABLE}.`),
  );
}

function installAdvice(tried: readonly Candidate[], backend: Backend): string {
  if (tried.some(({ origin }) => origin === "SLUICE_LIB")) return "";
  const packages = packagesOf(backend.platform);
  const installed = tried.find(({ origin }) => origin === "platform package");
  if (installed !== undefined) {
    const { name } = packages.find(({ libc }) => libc === installed.libc) ?? packages[0]!;
    return `The package ${name} is there and its library is not: install it anew.\n`;
  }
  const [name, forMusl] = packages.map((it) => it.name);
  const or = forMusl === undefined ? "" : ` (where the C library is musl: ${forMusl})`;
  const { executable, platform } = backend;
  if (executable?.asset !== undefined) {
    const file = FILES[platform.slice(0, platform.indexOf("-"))];
    return `It is not in this executable: add it to the assets as sluice/${file}, from the package ${name}${or}. ` +
      "docs/single-executables.md shows it.\n";
  }
  if (executable !== undefined) {
    return `It is not in this executable: ${name} was not installed where that was built${or}.\n`;
  }
  return `The package ${name} is not installed${or}. It is an optional dependency of sluice, which npm leaves ` +
    "out with --omit=optional, and from a lock file that was made on another platform: " +
    `npm install ${name}\n` +
    "A bundle has to bring it along: docs/single-executables.md says how.\n";
}

/** The file exists, or several do, and the system does not load it. */
export function notLoaded(refused: readonly Refusal[], backend: Backend): SluiceError {
  const text = refused.map((refusal) => {
    const { candidate: { path, origin }, reason } = refusal;
    return `The native library of sluice at ${path} (${origin}) cannot be loaded: ${reason}\n` +
      `${explanation(refusal, backend)}\n`;
  });
  const isNamed = refused[0]!.candidate.origin === "SLUICE_LIB";
  const noFolderHelps = refused.every(({ candidate: { path, libc }, reason }) =>
    isRefusedEverywhere(path, reason, libc)
  );
  const advice = backend.executable === undefined
    ? BUILD_ADVICE
    : isNamed
    ? NAMED_ADVICE
    : noFolderHelps
    ? LIBRARY_ADVICE
    : COPY_ADVICE;
  return new SluiceError("SLUICE_LIBRARY_NOT_LOADED", text.join("") + advice, {
    cause: refused[0]!.cause,
  });
}

/** The program lacks the permission to load it. */
export function ffiDenied(denied: readonly Candidate[], backend: Backend): SluiceError {
  const paths = denied.map(({ path }) => path);
  return new SluiceError(
    "SLUICE_FFI_DENIED",
    "sluice needs permission to load its native library. " +
      `Run with ${backend.permissionFor(paths)}`,
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

/** What the message of a loader means. */
function explanation({ candidate, reason }: Refusal, backend: Backend): string {
  const { path, origin, fault } = candidate;
  if (fault !== undefined) return "So there is no copy of the library of this executable.";
  const libc = madeFor(candidate, reason);
  if (libc !== undefined) return otherSystem(libc, backend);
  if (isSearchedFor(path, reason)) {
    return `The path names no folder, so it was searched for in those of the system: write ./${path}`;
  }
  const needed = neededBy(path, reason);
  if (needed !== undefined) return `It needs ${needed}, which this system does not have.`;
  const version = newerGlibc(reason);
  if (version !== undefined) {
    return `It needs ${version}: the C library of this system is older. Use a newer system.`;
  }
  if (isNotFoundOnWindows(reason)) return "It needs a library that this system does not have.";
  if (isForbidden(reason)) {
    return "The file may not be read, or lies on a file system that is mounted with noexec.";
  }
  const isPackaged = origin === "platform package";
  return `It is built for another system or processor than ${backend.platform}, or is damaged` +
    (isPackaged ? ": install its package anew, for this platform." : ".");
}

/** The C library for which it is made, if that is not the one of this system. */
function madeFor({ path, libc }: Candidate, reason: string): CLibrary | undefined {
  if (libc !== undefined) return libc === systemOf(reason) ? undefined : libc;
  return otherCLibrary(path, reason);
}

function otherSystem(libc: CLibrary, { platform, executable }: Backend): string {
  const [here, like] = libc === "musl" ? ["glibc", "Debian"] : ["musl", "Alpine Linux"];
  const fitting = packagesOf(platform).find((it) => it.libc === here)?.name;
  return `It is built for another system, with ${libc} as its C library. This one has ${here}, like ${like}` +
    (fitting === undefined
      ? "."
      : executable === undefined
      ? `: npm install ${fitting}`
      : `. Build this executable where ${fitting} is installed.`);
}
