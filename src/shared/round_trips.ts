/**
 * Quantiles of the last round trips: a ring buffer that is sorted when it is asked.
 *
 * @module
 */

/** How many round trips are kept. */
const KEPT = 512;

/** The times of the last calls. */
export class RoundTrips {
  readonly #times = new Float64Array(KEPT);
  /** The number of calls so far. */
  count = 0;

  /** Adds a call. O(1). */
  add(ms: number): void {
    this.#times[this.count % KEPT] = ms;
    this.count++;
  }

  /** The median and the 99th percentile of the last 512 calls, or undefined if there was none. */
  quantiles(): { readonly p50: number; readonly p99: number } | undefined {
    const kept = Math.min(this.count, KEPT);
    if (kept === 0) return undefined;
    const sorted = this.#times.slice(0, kept).sort();
    const at = (share: number): number => sorted[Math.min(kept - 1, Math.floor(share * kept))]!;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
