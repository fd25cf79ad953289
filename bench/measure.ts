/**
 * Robust statistics of repeated measurements.
 *
 * @module
 */

/** A median with the smallest and largest value beside it. */
export type Spread = {
  readonly median: number;
  readonly low: number;
  readonly high: number;
};

/** The middle value; of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Summarizes repeated measurements, rounded for a record. */
export function spread(values: readonly number[]): Spread {
  return {
    median: rounded(median(values)),
    low: rounded(Math.min(...values)),
    high: rounded(Math.max(...values)),
  };
}

/** The geometric mean, the right one for ratios. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Rounds to four significant digits: more would be noise in a record. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
