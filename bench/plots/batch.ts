/**
 * The cost of a text in a batch, relative to a single call, by size of batch.
 *
 * @module
 */
import { frame, line, ruleY } from "@observablehq/plot";
import { type BatchCell, same, type Way } from "../batch.ts";
import type { BenchRecord } from "../record.ts";
import { dashOf, figure, HUES, RUNTIME_LEGEND } from "./figure.ts";

const WAYS: readonly Way[] = ["batch, automatic", "batch, 1 thread", "batch, 2 threads"];

/** One small plot for each length of text. */
export function batchPlot({ runtimes, date }: BenchRecord<BatchCell>): string {
  const points = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result
      .filter(({ way }) => WAYS.includes(way))
      .map((cell) => ({
        way: cell.way,
        line: `${cell.way}, ${runtime}`,
        dash: dashOf(runtime),
        size: `texts of ${cell.size.toLocaleString("en")} characters`,
        batch: cell.batch,
        share: cell.median / same(result, cell, "single calls").median,
      }))
  );
  const sizes = [...new Set(points.map(({ size }) => size))];
  return figure({
    title: "Time per text in a batch, relative to single calls",
    subtitle: `count, o200k_base, English prose, ${date}; below the line a batch pays`,
    legend: [...WAYS.map((label, i) => ({ label, colour: HUES[i]! })), ...RUNTIME_LEGEND],
    plot: {
      width: 920,
      height: 320,
      marginLeft: 56,
      x: { type: "log", base: 2, label: "texts in a batch", tickFormat: "d" },
      y: { zero: true, label: "times a single call", grid: true, ticks: 6 },
      fx: { domain: sizes, label: null },
      color: { domain: WAYS, range: HUES.slice(0, WAYS.length) },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        ruleY([1], { strokeOpacity: 0.6 }),
        ...["none", "4 3"].map((dash) =>
          line(points.filter((point) => point.dash === dash), {
            x: "batch",
            y: "share",
            z: "line",
            fx: "size",
            stroke: "way",
            strokeWidth: 2,
            strokeDasharray: dash,
          })
        ),
      ],
    },
  });
}
