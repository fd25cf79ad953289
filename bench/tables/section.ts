/**
 * What the documents show of one bench.
 *
 * @module
 */
import type { BenchRecord } from "../record.ts";
import type { Goal } from "./goals.ts";

/** One bench, in lines of Markdown. Links in them are from the top of the checkout. */
export interface Section<C> {
  /** The heading of the section in `bench/README.md`. */
  readonly title: string;
  /** All that was measured: `bench/README.md`. */
  readonly all: (record: BenchRecord<C>) => string[];
  /** Its main tables: `docs/benchmarks.md`. */
  readonly head?: (record: BenchRecord<C>) => string[];
  /** The little that stands in the README. */
  readonly brief?: (record: BenchRecord<C>) => string[];
  /** What was aimed at; what was missed stands in `docs/benchmarks.md`. */
  readonly goals?: readonly Goal<C>[];
}
