/**
 * What cutting texts needs to know of a tokenizer, and no more.
 *
 * @module
 */

/** A tokenizer and a reading of special tokens, as {@linkcode Tokenizer} hands them over. */
export interface Measure {
  /** The number of tokens in `text`. */
  count(text: string): number;
  /** Whether `text` has at most `limit` tokens. */
  isWithinLimit(text: string, limit: number): boolean;
  /**
   * Where each token of `text` ends, in UTF-16 units. A token that ends inside a character is
   * given the place where that character begins; so every end is one where `text` can be cut.
   */
  ends(text: string): Uint32Array;
}
