/**
 * Linkers for other systems: zig's from PyPI, which has the C libraries of Linux and macOS, and MinGW's from Debian.
 *
 * @module
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../release/targets.ts";
import { Debian } from "./debian.ts";
import { once, run, TOOL } from "./folders.ts";

/** The wheels of PyPI, each with its SHA-256. */
export const REQUIREMENTS: string = new URL("requirements.txt", import.meta.url).pathname;

/** zig's names of the targets. A version of glibc or macOS is the oldest that the library runs on. */
const ZIG: Readonly<Record<string, string>> = {
  "linux-x64-gnu": "x86_64-linux-gnu.2.17",
  "linux-arm64-gnu": "aarch64-linux-gnu.2.17",
  "linux-x64-musl": "x86_64-linux-musl",
  "linux-arm64-musl": "aarch64-linux-musl",
  "darwin-x64": "x86_64-macos.11.0",
  "darwin-arm64": "aarch64-macos.11.0",
};

/** MinGW finds its parts beside itself, so it need not be installed. */
const MINGW = ["gcc-mingw-w64-x86-64-win32", "gcc-mingw-w64-x86-64-win32-runtime"];

/**
 * zig's linker does not take a list of exported symbols, so a library for macOS exports names of Rust too. It finds
 * macOS's iconv nowhere, and nothing of ours calls iconv.
 */
const DROPPED = "-Wl,-dylib | -Wl,-no_fixup_chains | -liconv";

/** A C compiler and linker for a target: the path of one program. */
export function linkerOf({ name, os }: Target): string {
  return os === "win32" ? mingw() : zig(name);
}

function mingw(): string {
  const folder = new Debian().unpack("mingw", MINGW, /mingw-w64/);
  return join(folder, "usr/bin/x86_64-w64-mingw32-gcc-win32");
}

function zig(name: string): string {
  const python = join(pythonFolder(), "bin/python");
  mkdirSync(join(TOOL, "linker"), { recursive: true });
  const file = join(TOOL, "linker", name);
  // Rust would strip the file afterwards by a program that Debian lacks, and break its signature.
  const strip = name.startsWith("darwin-") ? "-s " : "";
  const text = `#!/bin/sh
for argument do
  shift
  if [ -n "$skips" ]; then skips=; continue; fi
  case $argument in
    -Wl,-exported_symbols_list) skips=1 ;;
    ${DROPPED}) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec ${python} -m ziglang cc -target ${ZIG[name]} ${strip}"$@"
`;
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }
  return file;
}

/** A Python environment with zig and with pip, which Debian's own Python lacks. */
export function pythonFolder(): string {
  const requirements = readFileSync(REQUIREMENTS, "utf8");
  const zigs = /^ziglang==[^]*?(?=^\w)/m.exec(requirements)![0];
  return once("zig", `PyPI's ${/ziglang==\S+/.exec(zigs)![0]}`, (folder) => {
    // Paths in an environment are absolute, so none is made in a folder that moves.
    const place = join(TOOL, "zig-environment");
    writeFileSync(join(folder, "requirements.txt"), zigs);
    run("python3", ["-m", "venv", "--clear", place]);
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
    const list = ["--only-binary=:all:", "-r", join(folder, "requirements.txt")];
    run(join(place, "bin/python"), ["-m", "pip", "install", ...options, ...list]);
  }).replace(/zig$/, "zig-environment");
}
