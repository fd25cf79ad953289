/**
 * Checks a built library against what its platform package promises: format and processor, exported names, size, the
 * libraries and the versions of their symbols that it needs, and where the loader searches them.
 *
 *     bun scripts/release/check_library.ts FILE --target NAME
 *
 * It prints what it found, and exits with 1 on any fault. It reads the file itself, so it runs on every system.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { symbols } from "../../src/ffi/symbols.gen.ts";
import type { Facts } from "./binary/facts.ts";
import { readFacts } from "./binary/read_facts.ts";
import { type Target, TARGETS } from "./targets.ts";

/** The most bytes of a library. docs/platforms.md says what they are. */
export const MAX_BYTES = 13_000_000;
/** The library for Windows is larger. The cause was not measured. */
const MAX_BYTES_WINDOWS = 13_200_000;

/** The oldest macOS that both processors have. */
const MACOS = "11.0";

const FORMATS = { linux: "ELF", darwin: "Mach-O", win32: "PE" } as const;

/** The C library by its own name. A library without it has another C library in itself, or has not what it calls. */
const C_LIBRARY: Readonly<Record<string, RegExp>> = {
  glibc: /^libc\.so\.6$/,
  musl: /^(libc\.so|libc\.musl-(x86_64|aarch64)\.so\.1)$/,
};

/** What every system has. Names are compared in lower case, as Windows does. */
const NEEDED: Readonly<Record<string, RegExp>> = {
  glibc: /^(lib(c|m|dl|rt|pthread)\.so\.\d|ld-linux-(x86-64|aarch64)\.so\.\d|libgcc_s\.so\.1)$/,
  musl: /^(libc\.so|libc\.musl-(x86_64|aarch64)\.so\.1|libgcc_s\.so\.1)$/,
  darwin: /^\/usr\/lib\/lib(system\.b|iconv\.2)\.dylib$/,
  // Not the runtime of Visual C++, which is a package of its own: a release links it statically.
  win32:
    /^((kernel32|ntdll|ws2_32|userenv|advapi32|bcrypt|bcryptprimitives|msvcrt|ucrtbase)|api-ms-win-[\w-]+)\.dll$/,
};

/** One library, judged. */
export interface Judgement {
  readonly facts?: Facts;
  /** A sentence for each fault. */
  readonly faults: readonly string[];
}

/** Judges the bytes of a library for a target. */
export function judgeLibrary(bytes: Uint8Array, target: Target): Judgement {
  try {
    const facts = readFacts(bytes);
    return { facts, faults: [...faultsOf(facts, target), ...faultsOfSize(bytes.length, target)] };
  } catch (error) {
    if (error instanceof RangeError) return { faults: [error.message] };
    throw error;
  }
}

function faultsOfSize(bytes: number, { os }: Target): string[] {
  const most = os === "win32" ? MAX_BYTES_WINDOWS : MAX_BYTES;
  return bytes <= most ? [] : [`has ${bytes} bytes, more than ${most}`];
}

function faultsOf(facts: Facts, target: Target): string[] {
  const faults: string[] = [];
  const format = FORMATS[target.os];
  if (facts.format !== format) faults.push(`is ${facts.format}, not ${format}`);
  if (facts.cpu !== target.cpu) faults.push(`is for ${facts.cpu}, not for ${target.cpu}`);
  const promised = Object.keys(symbols);
  for (
    const [text, names] of [
      ["does not export", without(promised, facts.exports)],
      ["exports, beyond the table,", without(facts.exports, promised)],
      [
        "needs, beyond what every system has,",
        facts.needed.filter((name) => !isCommon(name, target)),
      ],
      ["searches libraries in", facts.searched],
    ] as const
  ) {
    if (names.length > 0) faults.push(`${text} ${names.join(", ")}`);
  }
  return [...faults, ...faultsOfLoading(facts, target)];
}

