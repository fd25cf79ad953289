/**
 * The README's section about the first use.
 *
 * @module
 */
import { BENCHED_ENCODINGS, IMPORT_NAMES, type ImportName, INSTALLED_NAMES } from "../engines.ts";
import type { LoadCell } from "../load.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { atLeast, atMost, type Goal, goalTable } from "./goals.ts";

/** Milliseconds to the first count and megabytes kept, by engine. */
export function loadTable(record: BenchRecord<LoadCell>): string[] {
  const { runtimes } = record;
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
    "From the import to the first count, in a fresh process, and the resident memory that this adds. " +
    "sluice imports none of Node's modules, the first of which costs a Deno program 20 ms; of what is left " +
    "there, two thirds are the import and one looking functions up " +
    "([record](bench/record/2026-11-26-clock-and-units.txt), 10):",
    "",
    ...markdown(
      ["", ...columns.map(({ runtime, encoding }) => `${runtime}, ${encoding}`)],
      rows,
    ),
    "",
    ...goalTable(record, GOALS),
  ];
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
