/**
 * The section about the first use.
 *
 * @module
 */
import { BENCHED_ENCODINGS, IMPORT_NAMES, type ImportName, INSTALLED_NAMES } from "../engines.ts";
import type { LoadCell } from "../load.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { atLeast, atMost, type Goal, goalTable } from "./goals.ts";
import type { Section } from "./section.ts";

/** Milliseconds to the first count and megabytes kept, by engine. */
function head({ runtimes }: BenchRecord<LoadCell>): string[] {
  const columns = Object.values(runtimes).flatMap(({ runtime, result }) =>
    BENCHED_ENCODINGS.map((encoding) => ({ runtime, result, encoding }))
  );
  const rows = IMPORT_NAMES.map((engine) => [
    engine,
    ...columns.map(({ result, encoding }) => {
      const cell = result.find((cell) => cell.engine === engine && cell.encoding === encoding);
      if (cell === undefined) return "–";
      return `${cell.ms.median.toFixed(0)} ms, ${cell.rss.median.toFixed(0)} MB`;
    }),
  ]);
  return [
    "From the import to the first count, in a fresh process, and the resident memory that this adds; in " +
    "Bun 6 MB of it are pages of Bun's own program, and 3 MB are sluice's library. *Checkout* is the " +
    "TypeScript of this repository, the others are installed packages. What the time is made of is on " +
    "record ([10, 11](bench/record/2026-11-26-clock-and-units.txt)):",
    "",
    ...markdown(
      ["", ...columns.map(({ runtime, encoding }) => `${runtime}, ${encoding}`)],
      rows,
    ),
  ];
}

function all(record: BenchRecord<LoadCell>): string[] {
  return [...head(record), "", ...goalTable(record, GOALS)];
}

const GOALS: readonly Goal<LoadCell>[] = INSTALLED_NAMES.flatMap((name) =>
  BENCHED_ENCODINGS.flatMap((encoding) => [
    {
      goal: `\`${name}\`, \`${encoding}\`: first count at least 10x as soon as the fastest rival's`,
      value: (cells: readonly LoadCell[]) => {
        const same = cells.filter((cell) => cell.encoding === encoding);
        const rivals = same.filter(({ engine }) => !engine.startsWith("sluice"));
        return Math.min(...rivals.map(({ ms }) => ms.median)) / find(same, name).ms.median;
      },
      met: atLeast(10),
    },
    {
      goal: `\`${name}\`, \`${encoding}\`: at most 15 MB, after one short text`,
      value: (cells: readonly LoadCell[]) =>
        find(cells.filter((cell) => cell.encoding === encoding), name).rss.median,
      met: atMost(15),
      show: (megabytes: number) => `${megabytes.toFixed(1)} MB`,
    },
  ])
);

function find(cells: readonly LoadCell[], name: ImportName): LoadCell {
  return cells.find(({ engine }) => engine === name)!;
}

/** The section of the bench `load`. */
export const LOAD: Section<LoadCell> = { title: "First use", all, head, goals: GOALS };
