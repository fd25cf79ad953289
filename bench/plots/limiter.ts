/**
 * What a check costs beside what does one in JavaScript.
 *
 * @module
 */
import { dot, frame, gridX, ruleX } from "@observablehq/plot";
import type { LimiterCell } from "../limiter.ts";
import { CHECKS } from "../limiter/checks.ts";
import type { BenchRecord } from "../record.ts";
import { figure, HUES } from "./figure.ts";

const CROSSING = "empty crossing";

/** One row for each contender, one column for what is admitted and one for what is denied. */
export function limiterPlot({ runtimes, date }: BenchRecord<LimiterCell>): string {
  const all = Object.values(runtimes);
  const names = all.map(({ runtime }) => runtime);
  const points = all.flatMap(({ runtime, result }) =>
    result.flatMap((cell) =>
      cell.part === "check"
        ? [{ runtime, name: cell.name, outcome: cell.outcome, ns: cell.median }]
        : []
    )
  );
  const crossings = all.flatMap(({ runtime, result }) =>
    result.flatMap((cell) =>
      cell.part === "floor" && cell.name === CROSSING ? [{ runtime, ns: cell.median }] : []
    )
  );
  return figure({
    title: "Time of a check of one limit of one key",
    subtitle: `${date}; further to the left is better; the dashed line is an empty crossing`,
    legend: names.map((label, i) => ({ label, colour: HUES[i]! })),
    plot: {
      width: 920,
      height: 320,
      marginLeft: 250,
      marginRight: 20,
      x: { type: "log", label: "ns", tickFormat: "~s" },
      y: { domain: CHECKS, label: null },
      fx: { domain: ["admitted", "denied"], label: null },
      color: { domain: names, range: HUES.slice(0, names.length) },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        gridX({ strokeOpacity: 0.15 }),
        ruleX(crossings, { x: "ns", stroke: "runtime", strokeDasharray: "4 3" }),
        dot(points, { x: "ns", y: "name", fx: "outcome", fill: "runtime", r: 4 }),
      ],
    },
  });
}
