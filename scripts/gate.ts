/**
 * The gate: everything that must hold before a change lands, in one run, the same in CI and here.
 *
 * Every step runs even after one failed, so that one run tells everything. The last line sums all
 * runners, with each step that is no test runner counted as one.
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

const STEPS: readonly Step[] = [
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
    name: "drift of the ABI",
    command: ["cargo", "run", "-q", "--locked", "-p", "sluice-abigen", "--", "--check"],
  },
  {
    name: "lint of Rust",
    command: ["cargo", "clippy", "-q", "--locked", "--workspace", "--all-targets"]
      .concat("--", "-D", "warnings"),
  },
  { name: "cargo test", command: ["cargo", "test", "--locked", "--workspace"], read: cargo },
  { name: "bun test", command: [`${BIN}/bun`, "test", "--timeout", "60000"], read: bun },
  {
    name: "deno test",
    // The scenarios of shared limits start gateways in both runtimes, and one run of them is enough.
    command: [`${BIN}/deno`, "test", "--allow-all", "--no-check", "--quiet"]
      .concat("--ignore=tests/runtime/bun,tests/shared/scenarios_test.ts"),
    read: deno,
  },
  {
    name: "fuzzing, briefly",
    command: [`${BIN}/bun`, "scripts/fuzz.ts", "--seconds", "12"],
    read: closing,
  },
  { name: "site of the documents", command: [`${BIN}/bun`, "scripts/docs.ts"] },
  {
    name: "tables say what the records say",
    command: [`${BIN}/bun`, "bench/tables.ts", "--check"],
  },
  { name: "benches, once", command: [`${BIN}/bun`, "bench/run.ts", "--brief"] },
  {
    name: "publish to JSR, dry run",
    command: [`${BIN}/deno`, "publish", "--dry-run", "--allow-dirty", "--quiet"],
  },
  {
    name: "publish to npm, dry run",
    command: [`${BIN}/bun`, "scripts/pack_npm.ts", "--check"],
  },
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

/** Runs one step, showing its output as it comes. */
async function run({ name, command, read }: Step): Promise<Tally> {
  console.log(`\n── ${name}: ${command.join(" ")}`);
  const started = performance.now();
  const { code, output } = await execute(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`── ${name}: ${code === 0 ? "ok" : `FAILED with exit code ${code}`} (${seconds} s)`);
  const tally = read?.(output) ?? { passed: code === 0 ? 1 : 0, failed: 0 };
  // A runner that dies before its summary, or finds no test at all, has failed.
  if (tally.passed === 0 || code !== 0) tally.failed = Math.max(tally.failed, 1);
  return tally;
}

const only = process.argv.slice(2);
const total: Tally = { passed: 0, failed: 0 };
const failures: string[] = [];
for (const step of STEPS) {
  if (only.length > 0 && !only.some((word) => step.name.includes(word))) continue;
  const { passed, failed } = await run(step);
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failures.push(step.name);
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join("; ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
