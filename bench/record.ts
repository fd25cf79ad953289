/**
 * Records: one dated JSON file per bench with the machine it was made on, and beside it a page for
 * people.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine, RuntimeName } from "./machine.ts";
import type { RuntimeResult } from "./program.ts";

const FOLDER = new URL("record/", import.meta.url);

/** The result of one bench in all runtimes. */
export interface BenchRecord<Row> {
  readonly bench: string;
  /** The day, as 2026-11-24. */
  readonly date: string;
  /** What was typed. */
  readonly command: string;
  readonly machine: Machine;
  readonly runtimes: { readonly [R in RuntimeName]?: RuntimeResult<readonly Row[]> };
}

/** The file name of a record, without its folder and extension. */
export function recordName({ date, bench }: { date: string; bench: string }): string {
  return `${date}-${bench}`;
}

/** Writes a record, one row a line so that two of them can be compared, and its page. */
export function writeRecord(record: BenchRecord<unknown>, described: readonly string[]): void {
  const { runtimes, ...head } = record;
  const lines = [`{"head":${JSON.stringify(head)},"runtimes":{`];
  Object.entries(runtimes).forEach(([name, { runtime, seconds, result }], i) => {
    const start = `"${name}":{"runtime":"${runtime}","seconds":${seconds},"result":[`;
    lines.push((i === 0 ? "" : ",") + start);
    lines.push(result.map((row) => JSON.stringify(row)).join(",\n"));
    lines.push("]}");
  });
  lines.push("}}");
  mkdirSync(FOLDER, { recursive: true });
  const name = recordName(record);
  writeFileSync(new URL(`${name}.json`, FOLDER), `${lines.join("\n")}\n`);
  writeFileSync(new URL(`${name}.md`, FOLDER), page(record, described));
}

/** The newest record of a bench, or undefined if there is none yet. */
export function newestRecord<Row>(bench: string): BenchRecord<Row> | undefined {
  const pattern = new RegExp(`^\\d{4}-\\d\\d-\\d\\d-${bench}\\.json$`);
  // A clone without records has no folder.
  if (!existsSync(FOLDER)) return undefined;
  const newest = readdirSync(FOLDER).filter((file) => pattern.test(file)).sort().at(-1);
  if (newest === undefined) return undefined;
  const { head, runtimes } = JSON.parse(readFileSync(new URL(newest, FOLDER), "utf8")) as {
    head: Omit<BenchRecord<Row>, "runtimes">;
    runtimes: BenchRecord<Row>["runtimes"];
  };
  return { ...head, runtimes };
}

/** "AMD EPYC 7763, 2 cores, 8 GB, linux x64". */
export function machineLine({ cpu, cores, memoryGb, system }: Machine): string {
  return `${cpu}, ${cores} core${cores === 1 ? "" : "s"}, ${memoryGb} GB, ${system}`;
}

function page(record: BenchRecord<unknown>, described: readonly string[]): string {
  const { bench, date, command, machine, runtimes } = record;
  const versions = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `# ${bench}, ${date}`,
    "",
    `- machine: ${machineLine(machine)}`,
    `- CPU features in use: ${machine.cpuFeatures}`,
    `- commit: ${machine.commit}`,
    `- command: \`${command}\``,
    `- runtimes: ${Object.values(runtimes).map(({ runtime }) => runtime).join(", ")}`,
    `- packages: ${versions.join(", ")}`,
    "",
    "```text",
    ...described,
    "```",
    "",
  ].join("\n");
}
