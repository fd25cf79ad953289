/**
 * The gate: everything that must hold before a change lands, in one run, the same in CI and here.
 *
 * Every step runs even after one failed, so that one run tells everything. The last line sums all
 * runners, with each step that is no test runner counted as one. Tests wait for more than half of
 * their time, so the checks that only compute run beside them, one after the other, at the lowest
 * priority, which leaves the times in tests as they are.
 *
 * @module
 */
import { globSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { bun, cargo, closing, deno, execute, node, type Tally } from "./run.ts";

const BIN = "node_modules/.bin";

/** One command of the gate. */
interface Step {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Reads the tally out of a test runner's output. */
  readonly read?: (output: string) => Tally;
}

const SPELLING = `git ls-files | ${BIN}/cspell lint --no-progress --quiet --file-list stdin`;

/** These start processes of several runtimes, whichever runs the test, so one run of them is enough. */
const OF_SEVERAL = [
  "tests/shared/bye_test.ts",
  "tests/shared/scenarios_test.ts",
  "tests/shared/stand_ins_test.ts",
  "tests/shared_pool_processes_test.ts",
];

/** These do not call the library, so what they check does not depend on the runtime. */
const OF_NO_RUNTIME = [
  "tests/ablation_test.ts",
  "tests/apt_sources_test.ts",
  "tests/bench_tables_test.ts",
  "tests/check_library_test.ts",
  "tests/commit_message_test.ts",
  "tests/import_cycles_test.ts",
  "tests/lacking_test.ts",
  "tests/links_test.ts",
  "tests/platforms_test.ts",
  "tests/python_test.ts",
  "tests/release_executables_test.ts",
  "tests/release_files_test.ts",
  "tests/release_test.ts",
  "tests/site_links_test.ts",
  "tests/suppressions_test.ts",
  "tests/terms_test.ts",
];

/** The files that run a third time, in Node. */
const IN_NODE = globSync("tests/**/*_test.ts").filter((file) =>
  !/^tests\/runtime\/(bun|deno)\//.test(file) &&
  ![...OF_SEVERAL, ...OF_NO_RUNTIME].includes(file)
).sort();

/** Tests of commands, files and documents, which compute and wait for no timer. */
const COMPUTES =
  /^tests\/(?:corpus\/|batch_files|cli|cluster|conformance|corpus_|docstrings|documented|estimate|package|readme)/;

/** The tests of Node in these files, of which `atATime` run at the same time. Each file is a process. */
function inNode(name: string, files: readonly string[], atATime: number): Step {
  // Not --test-force-exit: with it, a file's process exits before it has told of all its tests.
  const options = [`--test-concurrency=${atATime}`, "--test-reporter=spec"];
  const command = [`${BIN}/node`, "--test", ...options, ...files];
  // Processes start in 0.12 s and not in 0.3 s where modules need no compilation.
  const environment = { NODE_COMPILE_CACHE: resolve(".build/node-compile-cache") };
  return { name, command, environment, read: node };
}

/** Checks that compute and never wait. They use what the tests leave of the processor. */
const BESIDE: readonly Step[] = [
  { name: "format of Rust", command: ["cargo", "fmt", "--all", "--check"] },
  { name: "format of TypeScript", command: [`${BIN}/deno`, "fmt", "--check"] },
  { name: "lint of TypeScript", command: [`${BIN}/deno`, "lint"] },
  {
    name: "lint of documentation",
    command: ["sh", "-c", `${BIN}/deno doc --lint --quiet mod.ts src/*/mod.ts`],
  },
  { name: "import cycles", command: [`${BIN}/bun`, "scripts/import_cycles.ts"] },
  { name: "types for Bun", command: [`${BIN}/tsc`, "-p", "."] },
  {
    name: "types for Deno",
    command: ["sh", "-c", `${BIN}/deno check --quiet $(git ls-files '*.ts' ':!tests/runtime/bun')`],
  },
  { name: "spelling", command: ["sh", "-c", SPELLING] },
  { name: "terms", command: [`${BIN}/bun`, "scripts/terms.ts"] },
  { name: "message of the newest commit", command: [`${BIN}/bun`, "scripts/commit_message.ts"] },
  {
    name: "tables say what the records say",
    command: [`${BIN}/bun`, "bench/tables.ts", "--check"],
  },
  { name: "site of the documents", command: [`${BIN}/bun`, "scripts/docs.ts"] },
  {
    name: "publish to JSR, dry run",
    command: [`${BIN}/bun`, "scripts/pack_jsr.ts", "--check"],
  },
  {
    name: "publish to npm, dry run",
    command: [`${BIN}/bun`, "scripts/pack_npm.ts", "--check"],
  },
  // Cargo locks a folder while it builds into it: this one is another than that of `cargo test`.
  { name: "build for fuzzing", command: [`${BIN}/bun`, "scripts/fuzz.ts", "--build"] },
  {
    name: "drift of the ABI",
    command: ["cargo", "run", "-q", "--locked", "-p", "sluice-abigen", "--", "--check"],
  },
  {
    name: "lint of Rust",
    command: ["cargo", "clippy", "-q", "--locked", "--workspace", "--all-targets"]
      .concat("--", "-D", "warnings"),
  },
  {
    name: "fuzzing, briefly",
    command: [`${BIN}/bun`, "scripts/fuzz.ts", "--seconds", "12"],
    read: closing,
  },
  inNode("node test, what computes", IN_NODE.filter((file) => COMPUTES.test(file)), 1),
];

/** Tests, of which many wait for timers, processes and servers. */
const TESTS: readonly Step[] = [
  {
    name: "cargo test",
    command: ["cargo", "test", "--locked", "--workspace", "--no-fail-fast"],
    read: cargo,
  },
  { name: "bun test", command: [`${BIN}/bun`, "test", "--timeout", "60000"], read: bun },
  {
    name: "deno test",
    command: [`${BIN}/deno`, "test", "--allow-all", "--no-check", "--quiet"]
      .concat(`--ignore=${["tests/runtime/bun", "tests/runtime/node", ...OF_SEVERAL].join()}`),
    read: deno,
  },
  // Three at a time, which wait for their timers and servers at the same time. Nothing runs beside them any more.
  inNode("node test", IN_NODE.filter((file) => !COMPUTES.test(file)), 3),
];

/** What measures, once the others are done. */
const LAST: readonly Step[] = [
  { name: "benches, once", command: [`${BIN}/bun`, "bench/run.ts", "--brief"] },
];

/** A step that takes longer hangs: `node --test` waits for a file that leaves a timer or a server behind. */
const STEP_LIMIT_MS = 30 * 60_000;

const only = process.argv.slice(2);
const total: Tally = { passed: 0, failed: 0 };
const failures: string[] = [];

/** Runs one step and counts it. Its output is shown as it comes, or when it has ended if others run beside it. */
async function run(step: Step, isBeside: boolean): Promise<void> {
  const { name, command, environment = {}, read } = step;
  const head = `\n── ${name}: ${command.join(" ")}`;
  if (!isBeside) console.log(head);
  const started = performance.now();
  const lowest = isBeside ? ["nice", "-n", "19"] : [];
  const { code, output } = await execute(
    [...lowest, ...command],
    environment,
    isBeside,
    STEP_LIMIT_MS,
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (isBeside) console.log(`${head}\n${output}`);
  console.log(`── ${name}: ${code === 0 ? "ok" : `FAILED with exit code ${code}`} (${seconds} s)`);
  const { passed, failed } = read?.(output) ?? { passed: code === 0 ? 1 : 0, failed: 0 };
  total.passed += passed;
  // A runner that dies before its summary, or finds no test at all, has failed.
  const failing = passed === 0 || code !== 0 ? Math.max(failed, 1) : failed;
  total.failed += failing;
  if (failing > 0) failures.push(name);
}

async function runAll(steps: readonly Step[], isBeside = false): Promise<void> {
  for (const step of steps) {
    if (only.length > 0 && !only.some((word) => step.name.includes(word))) continue;
    await run(step, isBeside);
  }
}

await Promise.all([runAll(TESTS), runAll(BESIDE, true)]);
await runAll(LAST);
if (failures.length > 0) console.log(`\nFailed: ${failures.join("; ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
