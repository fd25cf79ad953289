/**
 * Counters of the Workers of the pool's soak, in shared memory, so that they survive a killed Worker.
 *
 * @module
 */
import { InUse } from "./in_use.ts";

/** The names of the counters. */
const WORDS = [
  "granted",
  "timedOut",
  "aborted",
  "refused",
  "forgotten",
  "expired",
  "doubled",
  // The counters from here on must stay 0.
  "overCap",
  "stuck",
  "surprises",
] as const;

/** One of the counts. */
export type Count = (typeof WORDS)[number];

/** Counters that must stay 0. */
export const FAULTS: readonly Count[] = ["overCap", "stuck", "surprises"];

/** The memory that is posted to a Worker. */
export interface SharedTally {
  readonly counts: SharedArrayBuffer;
  readonly inUse: SharedArrayBuffer;
}

/** Shared counts. */
export class Tally {
  /** Leases in use, by Worker and upstream. */
  readonly inUse: InUse;
  readonly shared: SharedTally;
  readonly #counts: Int32Array;
  readonly #longest: Int32Array;

  constructor(workers: number, upstreams: number, shared?: SharedTally) {
    const counts = shared?.counts ?? new SharedArrayBuffer(4 * (WORDS.length + 1));
    this.inUse = new InUse(workers, upstreams, shared?.inUse);
    this.shared = { counts, inUse: this.inUse.memory };
    this.#counts = new Int32Array(counts, 0, WORDS.length);
    this.#longest = new Int32Array(counts, 4 * WORDS.length, 1);
  }

  count(what: Count): void {
    Atomics.add(this.#counts, WORDS.indexOf(what), 1);
  }

  get(what: Count): number {
    return Atomics.load(this.#counts, WORDS.indexOf(what));
  }

  /** Notes the length of a wait, in milliseconds. */
  waited(ms: number): void {
    if (ms > Atomics.load(this.#longest, 0)) Atomics.store(this.#longest, 0, Math.ceil(ms));
  }

  get longestWaitMs(): number {
    return Atomics.load(this.#longest, 0);
  }
}
