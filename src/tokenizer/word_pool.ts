/**
 * A slab allocator for short results, for a runtime in which a new array is slow.
 *
 * Deno takes about 140 ns for an `ArrayBuffer` of any size, and its garbage collector twice that to free it,
 * which is more than the time to encode a short text. A view of existing memory takes a sixth of that.
 *
 * @module
 */
import { library } from "../ffi/load.ts";

/** The size of a slab: 4 KB. A view that is kept keeps its slab alive. */
const SLAB_WORDS = 1 << 10;

/** The longest result. Longer ones would waste much of a slab and save little. */
const MOST_WORDS = SLAB_WORDS >> 2;

/** Allocates several results in one `ArrayBuffer`. */
export class WordPool {
  #slab = new Uint32Array(new ArrayBuffer(0));
  #used = 0;

  /** A copy of the first `count` of `words`, which is never overwritten. Undefined if there are too many. */
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

/** The pool of this isolate, in a runtime where it saves time. */
export function wordPool(): WordPool | undefined {
  return library().isArrayCheap ? undefined : pool ??= new WordPool();
}
