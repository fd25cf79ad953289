/**
 * What a lease costs as the line and the number of upstreams grow.
 *
 * @module
 */
import { dot, frame, line } from "@observablehq/plot";
import type { PoolCell } from "../pool.ts";
import { LINED } from "../pool/rivals.ts";
import type { BenchRecord } from "../record.ts";
import { dashOf, figure, HUES, RUNTIME_LEGEND } from "./figure.ts";

const LOOP = "loop over an array";
const OURS = "sluice";
const LINES: readonly string[] = [OURS, ...LINED.filter((name) => !name.startsWith(OURS)), LOOP];

/** Two small plots: against who waits, and against the upstreams to choose from. */
export function poolPlot({ runtimes, date }: BenchRecord<PoolCell>): string {
  const points = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result.flatMap((cell) => {
      if (cell.part !== "line" && cell.part !== "choice") return [];
      const who = cell.name.startsWith(OURS) ? OURS : cell.name;
      return [{
        who,
        line: `${who}, ${runtime}`,
        dash: dashOf(runtime),
        // One more than wait, because the axis is logarithmic and 0 has no place on it.
        size: cell.part === "line" ? cell.waiters + 1 : cell.upstreams,
        what: cell.part === "line" ? "tasks in line for one permit" : "upstreams to choose from",
        microseconds: cell.median / 1000,
      }];
    })
  );
  return figure({
    title: "Time of acquire and release as things grow",
    subtitle: `within one Worker, ${date}; flat is good`,
    legend: [...LINES.map((label, i) => ({ label, colour: HUES[i]! })), ...RUNTIME_LEGEND],
    plot: {
      width: 920,
      height: 340,
      marginLeft: 56,
      x: { type: "log", label: null, tickFormat: "~s" },
      y: { type: "log", label: "µs", grid: true, tickFormat: "~r", ticks: 5 },
      fx: { domain: ["tasks in line for one permit", "upstreams to choose from"], label: null },
      color: { domain: LINES, range: HUES.slice(0, LINES.length) },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        ...["none", "4 3"].map((dash) =>
          line(points.filter((point) => point.dash === dash), {
            x: "size",
            y: "microseconds",
            z: "line",
            fx: "what",
            stroke: "who",
            strokeWidth: 2,
            strokeDasharray: dash,
          })
        ),
        dot(points, { x: "size", y: "microseconds", fx: "what", fill: "who", r: 2 }),
      ],
    },
  });
}
