/**
 * Builds the library for all platforms on Linux x64, checks what each promises, runs the tests where a machine like this
 * one can run them, and closes with how many passed.
 *
 *     bun scripts/cross/main.ts [--ci] [--build | --run] [--record] [TARGET...]
 *
 * `--ci` takes the targets of CI's set, `--build` ends after building and checking, `--run` takes the libraries that an
 * earlier run has built, and `--record` writes what ran to
 * `bench/record`, from which the tables of platforms are made. What it needs it downloads from Debian, npm and PyPI into
 * `.build/cross/tool`, and says so; only Wine is installed on the machine, and only by root.
 *
 * @module
 */
import { statSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Platform, type Result, writePlatforms } from "../../bench/platform_record.ts";
import { checkLibrary, FAULTS_OF_ZIG } from "../release/check_library.ts";
import { type Target, TARGETS } from "../release/targets.ts";
import { build, libraryOf } from "./build.ts";
import { runC, runSuite } from "./run_suite.ts";
import { compilerOf, hasRust } from "./rust.ts";
import { runRustTests } from "./rust_tests.ts";
import { BRIEF, CI, SUITES } from "./suites.ts";

const { positionals, values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    ci: { type: "boolean", default: false },
    build: { type: "boolean", default: false },
    run: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
  },
});

const unknown = positionals.filter((name) => !TARGETS.some((target) => target.name === name));
if (unknown.length > 0 || process.platform !== "linux" || process.arch !== "x64" || !hasRust()) {
  const names = TARGETS.map(({ name }) => name).join(", ");
  console.error(
    `needs Linux x64 with Rust; targets are ${names}${unknown.map((n) => `, not ${n}`)}`,
  );
  process.exit(2);
}

const wanted = positionals.length > 0
  ? positionals
  : values.ci
  ? CI
  : TARGETS.map(({ name }) => name);
const platforms: Platform[] = [];
let [passed, failed] = [0, 0];
const failures: string[] = [];

/** Counts a step that is no test runner as one. */
async function step<T>(name: string, work: () => Promise<T> | T): Promise<T | undefined> {
  console.log(`\n── ${name}`);
  const started = performance.now();
  try {
    const result = await work();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`── ${name}: ${result === false ? "FAILED" : "done"} (${seconds} s)`);
    return result === false ? fail(name) : result;
  } catch (error) {
    console.error((error as Error).message);
    return fail(name);
  }
}

function fail(name: string): undefined {
  failed++;
  failures.push(name);
}

function count(name: string, result: Result | undefined, results: Result[]): void {
  if (result === undefined) return;
  results.push(result);
  passed += result.passed;
  failed += result.failed;
  if (result.failed > 0) failures.push(name);
}

async function work(target: Target): Promise<void> {
  const { name } = target;
  const compiler = values.run
    ? compilerOf(target).name
    : await step(`build ${name}`, () => build(target));
  if (compiler === undefined) return;
  const isRight = await step(`check ${name}`, () => {
    const expected = target.os === "darwin" ? FAULTS_OF_ZIG : undefined;
    return checkLibrary(libraryOf(target), target, expected);
  });
  if (isRight !== undefined) passed++;
  const results: Result[] = [];
  if (!values.build) {
    const suites = SUITES.filter((suite) => suite.target === name).map((suite) =>
      // CI's set has 20 minutes.
      values.ci && suite.how === "by qemu" ? { ...suite, tests: BRIEF } : suite
    );
    const how = suites[0]?.how ?? "linked";
    const title = `a C program, ${name}, ${how}`;
    count(title, await step(title, () => runC(target, how)), results);
    for (const suite of suites) {
      const title = `${suite.runtime}, ${name}, ${suite.how}`;
      count(title, await step(title, () => runSuite(suite, target)), results);
    }
    // Not in CI's set: they take longest.
    if (name === "linux-arm64-gnu" && !values.ci) {
      const title = `Rust's tests, ${name}, by qemu`;
      count(title, await step(title, () => runRustTests(target)), results);
    }
  }
  const { size: bytes } = statSync(libraryOf(target));
  platforms.push({ target: name, compiler, bytes, results });
}

const started = performance.now();
for (const name of wanted) await work(TARGETS.find((target) => target.name === name)!);

console.log();
for (const { target, compiler, results } of platforms) {
  console.log(`${target}, ${compiler}`);
  for (const { runtime, how, files, seconds, passed, failed } of results) {
    console.log(
      `  ${runtime} ${how}: ${passed} passed, ${failed} failed, ${files} files, ${seconds} s`,
    );
  }
}
if (values.record && failed === 0) writePlatforms(platforms);
if (failures.length > 0) console.log(`\nFailed: ${failures.join("; ")}`);
console.log(`\n${Math.round((performance.now() - started) / 1000)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
