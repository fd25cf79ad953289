/**
 * Bounds what is in flight.
 *
 * @module
 */

/** A first-come-first-served line for a fixed number of places. */
export class Slots {
  #free: number;
  readonly #line: Set<() => void> = new Set();

  /** @param places How many may be in flight at a time. */
  constructor(places: number) {
    this.#free = places;
  }

  /** How many places are free. */
  get free(): number {
    return this.#free;
  }

  /**
   * Takes a place, after waiting for one if need be.
   *
   * @throws The signal's reason, at once when it aborts; the place in line is given up.
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
        this.#line.delete(next);
        reject(signal?.reason);
      };
      this.#line.add(next);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Gives a place back: to the head of the line if somebody waits. */
  give(): void {
    for (const next of this.#line) {
      this.#line.delete(next);
      return next();
    }
    this.#free++;
  }
}