function faultsOfLoading(
  { macos, needed, ownName, traits, versions }: Facts,
  target: Target,
): string[] {
  const faults: string[] = [];
  const { cpu, glibc, libc, os } = target;
  const newer = versions.filter((name) =>
    name.startsWith("GLIBC_") && (glibc === undefined || !isUpTo(name.slice(6), glibc))
  );
  if (newer.length > 0) faults.push(`needs ${newer.join(", ")}, newer than ${glibc ?? "musl has"}`);
  if (libc !== undefined && !needed.some((name) => C_LIBRARY[libc]!.test(name))) {
    faults.push(`does not need the C library of the process, which is ${libc}`);
  }
  if (os === "linux") {
    if (!traits.includes("nodelete")) faults.push("is unloaded when it is closed");
    if (traits.includes("executable stack")) faults.push("asks for an executable stack");
    if (traits.includes("text relocations")) faults.push("has relocations in its code");
    if (cpu === "arm64" && !traits.includes("64 KiB pages")) {
      faults.push("cannot be mapped by kernels with pages of 64 KiB");
    }
  }
  if (os === "darwin") {
    if (cpu === "arm64" && !traits.includes("signed")) faults.push("has no code signature");
    if (traits.includes("another platform")) faults.push("is for another platform than macOS");
    if (macos === undefined || isNewer(macos, MACOS)) {
      faults.push(`is for macOS ${macos ?? "of any version"}, newer than ${MACOS}`);
    }
    if (ownName?.startsWith("/")) faults.push(`names the folder of its build: ${ownName}`);
  }
  return faults;
}

function isCommon(name: string, { libc, os }: Target): boolean {
  return NEEDED[libc ?? os]!.test(name.toLowerCase());
}

function without(names: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return names.filter((name) => !known.has(name));
}

/** GLIBC_PRIVATE and GLIBC_ABI_DT_RELR have no number, and are no promise of an old glibc. */
function isUpTo(version: string, limit: string): boolean {
  return /^[\d.]+$/.test(version) && !isNewer(version, limit);
}

/** Compares versions of numbers with points between them. */
function isNewer(version: string, limit: string): boolean {
  const [a, b] = [version, limit].map((text) => text.split(".").map(Number));
  for (let i = 0; i < Math.max(a!.length, b!.length); i++) {
    const difference = (a![i] ?? 0) - (b![i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** One line of what was found. */
function describe(facts: Facts, bytes: number): string {
  const newest = facts.versions.filter((name) => /^GLIBC_[\d.]+$/.test(name))
    .reduce((most, name) => isNewer(name.slice(6), most) ? name.slice(6) : most, "0");
  return [
    `${facts.format} ${facts.cpu}`,
    `${(bytes / 1e6).toFixed(2)} MB`,
    `${facts.exports.length} names`,
    `needs ${facts.needed.join(" ") || "nothing"}`,
    ...(newest === "0" ? [] : [`glibc ${newest}`]),
    ...(facts.macos === undefined ? [] : [`macOS ${facts.macos}`]),
    ...(facts.ownName === undefined ? [] : [`named ${facts.ownName}`]),
    ...facts.traits,
  ].join(", ");
}

/**
 * The faults of a library for macOS that was linked by zig on Linux. zig takes no list of exports, so it keeps names of
 * Rust's, which take space. A release links with the linker of Apple, and has none of these.
 */
export const FAULTS_OF_ZIG: RegExp = /^exports, beyond the table,|^has \d+ bytes, more than/;

/**
 * Judges a file, prints what was found, and returns whether it has no fault.
 *
 * @param expected Faults that are printed only.
 */
export function checkLibrary(
  path: string,
  target: Target,
  expected?: RegExp,
): boolean {
  const bytes = readFileSync(path);
  const { facts, faults: all } = judgeLibrary(bytes, target);
  const faults = all.filter((fault) => expected?.test(fault) !== true);
  for (const fault of all.filter((fault) => !faults.includes(fault))) {
    console.log(`${target.name}: expected here: ${fault.slice(0, 200)}`);
  }
  console.log(`${target.name}: ${facts === undefined ? path : describe(facts, bytes.length)}`);
  for (const fault of faults) console.error(`${target.name}: ${path} ${fault}`);
  return faults.length === 0;
}

if (import.meta.main) {
  const { positionals: [file], values: { target: name } } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: { target: { type: "string" } },
  });
  const target = TARGETS.find((target) => target.name === name);
  if (file === undefined || target === undefined) {
    const names = TARGETS.map(({ name }) => name).join(", ");
    console.error(`usage: check_library.ts FILE --target NAME, one of ${names}`);
    process.exitCode = 2;
  } else if (!checkLibrary(file, target)) process.exitCode = 1;
}
