/**
 * The README's section about input made to be slow.
 *
 * @module
 */
import { BENCHED_ENCODINGS } from "../engines.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { ORDINARY, perMegabyte, type WorstCell } from "../worst.ts";

/** Milliseconds per megabyte of each input, relative to English prose. */
export function worstTable({ runtimes }: BenchRecord<WorstCell>): string[] {
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
  ];
}
