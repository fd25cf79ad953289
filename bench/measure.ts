/**
 * Timing passes over sets of texts: the first pass over texts that the process never saw, and
 * passes over the same texts again.
 *
 * mitata, which the other benches use, repeats one function until it is fast; it has no first pass
 * and no ratios of engines within one round. Hence this small harness.
 *
 * @module
 */

/** Counts `texts` into `counts` until `deadline`; returns how many it got done. */
export type Pass = (texts: readonly string[], counts: Uint32Array, deadline: number) => number;

/** Characters between two looks at the clock, which takes as long as a short call. */
const CHARACTERS_PER_LOOK = 4096;

/**
 * A loop around `call`, compiled afresh, so that no call site ever sees two engines: a shared site
 * would be slow for all of them, and slowest for the fastest.
 */
export function compilePass(call: (text: string) => number, charactersPerText: number): Pass {
  const mask = 2 ** Math.floor(Math.log2(Math.max(1, CHARACTERS_PER_LOOK / charactersPerText))) - 1;
  const make = new Function(
    "call",
    "now",
    `return function pass(texts, counts, deadline) {
       for (let i = 0; i < texts.length; i++) {
         counts[i] = call(texts[i]);
         if ((i & ${mask}) === 0 && now() > deadline) return i + 1;
       }
       return texts.length;
     };`,
  ) as (call: (text: string) => number, now: () => number) => Pass;
  return make(call, () => performance.now());
}

/** Times of one engine over one set of texts. */
export interface PassTimes {
  /** How many of the texts the first pass got done in its budget. */
  readonly done: number;
  /** Milliseconds of the first pass over those. */
  readonly first: number;
  /** Median milliseconds of the later passes over the same ones. */
  readonly warm: number;
  /** What `call` returned for each. */
  readonly counts: Uint32Array;
}

/** Runs a first pass and then warm passes, each within about `budget` milliseconds. */
export function timePasses(pass: Pass, texts: readonly string[], budget: number): PassTimes {
  const counts = new Uint32Array(texts.length);
  const start = performance.now();
  const done = pass(texts, counts, start + budget);
  const first = performance.now() - start;
  const seen = done === texts.length ? texts : texts.slice(0, done);
  const again = new Uint32Array(done);
  const times: number[] = [];
  const end = performance.now() + budget;
  do {
    const begin = performance.now();
    pass(seen, again, Infinity);
    times.push(performance.now() - begin);
  } while (performance.now() < end && times.length < 64);
  return { done, first, warm: median(times), counts };
}

/** The middle value; of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A median with the smallest and largest value beside it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Summarizes repeated measurements. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** The geometric mean, the right one for ratios. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Four significant digits: more would be noise in a record. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
