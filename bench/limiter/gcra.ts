/**
 * The limiter that one writes in JavaScript: GCRA, a token bucket kept as the time at which it will be
 * full again. Both forms answer as ours does, with 0 or the time to wait, and both are as bare as can
 * be, so that they are hard to beat. What they do not do: evict, count in several units, reserve, and,
 * for the `Map`, serve more than one Worker.
 *
 * @module
 */

/** A rate in a form that all contenders can be given. */
export interface Bucket {
  /** Milliseconds until a unit is back. */
  readonly intervalMs: number;
  /** How many can be taken at once. */
  readonly burst: number;
}

/** Admits whatever a bench asks: a million a second and a thousand million at once. */
export const OPEN: Bucket = { intervalMs: 1e-3, burst: 1e9 };
/** Admits one and then nothing for as long as a bench takes. */
export const SHUT: Bucket = { intervalMs: 1e6, burst: 1 };

/** In the heap of one Worker. Times are milliseconds. */
export class MapGcra {
  readonly #fullAt = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #burstMs: number;

  constructor({ intervalMs, burst }: Bucket) {
    this.#intervalMs = intervalMs;
    this.#burstMs = intervalMs * burst;
  }

  /** Charges `cost` and returns 0, or returns the milliseconds to wait. */
  take(key: string, cost: number, now: number): number {
    const next = this.#next(key, cost, now);
    const wait = next - now - this.#burstMs;
    if (wait > 0) return wait;
    this.#fullAt.set(key, next);
    return 0;
  }

  /** As `take`, and charges nothing. */
  peek(key: string, cost: number, now: number): number {
    return Math.max(0, this.#next(key, cost, now) - now - this.#burstMs);
  }

  /** Charges without a check. */
  charge(key: string, cost: number, now: number): void {
    this.#fullAt.set(key, this.#next(key, cost, now));
  }

  #next(key: string, cost: number, now: number): number {
    const fullAt = this.#fullAt.get(key);
    return (fullAt === undefined || fullAt < now ? now : fullAt) + cost * this.#intervalMs;
  }
}

/**
 * In memory that Workers share, which each has to be sent. Keys are indexes, as strings cannot be
 * shared. Times are microseconds in 32 bits, since atomics of 64 bits make a `BigInt` a call; so it ends
 * after half an hour.
 */
export class AtomicsGcra {
  readonly #fullAt: Int32Array;
  readonly #interval: number;
  readonly #burst: number;

  constructor(memory: SharedArrayBuffer, { intervalMs, burst }: Bucket) {
    this.#fullAt = new Int32Array(memory);
    this.#interval = intervalMs * 1000;
    this.#burst = this.#interval * burst;
  }

  /** Charges one and returns 0, or returns the microseconds to wait. */
  take(index: number, now: number): number {
    for (;;) {
      const fullAt = Atomics.load(this.#fullAt, index);
      const next = (fullAt < now ? now : fullAt) + this.#interval;
      const wait = next - now - this.#burst;
      if (wait > 0) return wait;
      if (Atomics.compareExchange(this.#fullAt, index, fullAt, next) === fullAt) return 0;
    }
  }
}

/** How many keys of a {@linkcode AtomicsGcra} are apart so that no two share a line of the cache. */
export const STRIDE = 32;
