/**
 * Decoding token ids that arrive one after the other, without ever showing half a character.
 *
 * @module
 */
import type { Tokenizer } from "./tokenizer.ts";

/** Token ids as a decoder takes them: many, or one. */
export type TokenIds = Uint32Array | readonly number[] | number;

/**
 * Not ignoring the BOM: U+FEFF is text like any other, and dropping it loses it. Not streaming:
 * that costs Deno a third more for each push, and a native object for each decoder.
 */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

const NOTHING = new Uint8Array(0);

/**
 * Decodes ids as they arrive. Made by {@linkcode Tokenizer.decoder}.
 *
 * A token's bytes need not be whole characters: an emoji often takes three tokens. What `push`
 * returns is always whole; at most three bytes wait for the next push. All that it returns, with
 * what `end` returns, is what {@linkcode Tokenizer.decode} makes of all ids at once.
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
  /** The beginning of a character whose end has not come yet: at most three bytes. */
  #held: Uint8Array = NOTHING;
  readonly #bytes: (ids: Uint32Array | readonly number[]) => Uint8Array;

  /**
   * @ignore Use {@linkcode Tokenizer.decoder}.
   * @param bytes The bytes of ids, good until its next call.
   */
  constructor(bytes: (ids: Uint32Array | readonly number[]) => Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Adds ids and returns the text that is whole now, which may be empty. O(bytes).
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_TOKEN` for an id that the vocabulary does not have; the
   * ids of that push are not added. `SLUICE_DISPOSED` once the tokenizer is closed.
   */
  push(ids: TokenIds): string {
    let bytes = this.#bytes(typeof ids === "number" ? [ids] : ids);
    if (this.#held.length > 0) bytes = concat(this.#held, bytes);
    const whole = wholeLength(bytes);
    this.#held = whole === bytes.length ? NOTHING : bytes.slice(whole);
    return whole === 0 ? "" : utf8.decode(bytes.subarray(0, whole));
  }

  /** The rest: U+FFFD if the last character is not whole, or nothing. Then begins anew. */
  end(): string {
    const rest = utf8.decode(this.#held);
    this.#held = NOTHING;
    return rest;
  }
}

/** How many of `bytes` come before a character at their end that is not whole. */
function wholeLength(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back]!;
    if (byte < 0x80) break;
    // Continuation bytes say nothing; the byte before them says how many there should be.
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

/**
 * A {@linkcode TokenDecoder} as a stream, to ids what `TextDecoderStream` is to bytes. Its chunks
 * are never empty.
 *
 * Like `TextDecoderStream` it is a pair of ends and no subclass of `TransformStream`: to name that class costs
 * a Deno program 3 ms, also one that streams nothing (`bench/record`, clock and units, 11).
 *
 * @example
 * ```ts
 * import { TokenDecoderStream, Tokenizer } from "./mod.ts";
 *
 * using tokenizer = new Tokenizer("o200k_base");
 * const ids = ReadableStream.from([[13225, 11], 2375, [0]]);
 * for await (const text of ids.pipeThrough(new TokenDecoderStream(tokenizer))) console.log(text);
 * ```
 */
export class TokenDecoderStream implements TransformStream<TokenIds, string> {
  /** The text, as far as it is whole. */
  readonly readable: ReadableStream<string>;
  /** Takes the ids. */
  readonly writable: WritableStream<TokenIds>;

  /**
   * Makes a stream that decodes ids.
   *
   * @param tokenizer The tokenizer of the ids, which must stay open as long as they come.
   */
  constructor(tokenizer: Tokenizer) {
    const decoder = tokenizer.decoder();
    const { readable, writable } = new TransformStream<TokenIds, string>({
      transform(ids, controller) {
        const text = decoder.push(ids);
        if (text !== "") controller.enqueue(text);
      },
      flush(controller) {
        const rest = decoder.end();
        if (rest !== "") controller.enqueue(rest);
      },
    });
    this.readable = readable;
    this.writable = writable;
  }
}
