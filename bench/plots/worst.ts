/**
 * Time per megabyte by size of input, one small plot for each kind: a level line is linear time.
 *
 * @module
 */
import { frame, line, text } from "@observablehq/plot";
import type { BenchRecord } from "../record.ts";
import { ORDINARY, type WorstCell } from "../worst.ts";
import { dashOf, figure, HUES, RUNTIME_LEGEND } from "./figure.ts";

const COLUMNS = 5;

/** All inputs, each with English prose beside it. */
export function worstPlot({ runtimes, date }: BenchRecord<WorstCell>): string {
  const rows = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result.filter(({ encoding }) => encoding === "o200k_base").map((cell) => ({
      input: cell.input,
      runtime,
      dash: dashOf(runtime),
      megabytes: cell.megabytes,
      ms: cell.ms / (cell.bytes / 1e6),
    }))
  );
  const inputs = [...new Set(rows.map(({ input }) => input))].filter((name) => name !== ORDINARY);
  const place = (input: string) => {
    const i = inputs.indexOf(input);
    return { fx: i % COLUMNS, fy: Math.floor(i / COLUMNS) };
  };
  const points = inputs.flatMap((input) =>
    rows
      .filter((row) => row.input === input || row.input === ORDINARY)
      .map((row) => ({
        ...row,
        ...place(input),
        kind: row.input === ORDINARY ? ORDINARY : "this input",
        line: `${row.input}, ${row.runtime}`,
      }))
  );
  return figure({
    title: "Input made to be slow: milliseconds per megabyte, from 1 to 64 MB",
    subtitle: `count, o200k_base, ${date}; a level line is linear time, lower is better`,
    legend: [
      { label: "this input", colour: HUES[0] },
      { label: ORDINARY, colour: HUES[5] },
      ...RUNTIME_LEGEND,
    ],
    plot: {
      width: 920,
      height: 460,
      marginLeft: 48,
      x: { type: "log", base: 2, label: "MB", ticks: 4, tickFormat: "d" },
      y: { type: "log", label: "ms per MB", grid: true, tickFormat: "~s", ticks: 4 },
      fx: { axis: null },
      fy: { axis: null },
      color: { domain: ["this input", ORDINARY], range: [HUES[0], HUES[5]] },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        ...["none", "4 3"].map((dash) =>
          line(points.filter((point) => point.dash === dash), {
            x: "megabytes",
            y: "ms",
            z: "line",
            fx: "fx",
            fy: "fy",
            stroke: "kind",
            strokeWidth: 2,
            strokeDasharray: dash,
          })
        ),
        text(inputs.map((input) => ({ ...place(input), input })), {
          fx: "fx",
          fy: "fy",
          text: "input",
          frameAnchor: "top",
          dy: -11,
        }),
      ],
    },
  });
}
