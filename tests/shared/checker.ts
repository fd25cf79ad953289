/**
 * The checker of the rig: the worst window of an admission log, by leaky queues.
 *
 * A limit of `burst + rate * W` for every window W is kept if and only if a queue that gains what is admitted and leaks at
 * `rate` never holds more than `burst`.
 *
 * @module
 */

/** An admitted request, as the upstream saw it. Times are milliseconds of a clock that all processes share. */
export interface Admission {
  /** Just before the gateway asked its limiter. */
  readonly asked: number;
  /** When the gateway had the decision. */
  readonly decided: number;
  /** When it reached the upstream. */
  readonly at: number;
  /** When the upstream had answered it, or its connection had closed. */
  readonly end: number;
  /** What it cost. */
  readonly cost: number;
  readonly key: string;
  /** Which gateway sent it. */
  readonly gateway: string;
  /** Where the decision came from. */
  readonly source: string;
}

/** What a window of W milliseconds may admit: `burst + perMs * W`. */
export interface Bound {
  readonly burst: number;
  readonly perMs: number;
}

/** The peak of the leaky queue by the upstream's own clock. */
export function peakSeen(admissions: readonly Admission[], { perMs }: Bound): number {
  let level = 0;
  let peak = 0;
  let last = 0;
  for (const { at, cost } of admissions.toSorted((a, b) => a.at - b.at)) {
    level = Math.max(0, level - (at - last) * perMs) + cost;
    last = at;
    peak = Math.max(peak, level);
  }
  return peak;
}

/**
 * The peak that no delay between limiter and upstream explains.
 *
 * A request was admitted at an unknown time between `asked` and `decided`. So a window surely admitted those requests
 * whose two times both lie in it. The result is the largest sum of their costs, less what leaks in the window, over all
 * windows from some `asked` to some `decided`. Starts are tried from the last to the first; a segment tree keeps the values of all ends.
 * O(n log n).
 */
export function peakProven(admissions: readonly Admission[], { perMs }: Bound): number {
  const byEnd = admissions.toSorted((a, b) => a.decided - b.decided);
  const ends = new SuffixSums(admissions.length);
  const place = new Map(byEnd.map((admission, index) => [admission, index]));
  let peak = 0;
  for (const admission of admissions.toSorted((a, b) => b.asked - a.asked)) {
    const index = place.get(admission)!;
    ends.add(index, admission.cost);
    // Only now, so that no window ends before it begins.
    ends.enter(index, -admission.decided * perMs);
    peak = Math.max(peak, ends.max() + admission.asked * perMs);
  }
  return peak;
}

/** The most requests that the upstream answered at a time, weighted by their cost. */
export function peakInFlight(admissions: readonly Admission[]): number {
  const steps = admissions.flatMap(({ at, end, cost }) => [[at, cost], [end, -cost]] as const);
  let level = 0;
  let peak = 0;
  // What ends at a time makes room for what begins at that time.
  for (const [, change] of steps.toSorted(([a, up], [b, down]) => a - b || up - down)) {
    level += change;
    peak = Math.max(peak, level);
  }
  return peak;
}

/** The sum of all costs. */
export function total(admissions: readonly Admission[]): number {
  return admissions.reduce((sum, { cost }) => sum + cost, 0);
}

/** What the checker found for one key. */
export interface Verdict {
  /** The proven peak over the bound, in percent of the burst; 0 or less if the bound was kept. */
  readonly overPercent: number;
  /**
   * The same by the upstream's clock alone. Requests that were admitted apart may arrive together, so this can be above 0 by
   * `perMs` times the time from asking to arriving.
   */
  readonly seenPercent: number;
  /** What was admitted, in percent of what one central bucket would have admitted under endless demand. */
  readonly usedPercent: number;
  /** The longest time from asking to the upstream. */
  readonly slowestMs: number;
}

/** Compares a log of one key with its bound, over a run of `ms`. */
export function judge(admissions: readonly Admission[], bound: Bound, ms: number): Verdict {
  const slowestMs = Math.max(0, ...admissions.map(({ asked, at }) => at - asked));
  return {
    overPercent: 100 * (peakProven(admissions, bound) / bound.burst - 1),
    seenPercent: 100 * (peakSeen(admissions, bound) / bound.burst - 1),
    usedPercent: 100 * total(admissions) / (bound.burst + bound.perMs * ms),
    slowestMs,
  };
}

/** A segment tree: adds to all values from an index on, and knows the largest value that was entered. */
class SuffixSums {
  readonly #size: number;
  /** The largest value at or below each node, without what was added to its ancestors. */
  readonly #max: Float64Array;
  readonly #added: Float64Array;

  constructor(length: number) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(1, length)));
    this.#max = new Float64Array(2 * this.#size).fill(-Infinity);
    this.#added = new Float64Array(2 * this.#size);
  }

  max(): number {
    return this.#max[1]!;
  }

  /** Enters a value, with all that was added to its index. */
  enter(index: number, value: number): void {
    const leaf = this.#size + index;
    this.#max[leaf] = value + this.#added[leaf]!;
    for (let node = leaf >> 1; node > 0; node >>= 1) this.#pull(node);
  }

  /** Adds to the values at `index` and after it: to the leaf, and to each right sibling on the way up. */
  add(index: number, amount: number): void {
    let node = this.#size + index;
    this.#apply(node, amount);
    for (; node > 1; node >>= 1) {
      if (node % 2 === 0) this.#apply(node + 1, amount);
      this.#pull(node >> 1);
    }
  }

  #apply(node: number, amount: number): void {
    this.#max[node]! += amount;
    this.#added[node]! += amount;
  }

  #pull(node: number): void {
    const below = Math.max(this.#max[2 * node]!, this.#max[2 * node + 1]!);
    this.#max[node] = below + this.#added[node]!;
  }
}
