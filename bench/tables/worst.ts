/**
 * The section about input made to be slow.
 *
 * @module
 */
import { BENCHED_ENCODINGS, type BenchedEncoding } from "../engines.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { ORDINARY, perMegabyte, type WorstCell } from "../worst.ts";
import { atMost, type Goal, goalTable } from "./goals.ts";
import type { Section } from "./section.ts";

/** Milliseconds per megabyte of each input, relative to English prose. */
function all(record: BenchRecord<WorstCell>): string[] {
  const { runtimes } = record;
  const results = Object.values(runtimes);
  const inputs = [...new Set(results[0]!.result.map(({ input }) => input))];
  const rows = inputs.map((input) => [
    input,
    ...results.flatMap(({ result }) => {
      const time = perMegabyte(result, "o200k_base", input, 1);
      const ordinary = perMegabyte(result, "o200k_base", ORDINARY, 1);
      const large = perMegabyte(result, "o200k_base", input, 64);
      return [
        `${time.toFixed(1)} ms`,
        `${(time / ordinary).toFixed(1)}x`,
        `${large.toFixed(1)} ms`,
      ];
    }),
  ]);
  const slowest = results.flatMap(({ runtime, result }) =>
    BENCHED_ENCODINGS.flatMap((encoding) =>
      inputs.map((input) => ({
        name: `${input} (${encoding}, ${runtime})`,
        ratio: perMegabyte(result, encoding, input, 1) /
          perMegabyte(result, encoding, ORDINARY, 1),
      }))
    )
  ).reduce((worst, one) => one.ratio > worst.ratio ? one : worst);
  return [
    "![Time per megabyte by size of input](bench/plots/worst.svg)",
    "",
    "Counting one megabyte of each with `o200k_base`, the multiple of the time for English prose, " +
    "and the time per megabyte of 64:",
    "",
    ...markdown(
      ["", ...results.flatMap(({ runtime }) => [`1 MB, ${runtime}`, "× English", "per MB of 64"])],
      rows,
    ),
    "",
    `The slowest over both encodings: ${slowest.name}, ${slowest.ratio.toFixed(1)}x.`,
    "",
    ...goalTable(record, GOALS),
  ];
}

/** The largest of what `value` says of an input and an encoding. */
function largest(
  cells: readonly WorstCell[],
  value: (encoding: BenchedEncoding, input: string) => number,
): number {
  const inputs = new Set(cells.map(({ input }) => input));
  return Math.max(
    ...BENCHED_ENCODINGS.flatMap((encoding) => [...inputs].map((input) => value(encoding, input))),
  );
}

const GOALS: readonly Goal<WorstCell>[] = [
  {
    goal: "1 MB of anything: at most 4x the time for English prose",
    value: (cells) =>
      largest(
        cells,
        (encoding, input) =>
          perMegabyte(cells, encoding, input, 1) / perMegabyte(cells, encoding, ORDINARY, 1),
      ),
    met: atMost(4),
  },
  {
    goal: "1 MB of anything: at most 20 ms",
    value: (cells) => largest(cells, (encoding, input) => perMegabyte(cells, encoding, input, 1)),
    met: atMost(20),
    show: (ms) => `${ms.toFixed(1)} ms`,
  },
  {
    goal: "a megabyte of 64, times one alone: at most 2",
    value: (cells) =>
      largest(
        cells,
        (encoding, input) =>
          perMegabyte(cells, encoding, input, 64) / perMegabyte(cells, encoding, input, 1),
      ),
    met: atMost(2),
  },
];

/** The section of the bench `worst`. */
export const WORST: Section<WorstCell> = { title: "Hostile texts", all, goals: GOALS };
