/**
 * The part of a tokenizer that cutting texts needs.
 *
 * @module
 */
import type { NativeTokenizer } from "./native_tokenizer.ts";

/** A tokenizer with one reading of special tokens. */
export interface Measure {
  /** The number of tokens in `text`. */
  count(text: string): number;
  /** Whether `text` has at most `limit` tokens. */
  isWithinLimit(text: string, limit: number): boolean;
  /**
   * Where each token of `text` ends, in UTF-16 units. For a token that ends inside a character it is the
   * start of that character, so `text` can be cut at every end.
   */
  ends(text: string): Uint32Array;
}

/**
 * The measure of an open tokenizer.
 *
 * @param mode A `SPECIAL_*` constant.
 * @param cache What is added to the mode of a count.
 */
export function measureOf(native: NativeTokenizer, mode: number, cache: number): Measure {
  native.checkOpen();
  return {
    count: (text) => native.count(text, mode | cache),
    isWithinLimit: (text, limit) => native.isWithin(text, mode, limit),
    ends: (text) => native.ends(text, mode),
  };
}
