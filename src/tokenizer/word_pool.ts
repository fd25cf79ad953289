/**
 * A slab from which short results are cut as views, for a runtime in which each fresh array takes long.
 *
 * Deno takes some 140 ns for an `ArrayBuffer` of any size, and its collector twice that to free it: more than
 * to encode a short text. A view of memory that is there takes a sixth of it.
 *
 * @module
 */
import { library } from "../ffi/load.ts";

/** A slab has 4 KB: whoever keeps one view keeps its slab. */
const SLAB_WORDS = 1 << 10;

/** Longer results would waste much of a slab, and gain little. */
const MOST_WORDS = SLAB_WORDS >> 2;

/** Gives words away, several results in one `ArrayBuffer`. */
export class WordPool {
  #slab = new Uint32Array(new ArrayBuffer(0));
  #used = 0;

  /** The first `count` of `words`, as words that nobody writes again; or none if they are too many. */
  copy(words: Uint32Array, count: number): Uint32Array<ArrayBuffer> | undefined {
    if (count > MOST_WORDS) return undefined;
    if (this.#used + count > this.#slab.length) {
      this.#slab = new Uint32Array(new ArrayBuffer(4 * SLAB_WORDS));
      this.#used = 0;
    }
    const slab = this.#slab;
    const start = this.#used;
    this.#used = start + count;
    for (let i = 0; i < count; i++) slab[start + i] = words[i]!;
    return new Uint32Array(slab.buffer, 4 * start, count);
  }
}

let pool: WordPool | undefined;

/** The word pool of this isolate, in a runtime where it saves time. */
export function wordPool(): WordPool | undefined {
  return library().isArrayCheap ? undefined : pool ??= new WordPool();
}
