/**
 * The plots of the documents, made from the newest records as SVG that reads on light and on dark.
 *
 *     bun bench/plots.ts
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { batchPlot } from "./plots/batch.ts";
import { gatewayPlot } from "./plots/gateway.ts";
import { limiterPlot } from "./plots/limiter.ts";
import { poolPlot } from "./plots/pool.ts";
import { tokenizerPlot } from "./plots/tokenizer.ts";
import { worstPlot } from "./plots/worst.ts";
import { type BenchRecord, newestRecord } from "./record.ts";

const FOLDER = new URL("plots/", import.meta.url);

/** A plot for each bench that has one; `never` because each reads rows of its own. */
const PLOTS: { readonly [bench: string]: (record: BenchRecord<never>) => string } = {
  batch: batchPlot,
  gateway: gatewayPlot,
  limiter: limiterPlot,
  pool: poolPlot,
  tokenizer: tokenizerPlot,
  worst: worstPlot,
};

/** Writes `bench/plots/NAME.svg` for every bench that has a record, and returns the names. */
export function writePlots(): string[] {
  mkdirSync(FOLDER, { recursive: true });
  const written: string[] = [];
  for (const [bench, plot] of Object.entries(PLOTS)) {
    const record = newestRecord<never>(bench);
    if (record === undefined) continue;
    writeFileSync(new URL(`${bench}.svg`, FOLDER), plot(record));
    written.push(bench);
  }
  return written;
}

if (import.meta.main) console.log(`plots: ${writePlots().join(", ") || "no records yet"}`);
