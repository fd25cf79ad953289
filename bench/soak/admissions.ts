/**
 * What was admitted when, in bins of a millisecond that all Workers write to, and whether any window had
 * more than `burst + rate * W`.
 *
 * A Worker notes an amount by the time at which it was about to ask, so of all that it notes before the
 * end of a window only the last can have been decided after it: what a window seems to have too many is
 * at most one call of each Worker. That is the slack. The sum over all windows up to a bin is one
 * comparison: what came since the window that was emptiest so far.
 *
 * @module
 */
import { monotonicClock } from "../monotonic.ts";

/** Bins, and so milliseconds, before they are used again. */
const RING = 8192;
/** A bin is read when nobody writes to it any more: reservations of its time are over. */
const SETTLED_MS = 4000;

/** One rate that is watched. */
export interface Watched {
  readonly burst: number;
  readonly perMs: number;
  /** What may be too many in a window, because Workers note times and do not know them. */
  readonly slack: number;
}

/** Shared bins of several rates. */
export class Admissions {
  readonly memory: SharedArrayBuffer;
  readonly #bins: Int32Array;
  /** Where time begins, by the clock that limiters go by. */
  readonly origin: number;
  readonly #clock = monotonicClock();

  constructor(rates: number, origin?: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(4 * RING * rates);
    this.#bins = new Int32Array(this.memory);
    this.origin = origin ?? this.#clock();
  }

  /** Milliseconds, the same in all Workers. */
  now(): number {
    return this.#clock() - this.origin;
  }

  /** An amount was admitted by somebody who asked at `at`. */
  add(rate: number, at: number, amount: number): void {
    Atomics.add(this.#bins, this.#at(rate, Math.floor(at)), amount);
  }

  /** Takes a bin out. */
  take(rate: number, bin: number): number {
    return Atomics.exchange(this.#bins, this.#at(rate, bin), 0);
  }

  #at(rate: number, bin: number): number {
    return rate * RING + bin % RING;
  }
}

/** Reads the bins, in the main thread. */
export class WindowCheck {
  readonly #admissions: Admissions;
  readonly #rates: readonly Watched[];
  /** The surplus of each rate: what came, less what comes back, since the emptiest window began. */
  readonly #surplus: Float64Array;
  #next = 0;
  /** The most that any window had, of what it may have, over all rates. */
  fullest = 0;
  /** How much was admitted in all. */
  total = 0;
  /** Bins that were not read in time and are left out. */
  skipped = 0;

  constructor(admissions: Admissions, rates: readonly Watched[]) {
    this.#admissions = admissions;
    this.#rates = rates;
    this.#surplus = new Float64Array(rates.length);
  }

  /** Reads what can be read and calls `wrong` for each window that had too much. */
  read(wrong: (rate: number, excess: number) => void): void {
    const now = this.#admissions.now();
    // Far behind, bins have been used again; so far back nothing can be told.
    const isLate = now - this.#next > RING - 1000;
    for (; this.#next < now - SETTLED_MS; this.#next++) this.#readBin(isLate, wrong);
  }

  #readBin(isLate: boolean, wrong: (rate: number, excess: number) => void): void {
    if (isLate) this.skipped++;
    this.#rates.forEach(({ burst, perMs, slack }, rate) => {
      const amount = this.#admissions.take(rate, this.#next);
      if (isLate) return void (this.#surplus[rate] = 0);
      this.total += amount;
      // The window may begin with this bin, or go on; of a bin only its whole length is known.
      const surplus = Math.max(0, this.#surplus[rate]!) + amount - perMs;
      this.#surplus[rate] = surplus;
      this.fullest = Math.max(this.fullest, surplus / burst);
      if (surplus > burst + slack) {
        wrong(rate, surplus - burst);
        this.#surplus[rate] = 0;
      }
    });
  }
}
