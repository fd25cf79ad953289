/**
 * Those of this Worker who wait for a lease.
 *
 * Their order is kept natively, over all Workers; here are the promises. While anybody waits, a
 * timer looks for answers: it is what correctness stands on, it keeps the process alive as long as
 * there is something to wait for, and it ends with the last of them. The bell makes it fast.
 *
 * @module
 */

/**
 * The longest that an answer may lie uncollected, for want of a bell: what a Worker that dies, or a
 * runtime without bells, costs who waits. 5 ms would take 2.2 to 4.9 % of a core while somebody waits,
 * 20 ms takes 1.0 to 1.8 %, and 100 ms would make the first wake-up wait for 48 to 73 ms (`wake` in
 * `bench/record/2026-11-27-pool.md`).
 */
const POLL_MS = 20;

/** One who waits. */
export interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** How long it waits at most, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The line of this Worker. */
export class WaitingLine<T> {
  readonly #waiting = new Map<number, Waiting<T> & { abort?: () => void }>();
  readonly #look: () => void;
  readonly #cancel: (place: number) => void;
  readonly #pollMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = Infinity;
  #earliest = Infinity;

  /**
   * @param look Collects answers and gives them to {@linkcode take}.
   * @param cancel Gives a place up natively.
   * @param pollMs How often to look; another value is for measurements.
   */
  constructor(look: () => void, cancel: (place: number) => void, pollMs: number = POLL_MS) {
    this.#look = look;
    this.#cancel = cancel;
    this.#pollMs = pollMs;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Adds one. O(1). */
  add(place: number, waiting: Waiting<T>): void {
    const { signal, deadline } = waiting;
    if (signal === undefined) {
      this.#waiting.set(place, waiting);
    } else {
      const abort = (): void => {
        if (this.take(place) === undefined) return;
        waiting.reject(signal.reason);
        this.#cancel(place);
      };
      this.#waiting.set(place, { ...waiting, abort });
      signal.addEventListener("abort", abort, { once: true });
    }
    this.#earliest = Math.min(this.#earliest, deadline);
    this.#arm();
  }

  /** Takes one out, whose answer is there. O(1). */
  take(place: number): Waiting<T> | undefined {
    const waiting = this.#waiting.get(place);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(place);
    if (waiting.abort !== undefined) {
      waiting.signal?.removeEventListener("abort", waiting.abort);
    }
    if (this.#waiting.size === 0) this.#disarm();
    return waiting;
  }

  /** Refuses everybody. O(n). */
  refuse(reason: () => unknown): void {
    for (const place of [...this.#waiting.keys()]) this.take(place)?.reject(reason());
  }

  /** Sees to it that somebody looks in time. */
  #arm(): void {
    const now = performance.now();
    // A millisecond late rather than early, when the native clock may not be there yet.
    const at = now + Math.max(1, Math.min(this.#pollMs, Math.ceil(this.#earliest - now) + 1));
    if (this.#next <= at) return;
    clearTimeout(this.#timer);
    this.#next = at;
    this.#timer = setTimeout(() => {
      this.#next = Infinity;
      this.#look();
      if (this.#waiting.size === 0) return;
      if (this.#earliest <= performance.now()) this.#earliest = this.#earliestDeadline();
      this.#arm();
    }, at - now);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#next = Infinity;
    this.#earliest = Infinity;
  }

  #earliestDeadline(): number {
    let earliest = Infinity;
    for (const { deadline } of this.#waiting.values()) {
      if (deadline < earliest) earliest = deadline;
    }
    return earliest;
  }
}
