/**
 * The cost of a text by size of batch.
 *
 * @module
 */
import { frame, line } from "@observablehq/plot";
import type { BatchCell, Way } from "../batch.ts";
import type { BenchRecord } from "../record.ts";
import { dashOf, figure, HUES, RUNTIME_LEGEND } from "./figure.ts";

const WAYS: readonly Way[] = ["batch, automatic", "single calls", "batch, 1 thread"];

/** One small plot for each length of text. */
export function batchPlot({ runtimes, date }: BenchRecord<BatchCell>): string {
  const points = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result
      .filter(({ way }) => WAYS.includes(way))
      .map(({ way, size, batch, median }) => ({
        way,
        line: `${way}, ${runtime}`,
        dash: dashOf(runtime),
        size: `texts of ${size.toLocaleString("en")} characters`,
        batch,
        ns: median,
      }))
  );
  const sizes = [...new Set(points.map(({ size }) => size))];
  return figure({
    title: "Time per text by size of batch",
    subtitle: `count, o200k_base, English prose, ${date}; both axes logarithmic, lower is better`,
    legend: [...WAYS.map((label, i) => ({ label, colour: HUES[i]! })), ...RUNTIME_LEGEND],
    plot: {
      width: 920,
      height: 320,
      marginLeft: 56,
      x: { type: "log", base: 2, label: "texts in a batch", tickFormat: "d" },
      y: { type: "log", label: "ns per text", grid: true, tickFormat: "~s" },
      fx: { domain: sizes, label: null },
      color: { domain: WAYS, range: HUES.slice(0, WAYS.length) },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        ...["none", "4 3"].map((dash) =>
          line(points.filter((point) => point.dash === dash), {
            x: "batch",
            y: "ns",
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
