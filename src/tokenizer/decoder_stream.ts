/**
 * A transform stream from token ids to text.
 *
 * @module
 */
import type { TokenIds } from "./decoder.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * A {@linkcode TokenDecoder} as a stream, as `TextDecoderStream` is for bytes. Its chunks are never empty and
 * have whole characters only.
 *
 * Like `TextDecoderStream` it is a pair of streams and not a subclass of `TransformStream`: naming that class
 * costs a Deno program 3 ms even if it streams nothing (`bench/record`, clock and units, 11).
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
  /** The text. */
  readonly readable: ReadableStream<string>;
  /** Takes the ids. */
  readonly writable: WritableStream<TokenIds>;

  /**
   * Makes a stream that decodes ids.
   *
   * @param tokenizer The tokenizer of the ids. It must stay open until the stream ends.
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
