/**
 * Runs the tests of the sources that work on every system with the library of a release.
 *
 *     bun scripts/release/native_tests.ts --target NAME --files FOLDER --runtimes bun,deno,node
 *
 * The library is that of the page of the release, in `FOLDER`. Closes with `N passed, N failed`, summed over runtimes.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PORTABLE } from "../cross/suites.ts";
import { bun, deno, node, type Tally } from "../run.ts";
import { libraryAsset } from "./artifacts.ts";
import { TARGETS } from "./targets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const FILES = PORTABLE.map((name) => `tests/${name}_test.ts`);

/** How each runtime runs test files, and what reads its summary. */
const RUNNERS: Readonly<
  Record<string, { command: readonly string[]; read: (output: string) => Tally }>
> = {
  bun: { command: ["bun", "test", "--timeout", "120000"], read: bun },
  deno: { command: ["deno", "test", "--allow-all", "--no-check", "--quiet"], read: deno },
  node: { command: ["node", "--test", "--test-timeout=300000"], read: node },
};

/** The command of a runtime: that of npm's packages, or else that of the system. */
function commandOf(name: string): string {
  const suffix = process.platform === "win32" ? ".cmd" : "";
  const installed = join(ROOT, "node_modules/.bin", name + suffix);
  return existsSync(installed) ? installed : name;
}

if (import.meta.main) {
  const { values: { target: name, files, runtimes } } = parseArgs({
    options: {
      target: { type: "string" },
      files: { type: "string" },
      runtimes: { type: "string", default: "bun,deno,node" },
    },
  });
  const target = TARGETS.find((it) => it.name === name);
  if (target === undefined || files === undefined) {
    throw new TypeError("native_tests.ts needs --target NAME and --files FOLDER");
  }
  const library = resolve(files, libraryAsset(target));
  if (!existsSync(library)) throw new Error(`${library} is missing`);
  const total: Tally = { passed: 0, failed: 0 };
  for (const runtime of runtimes.split(",")) {
    const { command: [program, ...args], read } = RUNNERS[runtime]!;
    const { status, stdout, stderr } = spawnSync(commandOf(program!), [...args, ...FILES], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", SLUICE_LIB: library },
      maxBuffer: 2 ** 28,
      // A test that hangs must not cost the rest of the release.
      timeout: 1_200_000,
      // What npm installs on Windows are scripts of its shell.
      shell: process.platform === "win32",
    });
    const output = `${stdout}${stderr}`;
    const tally = read(output);
    // A runner that ends without a test, or fails without one that did, has failed.
    if (tally.passed === 0 || (status !== 0 && tally.failed === 0)) tally.failed++;
    if (tally.failed > 0) console.log(output);
    console.log(`${target.name}, ${runtime}: ${tally.passed} passed, ${tally.failed} failed`);
    total.passed += tally.passed;
    total.failed += tally.failed;
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}
