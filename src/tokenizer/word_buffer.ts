/**
 * Where the native side puts token ids: a reused buffer for short texts, a weakly held one for long ones.
 *
 * @module
 */
import { WeakMemory } from "../weak_memory.ts";
import type { WordPool } from "./word_pool.ts";

/** What the reused buffer holds at first, */
const FIRST_WORDS = 1 << 16;
/** and at most: 4 MB. Fresh memory costs more than the copy out of memory that is in use. */
const KEPT_WORDS = 1 << 20;

/** Up to so many are copied by a loop, which Bun does sooner than it calls `slice`. */
const LOOPED_WORDS = 32;

/** Collects `uint32_t` results whose number is known only when they are there. */
export class WordBuffer {
  #words: Uint32Array<ArrayBuffer> = allocate(FIRST_WORDS);
  readonly #larger = new WeakMemory(allocate);

  /**
   * Calls `fill`, which writes what fits and returns how many words there are, and returns exactly
   * those words in an array of their own; or, if they are few and `pool` is given, in a view of its memory.
   *
   * @param bytes The length of the input. No text has more ids than bytes, so one that is not
   * longer than the reused buffer may become needs one call. For a longer one half as many words as
   * bytes are tried first, which nearly every text fits, and `fill` is called again if not.
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
    // A slice, not a view: the next long text is written here too.
    return words.slice(0, needed);
  }
}

/** The first `count` words, in an array of their own. */
function copy(words: Uint32Array<ArrayBuffer>, count: number): Uint32Array<ArrayBuffer> {
  if (count > LOOPED_WORDS) return words.slice(0, count);
  const copied = new Uint32Array(count);
  for (let i = 0; i < count; i++) copied[i] = words[i]!;
  return copied;
}

function allocate(words: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(new ArrayBuffer(4 * words));
}

/** The word buffer of this isolate. */
export const wordBuffer: WordBuffer = new WordBuffer();
