/**
 * The limits of the bench `limiter`, and its floor in plain JavaScript: GCRA (generic cell rate algorithm), a token bucket that is kept as the time
 * at which it will be full again, in a `Map` and in shared memory.
 *
 * The floors answer with 0 or the time to wait, and are as short as possible. They do not evict, count several units or reserve,
 * and the `Map` serves one Worker only.
 *
 * @module
 */
import { rate, RateLimiter } from "../mod.ts";

/** A rate in a form that all contenders accept. */
export interface Bucket {
  /** Milliseconds until a unit is restored. */
  readonly intervalMs: number;
  /** How many can be taken at once. */
  readonly burst: number;
}

/** Admits everything that a bench takes. */
export const OPEN: Bucket = { intervalMs: 1e-3, burst: 1e9 };
/** Admits one, and then nothing for as long as a bench takes. */
export const SHUT: Bucket = { intervalMs: 1e6, burst: 1 };

let opened = 0;

/** A limit of sluice with this rate. */
export function limitOf(unit: string, { intervalMs, burst }: Bucket): ReturnType<typeof rate> {
  const limit = Math.max(1, 1 / intervalMs);
  return rate({ unit, limit, per: { milliseconds: limit * intervalMs }, burst });
}

/** Opens a new limiter of sluice with this rate of requests. */
export function openLimiter(bucket: Bucket, clock?: "coarse"): RateLimiter {
  return reopenLimiter(`bench ${opened++}`, bucket, clock);
}

/** Opens the limiter with this name. */
export function reopenLimiter(name: string, bucket: Bucket, clock?: "coarse"): RateLimiter {
  const limits = { requests: limitOf("requests", bucket) };
  return new RateLimiter({ name, limits, clock: clock ?? "precise" });
}

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

  /** Returns what `take` would, and charges nothing. */
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
 * In memory that Workers share. Keys are indices, since strings cannot be shared. Times are microseconds in 32 bits, since
 * 64-bit atomics cost a `BigInt` a call; so it works for half an hour.
 */
export class AtomicsGcra {
  /** The distance of indices that share no cache line. */
  static readonly STRIDE = 32;

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
