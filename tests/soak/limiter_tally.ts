/**
 * Counters of the Workers of the limiter's soak, in shared memory, so that they survive a killed Worker.
 *
 * @module
 */
import { Admissions } from "./admissions.ts";
import { InUse } from "./in_use.ts";
import { KEYS, UNITS } from "./limiter_limits.ts";

/** The names of the counters. */
const WORDS = [
  "admitted",
  "denied",
  "reserved",
  "settled",
  "cancelled",
  "toppedUp",
  "forgotten",
  "late",
  "doubled",
  "limitsSet",
  "keysForgotten",
  "noRoom",
  // The counters from here on must stay 0.
  "overCap",
  "secondEnds",
  "surprises",
] as const;

/** One of the counts. */
export type Count = (typeof WORDS)[number];

/** Counters that must stay 0. */
export const FAULTS: readonly Count[] = ["overCap", "secondEnds", "surprises"];

/** The memory that is posted to a Worker. */
export interface SharedTally {
  readonly counts: SharedArrayBuffer;
  readonly inUse: SharedArrayBuffer;
  readonly admissions: SharedArrayBuffer;
  readonly origin: number;
}

/** Shared counts. */
export class LimiterTally {
  readonly inUse: InUse;
  readonly admissions: Admissions;
  readonly #memory: SharedArrayBuffer;
  readonly #counts: BigInt64Array;

  constructor(workers: number, shared?: SharedTally) {
    this.#memory = shared?.counts ?? new SharedArrayBuffer(8 * (WORDS.length + 2));
    this.#counts = new BigInt64Array(this.#memory);
    this.inUse = new InUse(workers, KEYS.length, shared?.inUse);
    this.admissions = new Admissions(
      KEYS.length * UNITS.length,
      shared?.origin,
      shared?.admissions,
    );
  }

  get shared(): SharedTally {
    const { inUse, admissions } = this;
    return {
      counts: this.#memory,
      inUse: inUse.memory,
      admissions: admissions.memory,
      origin: admissions.origin,
    };
  }

  count(what: Count, times = 1): void {
    Atomics.add(this.#counts, WORDS.indexOf(what), BigInt(times));
  }

  get(what: Count): number {
    return Number(Atomics.load(this.#counts, WORDS.indexOf(what)));
  }

  /** Notes what a call at `at` charged to a hot key. */
  charge(key: number, at: number, requests: number, tokens: number): void {
    this.admissions.add(UNITS.length * key, at, requests);
    this.admissions.add(UNITS.length * key + 1, at, tokens);
  }

  /** Notes, before a call, the amount that it may charge to the ledger. */
  intend(amount: number): void {
    Atomics.add(this.#counts, WORDS.length, BigInt(amount));
  }

  /** Notes, after the call, the amount that it did charge. */
  confirm(intended: number, amount: number): void {
    Atomics.add(this.#counts, WORDS.length + 1, BigInt(amount));
    Atomics.sub(this.#counts, WORDS.length, BigInt(intended - amount));
  }

  /** Bounds of the ledger's sum. They differ, since a killed Worker confirms nothing. */
  get ledger(): { least: number; most: number } {
    const at = (index: number) => Number(Atomics.load(this.#counts, WORDS.length + index));
    return { least: at(1), most: at(0) };
  }
}
