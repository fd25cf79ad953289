/**
 * Large memory that is reused while it lasts: held by a `WeakRef`, so that the collector may have it.
 *
 * Fresh memory costs a page fault for every page, which for a long text took longer than to encode it.
 *
 * @module
 */

/** One typed array, of the size that was asked for or more. */
export class WeakMemory<Words extends Uint8Array | Uint32Array> {
  readonly #allocate: (length: number) => Words;
  #memory: WeakRef<Words> | undefined;

  constructor(allocate: (length: number) => Words) {
    this.#allocate = allocate;
  }

  /** Memory of at least this length. What is in it is of no account. */
  atLeast(length: number): Words {
    const last = this.#memory?.deref();
    if (last !== undefined && last.length >= length) return last;
    // No collector takes what a `WeakRef` was made of before the turn ends. So what is too small grows by half
    // at least, and all that a turn has asked for is at most three times the last.
    const memory = this.#allocate(Math.max(length, Math.ceil(1.5 * (last?.length ?? 0))));
    this.#memory = new WeakRef(memory);
    return memory;
  }
}
