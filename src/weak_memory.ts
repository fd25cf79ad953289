/**
 * A reusable typed array behind a `WeakRef`, so that the garbage collector can free it.
 *
 * Fresh memory costs a page fault per page, which for a long text took longer than encoding it.
 *
 * @module
 */

/** One typed array, which grows geometrically. */
export class WeakMemory<Words extends Uint8Array | Uint32Array> {
  readonly #allocate: (length: number) => Words;
  #memory: WeakRef<Words> | undefined;

  constructor(allocate: (length: number) => Words) {
    this.#allocate = allocate;
  }

  /** Memory of at least this length, with any contents. */
  atLeast(length: number): Words {
    const last = this.#memory?.deref();
    if (last !== undefined && last.length >= length) return last;
    // The target of a `WeakRef` is not collected before the turn ends. So it grows by half at least, and all
    // memory that a turn allocates is at most three times the last.
    const memory = this.#allocate(Math.max(length, Math.ceil(1.5 * (last?.length ?? 0))));
    this.#memory = new WeakRef(memory);
    return memory;
  }
}
