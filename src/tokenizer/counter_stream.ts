/**
 * A pass-through transform stream that counts the tokens of the text it carries.
 *
 * @module
 */
import { show } from "../errors.ts";
import { isKind } from "../typed_array.ts";
import type { TokenCounter } from "./counter.ts";
import type { TextOptions } from "./options.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * Passes a text through unchanged and counts its tokens: for a proxy that meters an answer while it streams.
 *
 * Chunks are strings or bytes of UTF-8, and leave as they came, one for one, so backpressure is kept. The
 * count is exact for the whole text, wherever the chunks cut it: inside a word, a surrogate pair, a UTF-8
 * sequence or a special token. Bytes that are not UTF-8 count as U+FFFD, as a `TextDecoder` reads them. Only
 * the end of the text is kept, so memory does not grow with the length of the stream.
 *
 * The native counter is freed when the stream ends, is cancelled, aborted or fails.
 *
 * @example
 * ```ts
 * import { TokenCounterStream, Tokenizer } from "./mod.ts";
 *
 * using tokenizer = Tokenizer.forModel("gpt-5");
 * const counter = new TokenCounterStream<Uint8Array>(tokenizer);
 * const { body } = new Response("Hello, world!");
 * console.log(await new Response(body!.pipeThrough(counter)).text()); // Hello, world!
 * console.log(await counter.total); // 4
 * ```
 */
export class TokenCounterStream<Chunk extends string | Uint8Array = string | Uint8Array>
  implements TransformStream<Chunk, Chunk> {
  /** The chunks as they came. */
  readonly readable: ReadableStream<Chunk>;
  /** Takes the chunks. */
  readonly writable: WritableStream<Chunk>;
  /**
   * Resolves when the stream is over, with the count of all that has passed: of the whole text if the stream
   * ended, of a part of it if the stream was cancelled, aborted or failed. Never rejects.
   */
  readonly total: Promise<number>;
  readonly #meter: Meter;

  /**
   * Makes a stream that counts tokens.
   *
   * @param tokenizer The tokenizer to count with. It may be closed before the stream ends.
   * @param options How special tokens are read. With `special: "error"` a special token makes the stream fail.
   * @throws {SluiceError} `SLUICE_DISPOSED` if the tokenizer is closed.
   */
  constructor(tokenizer: Tokenizer, options: TextOptions = {}) {
    const { promise, resolve } = Promise.withResolvers<number>();
    const meter = new Meter(tokenizer.counter(options), resolve);
    this.#meter = meter;
    this.total = promise;
    const transformer: Transformer<Chunk, Chunk> & { cancel?: () => void } = {
      transform(chunk, controller) {
        meter.add(chunk);
        controller.enqueue(chunk);
      },
      flush: () => meter.end(),
      cancel: () => meter.close(),
    };
    const { readable, writable } = new TransformStream<Chunk, Chunk>(transformer);
    this.readable = readable;
    this.writable = writable;
  }

  /** The number of tokens that have passed so far. */
  get count(): number {
    return this.#meter.count;
  }
}

/** Counts strings and bytes, and resolves a promise with the last count. */
class Meter {
  readonly #counter: TokenCounter;
  readonly #resolve: (total: number) => void;
  /** Set by the first bytes. Keeps a U+FEFF, which is text. */
  #decoder: TextDecoder | undefined;

  constructor(counter: TokenCounter, resolve: (total: number) => void) {
    this.#counter = counter;
    this.#resolve = resolve;
  }

  get count(): number {
    return this.#counter.count;
  }

  /** Counts a chunk. Closes if that fails, since a stream that has failed calls nothing more. */
  add(chunk: unknown): void {
    try {
      this.#counter.push(this.#textOf(chunk));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Counts a UTF-8 sequence that is not complete as U+FFFD, and closes. */
  end(): void {
    this.add("");
    this.close();
  }

  /** Frees the native counter and resolves with the last count. */
  close(): void {
    this.#counter.close();
    this.#resolve(this.count);
  }

  #textOf(chunk: unknown): string {
    if (typeof chunk === "string") return (this.#decoder?.decode() ?? "") + chunk;
    if (!isKind("Uint8Array", chunk)) {
      throw new TypeError(`a chunk must be a string or a Uint8Array, not ${show(chunk)}`);
    }
    this.#decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
    return this.#decoder.decode(chunk, { stream: true });
  }
}
