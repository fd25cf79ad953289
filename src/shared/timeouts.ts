/**
 * Timeouts of equal length in a FIFO queue with one timer.
 *
 * @module
 */

/** Something that has a time limit. */
export interface Limited {
  /** Whether it has ended in time. */
  isDone: boolean;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** Called once if it has not ended in time. */
  expire(): void;
}

/** A queue of things that all have the same time limit. The timer does not keep the process alive. */
export class Timeouts {
  readonly #limitMs: number;
  #queue: Limited[] = [];
  #head = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param limitMs The time limit. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Adds a thing that has just started. Amortised O(1). */
  add(limited: Limited): void {
    this.#queue.push(limited);
    if (this.#timer === undefined) this.#arm(this.#limitMs);
  }

  #arm(ms: number): void {
    // The answers that wait in the sockets come first: after a pause of this program, timers fire before them.
    this.#timer = setTimeout(() => setImmediate(() => this.#look()), Math.max(1, ms));
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    const due = performance.now() - this.#limitMs;
    while (this.#head < this.#queue.length) {
      const first = this.#queue[this.#head]!;
      if (!first.isDone && first.startedAt > due) break;
      this.#head++;
      if (!first.isDone) first.expire();
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      return;
    }
    if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#arm(this.#queue[this.#head]!.startedAt - due);
  }
}
