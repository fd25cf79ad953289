/**
 * Output buffers for token ids: a reused one for short texts, and a weakly referenced one for long texts.
 *
 * @module
 */
import { own } from "../ffi/own_memory.ts";
import { WeakMemory } from "../weak_memory.ts";
import type { WordPool } from "./word_pool.ts";

/** The initial length of the reused buffer. */
const FIRST_WORDS = 1 << 16;
/** Its greatest length: 4 MB. Fresh memory is slower than a copy from memory that is in use. */
const KEPT_WORDS = 1 << 20;

/** Up to this length a loop copies, which in Bun is faster than `slice`. */
const LOOPED_WORDS = 32;

/** Collects `uint32_t` results whose number is not known in advance. */
export class WordBuffer {
  #words: Uint32Array<ArrayBuffer> = allocate(FIRST_WORDS);
  readonly #larger = new WeakMemory(allocate);

  /**
   * Calls `fill`, which writes as many words as fit and returns the number of all words. Returns these words in a
   * new array, or, for few words and with `pool`, in a view of its memory.
   *
   * @param bytes The length of the input. A text has at most as many ids as bytes, so an input that is not longer
   * than the reused buffer needs one call. A longer input gets half as many words as bytes first, which is
   * enough for nearly every text; otherwise `fill` is called again.
   */
  collect(
    bytes: number,
    fill: (words: Uint32Array<ArrayBuffer>) => number,
    pool?: WordPool,
  ): Uint32Array<ArrayBuffer> {
    if (bytes <= KEPT_WORDS) {
      while (this.#words.length < bytes) this.#words = allocate(2 * this.#words.length);
      const count = fill(this.#words);
      return pool?.copy(this.#words, count) ?? copy(this.#words, count);
    }
    let words = this.#larger.atLeast(bytes >>> 1);
    const needed = fill(words);
    if (needed > words.length) {
      words = this.#larger.atLeast(needed);
      fill(words);
    }
    // A copy and not a view, because the next long text overwrites the buffer.
    return words.slice(0, needed);
  }
}

/** A copy of the first `count` words. */
function copy(words: Uint32Array<ArrayBuffer>, count: number): Uint32Array<ArrayBuffer> {
  if (count > LOOPED_WORDS) return words.slice(0, count);
  const copied = new Uint32Array(count);
  for (let i = 0; i < count; i++) copied[i] = words[i]!;
  return copied;
}

function allocate(words: number): Uint32Array<ArrayBuffer> {
  return own(new Uint32Array(new ArrayBuffer(4 * words)));
}

/** The word buffer of this isolate. */
export const wordBuffer: WordBuffer = new WordBuffer();
