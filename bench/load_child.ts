/**
 * Loads one engine in this fresh process and says what that took: milliseconds from before its
 * import to its first count, and how much memory it left in use. Started by `load.ts`.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { type BenchedEncoding, type ImportName, IMPORTS } from "./engines.ts";

/** What loading took. */
export interface Loaded {
  /** Milliseconds from before the import to the first count. */
  readonly ms: number;
  /** Megabytes of resident memory that the load added. */
  readonly rss: number;
  readonly tokens: number;
}

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { engine: { type: "string" }, encoding: { type: "string" } },
});
const before = process.memoryUsage().rss;
const start = performance.now();
const engine = await IMPORTS[values.engine as ImportName].load(values.encoding as BenchedEncoding);
const tokens = engine.count("The quick brown fox jumps over the lazy dog.");
const ms = performance.now() - start;
const rss = (process.memoryUsage().rss - before) / 1e6;
console.log(JSON.stringify({ ms, rss, tokens } satisfies Loaded));
process.exit(0);
