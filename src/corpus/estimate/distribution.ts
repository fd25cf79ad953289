/**
 * The distribution of counts: exact percentiles by the nearest-rank method, and a histogram with ranges
 * as those of HdrHistogram: powers of two, each divided into parts of the same width.
 *
 * @module
 */

/** A range of a histogram. */
export interface Bin {
  /** The least count in the range. */
  readonly from: number;
  /** The greatest count in the range. */
  readonly to: number;
  /** How many are in the range. */
  readonly count: number;
}

/** A summary of counts. All numbers are 0 if there are none. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Ranges without gaps from the one of `min` to the one of `max`. */
  readonly histogram: readonly Bin[];
}

/** Collects counts, in 4 bytes for each. */
export class Counts {
  #values = new Uint32Array(64);
  #size = 0;
  #sum = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** @param count A whole number below 2^32. */
  add(count: number): void {
    if (this.#size === this.#values.length) {
      const grown = new Uint32Array(2 * this.#size);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#size++] = count;
    this.#sum += count;
  }

  /** O(n log n) in the number of counts. */
  summary(): Distribution {
    const sorted = this.#values.slice(0, this.#size).sort();
    const rank = (part: number) => sorted[Math.max(Math.ceil(part * sorted.length) - 1, 0)] ?? 0;
    return {
      count: this.#size,
      sum: this.#sum,
      mean: this.#size === 0 ? 0 : this.#sum / this.#size,
      min: sorted[0] ?? 0,
      p50: rank(0.5),
      p90: rank(0.9),
      p99: rank(0.99),
      max: sorted.at(-1) ?? 0,
      histogram: histogram(sorted),
    };
  }
}

/** The most ranges of a histogram, unless a range for each power of two is more. */
const MAX_BINS = 12;

/** @param sorted Counts in ascending order. */
function histogram(sorted: Uint32Array): readonly Bin[] {
  if (sorted.length === 0) return [];
  const [least, greatest] = [sorted[0]!, sorted.at(-1)!];
  let bits = 3;
  while (bits > 0 && binOf(greatest, bits) - binOf(least, bits) >= MAX_BINS) bits--;
  const first = binOf(least, bits);
  const counts = new Float64Array(binOf(greatest, bits) - first + 1);
  for (const count of sorted) counts[binOf(count, bits) - first]! += 1;
  return Array.from(counts, (count, i) => ({
    from: startOf(first + i, bits),
    to: startOf(first + i + 1, bits) - 1,
    count,
  }));
}

/** The range of a count, if each power of two is divided into 2^bits ranges of the same width. */
function binOf(count: number, bits: number): number {
  if (count < 2 ** bits) return count;
  const shift = 31 - Math.clz32(count) - bits;
  return (shift << bits) + (count >>> shift);
}

/** The least count of a range. */
function startOf(bin: number, bits: number): number {
  if (bin < 2 ** bits) return bin;
  const shift = (bin >> bits) - 1;
  return ((bin & (2 ** bits - 1)) + 2 ** bits) * 2 ** shift;
}
