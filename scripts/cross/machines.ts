/**
 * Starts programs of other systems on Linux x64: arm64 by qemu's user emulation, musl with its own loader, Windows
 * under Wine.
 *
 * A namespace of its own lets the kernel start such programs by itself, so that their child processes run too, and
 * changes nothing for other programs. Where the kernel refuses it, only programs that start no others can run.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import type { Runtime } from "../../tests/support/runtime.ts";
import { installAll } from "../apt.ts";
import type { Target } from "../release/targets.ts";
import { ROOT, run, TOOL } from "./folders.ts";
import { linkerOf } from "./linkers.ts";
import { emulator, programOf, systemOf } from "./runtimes.ts";

/** Where Debian puts Wine. */
const WINE = "/usr/lib/wine/wine64";
const ENTER = join(ROOT, "scripts/cross/enter.sh");

/** How to start programs of a target. */
export interface Machine {
  /** Goes before the program. */
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Whether its programs can start others of their kind. */
  readonly hasChildren: boolean;
}

/** The machine of a target. Throws what is missing. */
export function machineOf(target: Target): Machine {
  if (target.os === "win32") return wine();
  const { cpu, libc } = target;
  if (cpu === "x64" && libc === "glibc") return { prefix: [], environment: {}, hasChildren: true };
  const hasChildren = hasNamespaces();
  const system = systemOf(target);
  // Tests that compile a library compile it for the target.
  const environment = { PATH: `${compilerFolder(target)}${delimiter}${process.env["PATH"]}` };
  if (cpu === "arm64") {
    const prefix = hasChildren ? [...namespace(), emulator(), "-", "-"] : [emulator()];
    return { prefix, environment: { ...environment, QEMU_LD_PREFIX: system }, hasChildren };
  }
  const libraries = join(system, "lib");
  const loader = join(
    libraries,
    readdirSync(libraries).find((name) => name.startsWith("ld-musl"))!,
  );
  const prefix = hasChildren
    ? [...namespace(), "-", loader, libraries]
    : [loader, "--library-path", libraries];
  return { prefix, environment, hasChildren };
}

function namespace(): string[] {
  return ["unshare", "--map-root-user", "--mount", ENTER];
}

/** Whether the kernel gives namespaces with their own table of binary formats: Linux 6.7, and not in most containers. */
function hasNamespaces(): boolean {
  const [unshare, ...args] = namespace();
  return spawnSync(unshare!, [...args, emulator(), "-", "-", "true"]).status === 0;
}

/** A folder in which `cc` compiles for the target. */
function compilerFolder(target: Target): string {
  const folder = join(TOOL, "cc", target.name);
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, "cc"), { force: true });
  symlinkSync(linkerOf(target), join(folder, "cc"));
  return folder;
}

/** Wine with a folder of its own, which says that it is Windows 10. */
function wine(): Machine {
  if (!existsSync(WINE)) installAll(["wine64"]);
  if (!existsSync(WINE)) throw new Error("needs Wine: apt-get install wine64");
  const environment = { WINEPREFIX: join(TOOL, "wine"), WINEDEBUG: "-all" };
  if (!existsSync(join(environment.WINEPREFIX, "system.reg"))) {
    const args = ["reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f"];
    execFileSync(WINE, args, { env: { ...process.env, ...environment }, stdio: "ignore" });
  }
  return { prefix: [WINE], environment, hasChildren: true };
}

/** The command that tests files in a runtime of a target. */
export function testCommand(runtime: Runtime, target: Target, hasChildren = true): string[] {
  const program = programOf(runtime, target);
  if (target.os === "win32") addLacking(dirname(program), target);
  switch (runtime) {
    case "bun":
      return [program, "test", "--timeout", "300000"];
    case "deno":
      return [program, "test", "--allow-all", "--no-check", "--quiet"];
    case "node":
      // Node.js runs each file in a process of its own unless it is told not to.
      return [program, "--test", "--test-reporter=spec"]
        .concat(hasChildren ? [] : ["--test-isolation=none"]);
  }
}

/** Puts a library that Wine lacks beside the program that needs it. */
export function addLacking(folder: string, target: Target): void {
  const [name, source] = ["bcryptprimitives.dll", join(ROOT, "scripts/cross/bcryptprimitives.c")];
  if (existsSync(join(folder, name)) && isSame(join(folder, "bcryptprimitives.c"), source)) return;
  const linker = linkerOf(target);
  run(linker, ["-O1", "-shared", "-o", join(folder, name), source, "-ladvapi32"], {
    env: { ...process.env, PATH: `${dirname(linker)}${delimiter}${process.env["PATH"]}` },
  });
  copyFileSync(source, join(folder, "bcryptprimitives.c"));
}

function isSame(copy: string, original: string): boolean {
  return existsSync(copy) && readFileSync(copy, "utf8") === readFileSync(original, "utf8");
}
