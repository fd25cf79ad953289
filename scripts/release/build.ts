/**
 * Builds the library of one target as a release does: of the checkout and its lock file, with no cache of others.
 *
 *     node scripts/release/build.ts --target linux-x64-gnu    # writes .build/release/lib/linux-x64-gnu/libsluice.so
 *     node scripts/release/build.ts --target NAME --out FOLDER    # writes FOLDER/NAME/…
 *
 * On Linux, cargo-zigbuild links for the oldest glibc, or for musl as a shared library. On macOS and Windows, their own
 * linkers do. Rust must have the target: `rustup target add`. Paths of the machine do not get into the library, which is
 * checked when it is built.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkLibrary } from "./check_library.ts";
import { installPythonTools } from "./python_tools.ts";
import { type Target, TARGETS } from "./targets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How a target is built. */
export interface Recipe {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The command and the environment that build a target. */
export function recipe({ triple, os, libc, glibc }: Target): Recipe {
  const isLinux = os === "linux";
  const flags = [
    `--remap-path-prefix=${ROOT.replace(/[/\\]$/, "")}=.`,
    `--remap-path-prefix=${process.env["CARGO_HOME"] ?? join(homedir(), ".cargo")}=cargo`,
  ];
  // A library that programs load must share the C library of the process.
  if (libc === "musl") flags.push("-Ctarget-feature=-crt-static");
  // The runtime of Visual C++ is a package of its own, which users need not have.
  if (os === "win32") flags.push("-Ctarget-feature=+crt-static");
  const target = glibc === undefined ? triple : `${triple}.${glibc}`;
  return {
    command: [
      ...(isLinux ? ["cargo-zigbuild", "zigbuild"] : ["cargo", "build"]),
      ...["--release", "--locked", "--package=sluice-abi", `--target=${target}`],
    ],
    environment: {
      CARGO_INCREMENTAL: "0",
      RUSTFLAGS: flags.join(" "),
      SOURCE_DATE_EPOCH: "0",
      ...(os === "darwin" ? { MACOSX_DEPLOYMENT_TARGET: "11.0" } : {}),
    },
  };
}

/** Builds a target into a folder. Returns the path of its library. */
function build(target: Target, out: string): string {
  const { command: [program, ...args], environment } = recipe(target);
  const tools = target.os === "linux" ? [installPythonTools("linker")] : [];
  const path = [...tools, process.env["PATH"] ?? ""].join(delimiter);
  const env = { ...process.env, ...environment, PATH: path };
  execFileSync(program!, args, { cwd: ROOT, env, stdio: "inherit" });
  const library = join(out, target.name, target.file);
  mkdirSync(dirname(library), { recursive: true });
  copyFileSync(join(ROOT, "target", target.triple, "release", target.file), library);
  return library;
}

if (import.meta.main) {
  const { values: { target: name, out } } = parseArgs({
    options: {
      target: { type: "string" },
      out: { type: "string", default: join(ROOT, ".build/release/lib") },
    },
  });
  const target = TARGETS.find((it) => it.name === name);
  if (target === undefined) {
    throw new RangeError(`--target ${name}: one of ${TARGETS.map(({ name }) => name).join(", ")}`);
  }
  const library = build(target, out);
  console.log(`built ${library}`);
  if (!checkLibrary(library, target)) process.exitCode = 1;
}
