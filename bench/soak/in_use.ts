/**
 * How many places are in use, by the count of the Workers that use them; a killed one no longer counts.
 *
 * @module
 */

/** Rows for Workers, one for each that was ever started; the ring is larger than any run fills. */
const ROWS = 65_536;

/** How often a sum that is too large is taken again: it is not one moment's, a real excess lasts. */
const LOOKS = 50;

/** In place of a row: no Worker that counts. */
const NOBODY = -1;

/** Shared counts of `kinds` kinds of places. */
export class InUse {
  readonly memory: SharedArrayBuffer;
  /** The rows of the Workers that live. */
  readonly #live: Int32Array;
  /** Places in use, by Worker and kind. */
  readonly #counts: Int32Array;
  readonly #kinds: number;

  constructor(workers: number, kinds: number, memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(4 * (workers + ROWS * kinds));
    this.#live = new Int32Array(this.memory, 0, workers);
    this.#counts = new Int32Array(this.memory, 4 * workers);
    this.#kinds = kinds;
  }

  /** A Worker takes the place of another, whose places no longer count. */
  begin(place: number, row: number): void {
    Atomics.store(this.#live, place, row % ROWS);
  }

  /**
   * What the Worker in that place uses no longer counts. To be called before it is killed, also at
   * the end of all: a Worker that loads its modules goes on for a while after that (in Deno), and
   * gets what those killed beside it held.
   */
  end(place: number): void {
    Atomics.store(this.#live, place, NOBODY);
  }

  /** A place is in use; whether there are more of its kind than its cap. */
  use(row: number, kind: number, cap: number): boolean {
    Atomics.add(this.#counts, this.#at(row, kind), 1);
    for (let look = 0; look < LOOKS; look++) {
      if (this.#sum(kind) <= cap) return false;
    }
    return true;
  }

  /** Before it is given back. */
  unuse(row: number, kind: number): void {
    Atomics.sub(this.#counts, this.#at(row, kind), 1);
  }

  #sum(kind: number): number {
    let sum = 0;
    for (let place = 0; place < this.#live.length; place++) {
      const row = Atomics.load(this.#live, place);
      if (row !== NOBODY) sum += Atomics.load(this.#counts, this.#at(row, kind));
    }
    return sum;
  }

  #at(row: number, kind: number): number {
    return (row % ROWS) * this.#kinds + kind;
  }
}
