/**
 * What the Workers of the soak count, in memory that they share, so that what a killed one counted
 * is not lost with it.
 *
 * @module
 */

/** The words that are counted up. */
const WORDS = [
  "granted",
  "timedOut",
  "aborted",
  "refused",
  "forgotten",
  "expired",
  "doubled",
  // From here on what must stay 0.
  "overCap",
  "stuck",
  "surprises",
] as const;

/** One of the counts. */
export type Count = (typeof WORDS)[number];

/** Those that must stay 0. */
export const FAULTS: readonly Count[] = ["overCap", "stuck", "surprises"];

/** Rows for Workers, one for each that was ever started; the ring is larger than any run fills. */
const ROWS = 65_536;

/** How often a sum that is too large is taken again: it is not one moment's, a real excess lasts. */
const LOOKS = 50;

/** Shared counts. */
export class Tally {
  readonly memory: SharedArrayBuffer;
  readonly #counts: Int32Array;
  readonly #longest: Int32Array;
  /** The rows of the Workers that live. */
  readonly #live: Int32Array;
  /** Leases in use, by Worker and upstream. */
  readonly #inUse: Int32Array;
  readonly #upstreams: number;

  constructor(workers: number, upstreams: number, memory?: SharedArrayBuffer) {
    const head = WORDS.length + 1 + workers;
    this.memory = memory ?? new SharedArrayBuffer(4 * (head + ROWS * upstreams));
    this.#counts = new Int32Array(this.memory, 0, WORDS.length);
    this.#longest = new Int32Array(this.memory, 4 * WORDS.length, 1);
    this.#live = new Int32Array(this.memory, 4 * (WORDS.length + 1), workers);
    this.#inUse = new Int32Array(this.memory, 4 * head);
    this.#upstreams = upstreams;
  }

  count(what: Count): void {
    Atomics.add(this.#counts, WORDS.indexOf(what), 1);
  }

  get(what: Count): number {
    return Atomics.load(this.#counts, WORDS.indexOf(what));
  }

  /** Notes how long somebody waited, in milliseconds. */
  waited(ms: number): void {
    if (ms > Atomics.load(this.#longest, 0)) Atomics.store(this.#longest, 0, Math.ceil(ms));
  }

  get longestWaitMs(): number {
    return Atomics.load(this.#longest, 0);
  }

  /** A Worker takes the place of another, whose leases no longer count. */
  begin(place: number, row: number): void {
    Atomics.store(this.#live, place, row % ROWS);
  }

  /** A lease is in use; whether there are more of the upstream than its cap. */
  use(row: number, upstream: number, cap: number): boolean {
    Atomics.add(this.#inUse, this.#at(row, upstream), 1);
    for (let look = 0; look < LOOKS; look++) {
      if (this.#sum(upstream) <= cap) return false;
    }
    return true;
  }

  /** Before it is given back. */
  unuse(row: number, upstream: number): void {
    Atomics.sub(this.#inUse, this.#at(row, upstream), 1);
  }

  #sum(upstream: number): number {
    let sum = 0;
    for (let place = 0; place < this.#live.length; place++) {
      sum += Atomics.load(this.#inUse, this.#at(Atomics.load(this.#live, place), upstream));
    }
    return sum;
  }

  #at(row: number, upstream: number): number {
    return (row % ROWS) * this.#upstreams + upstream;
  }
}
