/**
 * An incremental decoder: token ids that arrive one by one become whole characters.
 *
 * @module
 */

/** Token ids for a decoder: one or many. */
export type TokenIds = Uint32Array | readonly number[] | number;

/**
 * Keeps a U+FEFF at the start: it is text, and dropping it would lose it. Not used with `stream: true`, which
 * costs Deno a third more per push, and a native object per decoder.
 */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

const NOTHING = new Uint8Array(0);

/**
 * Decodes token ids as they arrive. Made by {@linkcode Tokenizer.decoder}.
 *
 * The bytes of a token need not be whole characters: an emoji often takes three tokens. `push` returns whole
 * characters only, and keeps at most three bytes for the next push. The results of all calls of `push` and of
 * `end`, joined, equal {@linkcode Tokenizer.decode} of all ids at once.
 *
 * @example
 * ```ts
 * import { Tokenizer } from "./mod.ts";
 *
 * using tokenizer = new Tokenizer("o200k_base");
 * const decoder = tokenizer.decoder();
 * let text = "";
 * for (const id of tokenizer.encode("naïve 🤖")) text += decoder.push(id);
 * text += decoder.end();
 * console.log(text); // naïve 🤖
 * ```
 */
export class TokenDecoder {
  /** The first bytes of a character that is not complete: at most three. */
  #held: Uint8Array = NOTHING;
  readonly #bytes: (ids: Uint32Array | readonly number[]) => Uint8Array;

  /**
   * @ignore Use {@linkcode Tokenizer.decoder}.
   * @param bytes Returns the bytes of ids, valid until its next call.
   */
  constructor(bytes: (ids: Uint32Array | readonly number[]) => Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Adds ids and returns the characters that are complete now, which may be none. O(bytes).
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_TOKEN` for an id that the vocabulary does not have; then no id of
   * this push is added. `SLUICE_DISPOSED` once the tokenizer is closed.
   */
  push(ids: TokenIds): string {
    let bytes = this.#bytes(typeof ids === "number" ? [ids] : ids);
    if (this.#held.length > 0) bytes = concat(this.#held, bytes);
    const whole = wholeLength(bytes);
    this.#held = whole === bytes.length ? NOTHING : bytes.slice(whole);
    return whole === 0 ? "" : utf8.decode(bytes.subarray(0, whole));
  }

  /** Returns the rest, U+FFFD if the last character is not complete, and starts a new text. */
  end(): string {
    const rest = utf8.decode(this.#held);
    this.#held = NOTHING;
    return rest;
  }
}

/** The length of `bytes` without an incomplete character at the end. */
function wholeLength(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!;
    if (byte < 0x80) break;
    // A continuation byte: the lead byte before it has the length.
    if (byte < 0xC0) continue;
    const needed = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF8 ? 4 : 1;
    return needed > back ? length - back : length;
  }
  return length;
}

function concat(held: Uint8Array, more: Uint8Array): Uint8Array {
  const all = new Uint8Array(held.length + more.length);
  all.set(held);
  all.set(more, held.length);
  return all;
}
