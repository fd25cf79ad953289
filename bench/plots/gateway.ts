/**
 * The share of its throughput that a gateway keeps while it counts.
 *
 * @module
 */
import { barX, frame, text } from "@observablehq/plot";
import { type GatewayCell, kept } from "../gateway.ts";
import { VARIANTS } from "../gateway/variants.ts";
import type { BenchRecord } from "../record.ts";
import { figure, HUES } from "./figure.ts";

/** One row of bars for each runtime, one column for each length of prompt. */
export function gatewayPlot({ runtimes, date }: BenchRecord<GatewayCell>): string {
  const bars = Object.values(runtimes).flatMap(({ runtime, result }) =>
    result.filter(({ variant }) => variant !== "none").map((cell) => ({
      runtime,
      size: `${cell.size.toLocaleString("en")} characters`,
      variant: cell.variant,
      kept: 100 * kept(result, cell).requestsPerSecond,
    }))
  );
  const variants = VARIANTS.filter((variant) => variant !== "none").toReversed();
  return figure({
    title: "Throughput that a gateway keeps while it counts every prompt",
    subtitle: `percent of requests a second without counting, ${date}; longer is better`,
    legend: variants.map((label, i) => ({ label, colour: HUES[i]! })),
    plot: {
      width: 920,
      height: 260,
      marginLeft: 100,
      marginRight: 76,
      x: { domain: [0, 118], label: "%", grid: true, ticks: 5 },
      y: { domain: variants, label: null },
      fx: { domain: [...new Set(bars.map(({ size }) => size))], label: null },
      fy: { domain: [...new Set(bars.map(({ runtime }) => runtime))], label: null },
      color: { domain: variants, range: HUES.slice(0, variants.length) },
      marks: [
        frame({ strokeOpacity: 0.25 }),
        barX(bars, { x: "kept", y: "variant", fx: "size", fy: "runtime", fill: "variant" }),
        text(bars, {
          x: "kept",
          y: "variant",
          fx: "size",
          fy: "runtime",
          text: ({ kept }: { kept: number }) => `${kept.toFixed(0)} %`,
          textAnchor: "start",
          dx: 4,
        }),
      ],
    },
  });
}
