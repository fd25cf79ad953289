/**
 * The README's section about the first use.
 *
 * @module
 */
import { BENCHED_ENCODINGS, IMPORT_NAMES } from "../engines.ts";
import type { LoadCell } from "../load.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";

/** Milliseconds to the first count and megabytes kept, by engine. */
export function loadTable({ runtimes }: BenchRecord<LoadCell>): string[] {
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
    "From the import to the first count, in a fresh process, and the resident memory that this adds:",
    "",
    ...markdown(
      ["", ...columns.map(({ runtime, encoding }) => `${runtime}, ${encoding}`)],
      rows,
    ),
  ];
}
