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
import process from "node:process";
import { cargo, closing, execute, type Tally } from "./run.ts";

const BIN = "node_modules/.bin";

/** One command of the gate. */
interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Reads the tally out of a test runner's output. */
  readonly read?: (output: string) => Tally;
}

const SPELLING = `git ls-files | ${BIN}/cspell lint --no-progress --quiet --file-list stdin`;

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
    command: [`${BIN}/deno`, "publish", "--dry-run", "--allow-dirty", "--quiet"],
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
];

/** These start processes of both runtimes, whichever runs the test, so one run of them is enough. */
const OF_BOTH = [
  "tests/shared/bye_test.ts",
  "tests/shared/scenarios_test.ts",
  "tests/shared/stand_ins_test.ts",
  "tests/shared_pool_processes_test.ts",
];

/** Tests, of which many wait for timers, processes and servers. */
const TESTS: readonly Step[] = [
  { name: "cargo test", command: ["cargo", "test", "--locked", "--workspace"], read: cargo },
  { name: "bun test", command: [`${BIN}/bun`, "test", "--timeout", "60000"], read: bun },
  {
    name: "deno test",
    command: [`${BIN}/deno`, "test", "--allow-all", "--no-check", "--quiet"]
      .concat(`--ignore=${["tests/runtime/bun", ...OF_BOTH].join()}`),
    read: deno,
  },
];

/** What measures, once the others are done. */
const LAST: readonly Step[] = [
  { name: "benches, once", command: [`${BIN}/bun`, "bench/run.ts", "--brief"] },
];

function bun(output: string): Tally {
  const passed = Number(/^ *(\d+) pass$/m.exec(output)?.[1] ?? 0);
  const failed = Number(/^ *(\d+) fail$/m.exec(output)?.[1] ?? 0);
  return { passed, failed };
}

/** Deno counts a `describe` as one test with steps; the steps are what Bun calls tests. */
function deno(output: string): Tally {
  const passed = /(\d+) passed(?: \((\d+) steps?\))?/.exec(output);
  const failed = /(\d+) failed(?: \((\d+) steps?\))?/.exec(output);
  const leaves = (match: RegExpExecArray | null) => Number(match?.[2] ?? match?.[1] ?? 0);
  return { passed: leaves(passed), failed: leaves(failed) };
}

const only = process.argv.slice(2);
const total: Tally = { passed: 0, failed: 0 };
const failures: string[] = [];

/** Runs one step and counts it. Its output is shown as it comes, or when it has ended if others run beside it. */
async function run({ name, command, read }: Step, isBeside: boolean): Promise<void> {
  const head = `\n── ${name}: ${command.join(" ")}`;
  if (!isBeside) console.log(head);
  const started = performance.now();
  const lowest = isBeside ? ["nice", "-n", "19"] : [];
  const { code, output } = await execute([...lowest, ...command], {}, isBeside);
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
