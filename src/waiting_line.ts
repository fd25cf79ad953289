/**
 * The promises of this Worker's queued requests, in a hash map by ticket.
 *
 * The order of the queue is kept natively, over all Workers. While requests are queued, a timer polls for
 * answers. Correctness depends on that timer alone: it keeps the process alive and stops with the last request.
 * Bells (`bell.ts`) only make it faster.
 *
 * @module
 */

/**
 * The longest delay of an answer without a bell, in milliseconds, as after a Worker has died. Polling every
 * 5 ms would take 2.2 to 4.9 % of a core while requests are queued, and 20 ms takes 1.0 to 1.8 %. With 100 ms,
 * the first wake-up would take 48 to 73 ms (`wake` in `bench/record/2026-11-27-pool.md`).
 */
const POLL_MS = 20;

/** A queued request. */
export interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
  /** By `performance.now()`. The timer looks then; who looks ends the wait. */
  readonly deadline: number;
  /** How long it may be queued, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The queued requests of one member. */
export class WaitingLine<T> {
  readonly #waiting = new Map<number, Waiting<T> & { abort?: () => void }>();
  readonly #look: () => void;
  readonly #cancel: (ticket: number) => void;
  readonly #pollMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = Infinity;
  #earliest = Infinity;

  /**
   * @param look Collects answers and calls {@linkcode take} for each.
   * @param cancel Leaves the queue natively.
   * @param pollMs The polling interval. Other values are for measurements.
   */
  constructor(look: () => void, cancel: (ticket: number) => void, pollMs: number = POLL_MS) {
    this.#look = look;
    this.#cancel = cancel;
    this.#pollMs = pollMs;
  }

  /** The number of queued requests. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Adds a request. O(1). */
  add(ticket: number, waiting: Waiting<T>): void {
    const { signal, deadline } = waiting;
    if (signal === undefined) {
      this.#waiting.set(ticket, waiting);
    } else {
      const abort = (): void => {
        if (this.take(ticket) === undefined) return;
        waiting.reject(signal.reason);
        this.#cancel(ticket);
      };
      this.#waiting.set(ticket, { ...waiting, abort });
      signal.addEventListener("abort", abort, { once: true });
    }
    this.#earliest = Math.min(this.#earliest, deadline);
    this.#arm();
  }

  /** Removes a request. O(1). */
  take(ticket: number): Waiting<T> | undefined {
    const waiting = this.#waiting.get(ticket);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(ticket);
    if (waiting.abort !== undefined) {
      waiting.signal?.removeEventListener("abort", waiting.abort);
    }
    if (this.#waiting.size === 0) this.#disarm();
    return waiting;
  }

  /** The tickets of the requests whose deadline has passed. O(n). */
  late(): number[] {
    const now = performance.now();
    const tickets: number[] = [];
    for (const [ticket, { deadline }] of this.#waiting) if (deadline <= now) tickets.push(ticket);
    return tickets;
  }

  /** The earliest deadline that there may be, by `performance.now()`. O(1). */
  get earliest(): number {
    return this.#earliest;
  }

  /** Rejects all requests. O(n). */
  refuse(reason: () => unknown): void {
    for (const ticket of [...this.#waiting.keys()]) this.take(ticket)?.reject(reason());
  }

  /** Sets the timer for the next poll. */
  #arm(): void {
    const now = performance.now();
    // A millisecond late rather than early, because the native clock may be behind.
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
