/**
 * The section about batches.
 *
 * @module
 */
import { type BatchCell, breakEven, same, type Way } from "../batch.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";
import { atMost, type Goal, goalTable } from "./goals.ts";
import type { Section } from "./section.ts";

const WAYS: readonly Way[] = ["single calls", "batch, 1 thread", "batch, automatic"];
const SHOWN = [1, 4, 16, 64, 256, 1000, 4096];

/** The time per text by size of batch, and where a batch begins to pay. */
function all(record: BenchRecord<BatchCell>): string[] {
  const { runtimes } = record;
  const results = Object.values(runtimes);
  const sizes = [...new Set(results[0]!.result.map(({ size }) => size))];
  const rows: string[][] = [];
  for (const size of sizes) {
    for (const batch of SHOWN) {
      const times = results.flatMap(({ result }) =>
        WAYS.map((way) => {
          const any = result.find((cell) => cell.size === size && cell.batch === batch);
          return any === undefined ? "–" : duration(same(result, any, way).median);
        })
      );
      rows.push([`${batch.toLocaleString("en")} × ${size} characters`, ...times]);
    }
  }
  const pays = results.flatMap(({ runtime, result }) =>
    sizes.map((size) => {
      const from = breakEven(result, size);
      return `${runtime}, ${size} characters: ` +
        (from === undefined ? "**never in what was measured**" : `from ${from} on`);
    })
  );
  return [
    "![Cost of a text by size of batch](bench/plots/batch.svg)",
    "",
    "Time per text:",
    "",
    ...markdown(
      ["", ...results.flatMap(({ runtime }) => WAYS.map((way) => `${way}, ${runtime}`))],
      rows,
    ),
    "",
    `A batch is cheaper than single calls: ${pays.join("; ")}.`,
    "",
    ...goalTable(record, GOALS),
    "",
    "A batch saves what a crossing costs ([below](#what-a-crossing-costs)), and that is the smaller part " +
    "of what a text of 50 characters takes; counting it is the larger.",
  ];
}

const GOALS: readonly Goal<BatchCell>[] = [{
  goal: "1,000 texts of 50 characters: a text at most a third of a single call",
  value: (cells) => {
    const batch = cells.find((cell) =>
      cell.size === 50 && cell.batch === 1000 && cell.way === "batch, automatic"
    );
    return batch === undefined ? NaN : batch.median / same(cells, batch, "single calls").median;
  },
  met: atMost(1 / 3),
}];

/** The section of the bench `batch`. */
export const BATCH: Section<BatchCell> = { title: "Batches", all, goals: GOALS };
