/**
 * A histogram of admissions in shared memory, in bins of a millisecond, and the check that no window of it exceeds
 * `burst + rate * W`.
 *
 * A Worker notes an amount by the time just before its call. Of all amounts noted before the end of a window only the
 * last of each Worker can have been admitted after it, so a window may seem to exceed its limit by at most one call of each
 * Worker. That is the slack. All windows are checked at once by the maximum subarray sum (Kadane's algorithm).
 *
 * @module
 */
import { monotonicClock } from "../../bench/monotonic.ts";

/** Bins, and so milliseconds, before they are reused. */
const RING = 8192;
/** A bin is read when no Worker writes to it any more: reservations of its time have ended. */
const SETTLED_MS = 4000;

/** One rate that is watched. */
export interface Watched {
  readonly burst: number;
  readonly perMs: number;
  /** The excess that is possible because Workers note times before their calls. */
  readonly slack: number;
}

/** Shared bins of several rates. */
export class Admissions {
  readonly memory: SharedArrayBuffer;
  readonly #bins: Int32Array;
  /** The origin of time, by the clock that limiters use. */
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

  /** Notes an amount that was admitted by a call made at `at`. */
  add(rate: number, at: number, amount: number): void {
    Atomics.add(this.#bins, this.#at(rate, Math.floor(at)), amount);
  }

  /** Reads a bin and clears it. */
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
  /** For each rate the largest surplus, admitted less restored, of the windows that end at the last bin. */
  readonly #surplus: Float64Array;
  #next = 0;
  /** The largest surplus of any window, as a share of its burst. */
  fullest = 0;
  /** The sum of all that was admitted. */
  total = 0;
  /** Bins that were not read in time. */
  skipped = 0;

  constructor(admissions: Admissions, rates: readonly Watched[]) {
    this.#admissions = admissions;
    this.#rates = rates;
    this.#surplus = new Float64Array(rates.length);
  }

  /** Reads all settled bins and calls `exceeded` for each window with too much. */
  read(exceeded: (rate: number, excess: number) => void): void {
    const now = this.#admissions.now();
    // Bins so old may have been reused.
    const isLate = now - this.#next > RING - 1000;
    for (; this.#next < now - SETTLED_MS; this.#next++) this.#readBin(isLate, exceeded);
  }

  #readBin(isLate: boolean, exceeded: (rate: number, excess: number) => void): void {
    if (isLate) this.skipped++;
    this.#rates.forEach(({ burst, perMs, slack }, rate) => {
      const amount = this.#admissions.take(rate, this.#next);
      if (isLate) return void (this.#surplus[rate] = 0);
      this.total += amount;
      const surplus = Math.max(0, this.#surplus[rate]!) + amount - perMs;
      this.#surplus[rate] = surplus;
      this.fullest = Math.max(this.fullest, surplus / burst);
      if (surplus > burst + slack) {
        exceeded(rate, surplus - burst);
        this.#surplus[rate] = 0;
      }
    });
  }
}
