/**
 * Runs the tests of a suite, and the C program that uses the library, and counts what passed.
 *
 * @module
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import type { How, Result } from "../../bench/platform_record.ts";
import type { Target } from "../release/targets.ts";
import { isCi } from "../../tests/support/lacking.ts";
import { bun, deno, execute, node } from "../run.ts";
import { libraryOf } from "./build.ts";
import { ROOT, run, TOOL } from "./folders.ts";
import { linkerOf } from "./linkers.ts";
import { addLacking, type Machine, machineOf, testCommand } from "./machines.ts";
import { versionOf } from "./runtimes.ts";
import { PORTABLE, type Suite } from "./suites.ts";

const READ = { bun, deno, node } as const;
const NAMES = { bun: "Bun", deno: "Deno", node: "Node.js" } as const;

/** Runs the tests of a suite. */
export async function runSuite(suite: Suite, target: Target): Promise<Result> {
  const { runtime, how } = suite;
  const machine = machineOf(target);
  const tests = suite.tests.filter((name) => machine.hasChildren || PORTABLE.includes(name));
  if (tests.length < suite.tests.length) {
    const lacking = suite.tests.filter((name) => !tests.includes(name)).join(", ");
    const why = `${lacking}: the kernel gives no namespaces, so no process can be started`;
    // Its container is privileged.
    if (isCi()) throw new Error(`CI must run these tests: ${why}`);
    console.log(`skipped: ${why}`);
  }
  const files = tests.map((name) => `./tests/${name}_test.ts`);
  const command = [
    ...machine.prefix,
    ...testCommand(runtime, target, machine.hasChildren),
    ...files,
  ];
  const started = performance.now();
  const library = libraryOf(target);
  const { code, output } = await execute(command, {
    ...machine.environment,
    SLUICE_LIB: target.os === "win32" ? `Z:${library.replaceAll("/", "\\")}` : library,
  });
  const { passed, failed } = READ[runtime](output);
  const name = `${NAMES[runtime]} ${versionOf(runtime)}`;
  const seconds = Math.round((performance.now() - started) / 1000);
  // A runner that dies before its summary, or finds no test, has failed.
  const failing = code !== 0 || passed === 0 ? Math.max(failed, 1) : failed;
  return { runtime: name, how, files: files.length, seconds, passed, failed: failing };
}

/** Links `rust/abi/tests/smoke.c` with the library, and runs it where that is possible. */
export async function runC(target: Target, how: How | "linked"): Promise<Result> {
  const started = performance.now();
  const folder = join(TOOL, "c", target.name);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, target.os === "win32" ? "smoke.exe" : "smoke");
  copyFileSync(libraryOf(target), join(folder, target.file));
  const linker = linkerOf(target);
  const rpath = target.os === "linux" ? [`-Wl,-rpath,${folder}`] : [];
  const sources = ["-I", join(ROOT, "rust/abi/include"), join(ROOT, "rust/abi/tests/smoke.c")];
  // MinGW links with the DLL itself.
  const args = ["-std=c99", ...sources, join(folder, target.file), ...rpath, "-o", program];
  run(linker, args, {
    env: { ...process.env, PATH: `${dirname(linker)}${delimiter}${process.env["PATH"]}` },
  });
  let code = 0;
  if (how !== "linked") {
    const machine: Machine = machineOf(target);
    if (target.os === "win32") addLacking(folder, target);
    ({ code } = await execute([...machine.prefix, program], machine.environment));
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const [passed, failed] = code === 0 ? [1, 0] : [0, 1];
  return { runtime: "C", how, files: 1, seconds, passed, failed };
}
