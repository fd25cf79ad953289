/**
 * A table of reference counts in shared memory: how many slots of each kind the living Workers use. The counts of a
 * killed Worker no longer count.
 *
 * @module
 */

/** Rows for Workers, one for each that was ever started; the ring is larger than any run fills. */
const ROWS = 65_536;

/** A sum that is too large is read again, since its rows are not read at one moment. A real excess lasts. */
const RETRIES = 50;

/** In place of a row: no living Worker. */
const NONE = -1;

/** Shared counts of `kinds` kinds of slots. */
export class InUse {
  readonly memory: SharedArrayBuffer;
  /** The row of each living Worker. */
  readonly #live: Int32Array;
  /** Slots in use, by row and kind. */
  readonly #counts: Int32Array;
  readonly #kinds: number;

  constructor(workers: number, kinds: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(4 * (workers + ROWS * kinds));
    this.#live = new Int32Array(this.memory, 0, workers);
    this.#counts = new Int32Array(this.memory, 4 * workers);
    this.#kinds = kinds;
  }

  /** Starts to count the Worker with this index and row. */
  begin(index: number, row: number): void {
    Atomics.store(this.#live, index, row % ROWS);
  }

  /**
   * Stops to count the Worker with this index. Call it before the Worker is killed, also at the end of the run: in
   * Deno a Worker that loads its modules goes on for a while, and may get slots of Workers killed beside it.
   */
  end(index: number): void {
    Atomics.store(this.#live, index, NONE);
  }

  /** Counts a slot as used. Returns whether more than `limit` of its kind are in use. */
  use(row: number, kind: number, limit: number): boolean {
    Atomics.add(this.#counts, this.#at(row, kind), 1);
    for (let retry = 0; retry < RETRIES; retry++) {
      if (this.#sum(kind) <= limit) return false;
    }
    return true;
  }

  /** Uncounts a slot. Call it before the slot is released. */
  unuse(row: number, kind: number): void {
    Atomics.sub(this.#counts, this.#at(row, kind), 1);
  }

  #sum(kind: number): number {
    let sum = 0;
    for (let index = 0; index < this.#live.length; index++) {
      const row = Atomics.load(this.#live, index);
      if (row !== NONE) sum += Atomics.load(this.#counts, this.#at(row, kind));
    }
    return sum;
  }

  #at(row: number, kind: number): number {
    return (row % ROWS) * this.#kinds + kind;
  }
}
