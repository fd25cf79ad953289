/**
 * A counter that keeps the first few of what it counts.
 *
 * @module
 */

/** How many are kept. */
const KEPT = 10;

/** Counts, and keeps the first ten. */
export class First<T> {
  readonly #kept: T[] = [];
  #count = 0;

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get kept(): readonly T[] {
    return this.#kept;
  }

  add(item: T): void {
    if (this.#count++ < KEPT) this.#kept.push(item);
  }
}
