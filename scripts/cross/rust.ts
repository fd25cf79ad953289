/**
 * Compilers for targets whose standard library the machine's Rust lacks: Debian's `rustc-web`, which has that of arm64,
 * and the sources to build it for any other target.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../release/targets.ts";
import { Debian } from "./debian.ts";
import { run, TOOL } from "./folders.ts";

/** How cargo builds for a target. */
export interface Compiler {
  /** As the output and the record say it. */
  readonly name: string;
  readonly triple: string;
  readonly options: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const PACKAGES = ["rustc-web", "libstd-rust-web-dev", "libstd-rust-web-dev:arm64", "rust-web-src"];
/** What rustc-web itself needs: a machine may have other versions of LLVM. */
const LIBRARIES = /^lib(std-rust-web|llvm|edit|z3|xml2|icu|bsd|md|ffi)/;

/** The compiler of a target. Windows is built for MinGW here; a release builds it for Visual C++. */
export function compilerOf({ os, libc, triple: released }: Target): Compiler {
  const triple = os === "win32" ? "x86_64-pc-windows-gnu" : released;
  // A library of musl is linked dynamically, as the runtime that loads it is.
  const flags = libc === "musl" ? { RUSTFLAGS: "-C target-feature=-crt-static" } : {};
  if (hasStandardLibrary(sysroot("rustc"), triple)) {
    return { name: version("rustc"), triple, options: [], environment: flags };
  }
  const rustc = debian();
  const environment = { ...flags, RUSTC: rustc };
  if (hasStandardLibrary(sysroot(rustc), triple)) {
    return { name: `Debian's ${version(rustc)}`, triple, options: [], environment };
  }
  const name = `Debian's ${version(rustc)}, which builds the standard library`;
  const options = ["-Zbuild-std=std,panic_unwind"];
  return {
    name,
    triple,
    options,
    environment: {
      ...environment,
      // Both are unstable: another compiler's cargo, and a standard library from a folder of our own.
      RUSTC_BOOTSTRAP: "1",
      __CARGO_TESTS_ONLY_SRC_ROOT: join(sourcesOf(), "library"),
    },
  };
}

/** A program that starts Debian's compiler with its own libraries. */
function debian(): string {
  const folder = new Debian().unpack("rust", PACKAGES, LIBRARIES);
  const file = join(TOOL, "rustc");
  const libraries = join(folder, "usr/lib/x86_64-linux-gnu");
  if (!existsSync(file)) {
    const start = `exec ${join(folder, "usr/bin/rustc")} "$@"`;
    writeFileSync(file, `#!/bin/sh\nexport LD_LIBRARY_PATH=${libraries}\n${start}\n`);
    chmodSync(file, 0o755);
  }
  return file;
}

/** Debian names the folder after the version. */
function sourcesOf(): string {
  const folder = join(TOOL, "rust/usr/src");
  const [name] = readdirSync(folder).filter((name) => name.startsWith("rustc-"));
  return join(folder, name!);
}

function hasStandardLibrary(sysroot: string, triple: string): boolean {
  const folder = join(sysroot, "lib/rustlib", triple, "lib");
  return existsSync(folder) && readdirSync(folder).some((name) => /^libstd-.*\.rlib$/.test(name));
}

function sysroot(rustc: string): string {
  return run(rustc, ["--print", "sysroot"]).trim();
}

function version(rustc: string): string {
  return run(rustc, ["--version"]).trim().split(" ").slice(0, 2).join(" ");
}

/** Whether rustc is there at all. */
export function hasRust(): boolean {
  try {
    execFileSync("rustc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
