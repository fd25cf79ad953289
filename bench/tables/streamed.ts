/**
 * The section about texts and ids that arrive in parts, and about cutting texts.
 *
 * @module
 */
import type { BenchRecord } from "../record.ts";
import type { StreamedCell } from "../streamed.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";
import type { Section } from "./section.ts";

/** What a push costs, and what a cut costs. */
function all({ runtimes }: BenchRecord<StreamedCell>): string[] {
  const results = Object.values(runtimes);
  const rows = results[0]!.result.map(({ work, per }) => [
    work,
    per,
    ...results.map(({ result }) => {
      const cell = result.find((one) => one.work === work)!;
      return `${duration(cell.median)} (${duration(cell.low)}–${duration(cell.high)})`;
    }),
  ]);
  return [
    "`o200k_base`, median and range of seven runs:",
    "",
    ...markdown(["", "per", ...results.map(({ runtime }) => runtime)], rows),
  ];
}

/** The section of the bench `streamed`. */
export const STREAMED: Section<StreamedCell> = { title: "Streams and cuts", all };
