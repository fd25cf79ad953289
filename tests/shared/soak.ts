/**
 * Runs the scenarios of the rig again and again, longer than the gate does, and fails if a row of the failure table is
 * not kept.
 *
 *     bun tests/shared/soak.ts [part of a name] --minutes 10 [--stretch 3] [--limiter central] [--record]
 *
 * `--record` writes the table to `bench/record`.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { runtimeVersion } from "../../bench/machine.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import { AT_ONCE, lineOf, type Outcome, type Scenario } from "./scenarios/scenario.ts";
import type { GatewaySettings } from "./settings.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    stretch: { type: "string", default: "3" },
    limiter: { type: "string", default: "sluice" },
    record: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const stretch = Number(values.stretch);
if (!(minutes > 0)) throw new RangeError(`--minutes must be above 0, not ${values.minutes}`);
if (!(stretch > 0)) throw new RangeError(`--stretch must be above 0, not ${values.stretch}`);

const scenarios = SCENARIOS.filter(({ name, skip }) =>
  !skip && name.includes(positionals[0] ?? "")
);
const outcomes = new Map<Scenario, Outcome[]>(scenarios.map((scenario) => [scenario, []]));
const broken: string[] = [];
const end = performance.now() + minutes * 60_000;

/** The scenarios in turn. Each is run at least once. */
function* turns(): Generator<[number, Scenario]> {
  for (let turn = 0; turn < scenarios.length || performance.now() < end; turn++) {
    yield [turn, scenarios[turn % scenarios.length]!];
  }
}

async function work(waiting: Generator<[number, Scenario]>): Promise<void> {
  for (const [turn, scenario] of waiting) {
    const limiter = values.limiter as GatewaySettings["limiter"];
    const round = Math.floor(turn / scenarios.length);
    try {
      const outcome = await scenario.run({ stretch, limiter, turn: turn + round });
      outcomes.get(scenario)!.push(outcome);
      console.log(lineOf(scenario, outcome));
      for (const fault of outcome.faults) broken.push(`${scenario.name}: ${fault}`);
    } catch (error) {
      broken.push(`${scenario.name}: ${String(error)}`);
    }
  }
}

const waiting = turns();
await Promise.all(Array.from({ length: AT_ONCE }, () => work(waiting)));

/** A row of the table: the worst of all runs. */
function row({ name, row }: Scenario, runs: readonly Outcome[]): string {
  const over = Math.max(...runs.map(({ overPercent }) => overPercent));
  const used = Math.min(...runs.map(({ usedPercent }) => usedPercent));
  const requests = runs.reduce((sum, { result }) => sum + result.report.sent, 0);
  const slowest = Math.max(...runs.map(({ result }) => result.report.slowestMs));
  return `| ${name} | ${row} | ${runs.length} | ${requests} | ${over.toFixed(1)} | ` +
    `${used.toFixed(1)} | ${slowest.toFixed(0)} |`;
}

const table = [
  "| scenario | bound of its row | runs | requests | worst over, % | least used, % | slowest, ms |",
  "|---|---|---|---|---|---|---|",
  ...[...outcomes].filter(([, runs]) => runs.length > 0).map(([scenario, runs]) =>
    row(scenario, runs)
  ),
].join("\n");
console.log(`\n${table}\n`);
for (const fault of broken) console.log(`BROKEN: ${fault}`);
if (values.record) {
  const date = new Date().toISOString().slice(0, 10);
  const text = `# Shared limits through failures, ${date}

\`bun tests/shared/soak.ts --minutes ${minutes} --stretch ${stretch}\` in ${runtimeVersion()} on ${cpus().length} cores
(${
    cpus()[0]?.model.trim() ?? "unknown"
  }). Two gateways run in Bun and two in Deno. Admissions are those that reached the
upstream. "Over" is the proven excess over the bound of the row, in percent of its burst; a number below 0 is room that was
left. "Used" is what was admitted, in percent of what the limit without failures admits.

${table}

${
    broken.length === 0
      ? "Each row was kept."
      : broken.map((fault) => `- BROKEN: ${fault}`).join("\n")
  }
`;
  writeFileSync(new URL(`../../bench/record/${date}-shared-rig.md`, import.meta.url), text);
}
process.exit(broken.length === 0 ? 0 : 1);
