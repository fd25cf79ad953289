/**
 * A counting semaphore with a first-in-first-out queue.
 *
 * @module
 */

/** A fixed number of slots. */
export class Slots {
  #free: number;
  readonly #queue: Set<() => void> = new Set();

  /** @param slots How many may be taken at a time. */
  constructor(slots: number) {
    this.#free = slots;
  }

  /** The number of free slots. */
  get free(): number {
    return this.#free;
  }

  /**
   * Takes a slot, after waiting for one if none is free.
   *
   * @throws The reason of the signal when it aborts.
   */
  take(signal: AbortSignal | undefined): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const next = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const abort = (): void => {
        this.#queue.delete(next);
        reject(signal?.reason);
      };
      this.#queue.add(next);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Gives a slot back, to the head of the queue if it is not empty. */
  give(): void {
    for (const next of this.#queue) {
      this.#queue.delete(next);
      return next();
    }
    this.#free++;
  }
}
