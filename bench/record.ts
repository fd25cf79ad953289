/**
 * Records: a dated JSON file of a bench with the machine that it ran on, and a Markdown page with its tables.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine, RuntimeName } from "./machine.ts";

const FOLDER = new URL("record/", import.meta.url);

/** A measurement: the fields that identify it, and its figures (a number, one for each round, or a spread). */
export type Cell = Readonly<Record<string, unknown>>;

/** The result of a bench in one runtime. */
export interface RuntimeResult {
  /** "Bun 1.4.5", "Deno 2.9.6". */
  readonly runtime: string;
  readonly seconds: number;
  readonly result: readonly Cell[];
}

/** The result of a bench in all runtimes. */
export interface BenchRecord {
  readonly bench: string;
  /** The day, such as 2026-11-24. */
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly runtimes: { readonly [R in RuntimeName | "rust"]?: RuntimeResult };
}

/** The file name of a record, without its folder and extension. */
export function recordName({ date, bench }: BenchRecord): string {
  return `${date}-${bench}`;
}

/** Writes a record, one cell a line so that two of them can be compared, and its page. */
export function writeRecord(record: BenchRecord, tables: readonly string[]): void {
  const { runtimes, ...head } = record;
  const results = Object.entries(runtimes).map(([name, { result, ...rest }]) => {
    const start = `"${name}":${JSON.stringify(rest).slice(0, -1)},"result":[`;
    return `${start}\n${result.map((cell) => JSON.stringify(cell)).join(",\n")}\n]}`;
  });
  const json = `{"head":${JSON.stringify(head)},"runtimes":{\n${results.join(",\n")}\n}}\n`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(new URL(`${recordName(record)}.json`, FOLDER), json);
  writeFileSync(new URL(`${recordName(record)}.md`, FOLDER), page(record, tables));
}

/** The newest record of a bench, or undefined if there is none yet. */
export function newestRecord(bench: string): BenchRecord | undefined {
  const pattern = new RegExp(`^\\d{4}-\\d\\d-\\d\\d-${bench}\\.json$`);
  if (!existsSync(FOLDER)) return undefined;
  const newest = readdirSync(FOLDER).filter((file) => pattern.test(file)).sort().at(-1);
  if (newest === undefined) return undefined;
  const { head, runtimes } = JSON.parse(readFileSync(new URL(newest, FOLDER), "utf8")) as {
    head: Omit<BenchRecord, "runtimes">;
    runtimes: BenchRecord["runtimes"];
  };
  return { ...head, runtimes };
}

/** "AMD EPYC 7763, 2 cores, 8 GB, linux x64". */
export function machineLine({ cpu, cores, memoryGb, system }: Machine): string {
  return `${cpu}, ${cores} core${cores === 1 ? "" : "s"}, ${memoryGb} GB, ${system}`;
}

function page(record: BenchRecord, tables: readonly string[]): string {
  const { bench, date, command, machine, runtimes } = record;
  const versions = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `# ${bench}, ${date}`,
    "",
    `- machine: ${machineLine(machine)}; load average before the run: ${machine.load ?? "unknown"}`,
    `- CPU features in use: ${machine.cpuFeatures}`,
    `- commit: ${machine.commit}`,
    `- command: \`${command}\``,
    `- runtimes: ${Object.values(runtimes).map(({ runtime }) => runtime).join(", ")}`,
    `- packages: ${versions.join(", ")}`,
    "",
    ...tables,
    "",
  ].join("\n");
}
