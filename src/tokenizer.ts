/**
 * Exact BPE tokenization: count, encode and decode, one text or many a call.
 *
 * @module
 */
import { checkArray, checkBytes, checkIds, checkLimit, type Text } from "./arguments.ts";
import { groups, pack } from "./batch.ts";
import { type Chunk, type ChunkOptions, chunks } from "./chunks.ts";
import { TokenCounter } from "./counter.ts";
import { TokenDecoder } from "./decoder.ts";
import { type CacheOptions, openCache } from "./cache.ts";
import { checkEncoding, type EncodingName } from "./encodings.ts";
import { show, SluiceError } from "./errors.ts";
import { native, unwrap } from "./ffi/load.ts";
import type { Native } from "./ffi/native.ts";
import {
  CACHE,
  JOB_COUNT,
  JOB_ENCODE,
  SPECIAL_ALLOW,
  SPECIAL_ERROR,
  SPECIAL_TEXT,
} from "./ffi/symbols.gen.ts";
import { runJob } from "./job.ts";
import type { Measure } from "./measure.ts";
import { resolveModel } from "./models.ts";
import { textBuffer } from "./text_buffer.ts";
import { truncate, type TruncateOptions } from "./truncate.ts";
import { wordBuffer } from "./word_buffer.ts";

/**
 * What the text of a special token, such as `<|endoftext|>`, means:
 *
 * - `"text"`: the ordinary text that it is. Right for counting what users typed.
 * - `"allow"`: that special token.
 * - `"error"`: a mistake; the call throws `SLUICE_SPECIAL_TOKEN`.
 */
export type Special = "text" | "allow" | "error";

/** Options of a call that reads text. */
export interface TextOptions {
  /**
   * What the text of a special token means.
   *
   * @default The tokenizer's own `special`, which is `"text"` unless it was made with another.
   */
  readonly special?: Special;
}

/** Options of {@linkcode Tokenizer.countBatch} and {@linkcode Tokenizer.encodeBatch}. */
export interface BatchOptions extends TextOptions {
  /**
   * How many threads may work on the batch. 0 leaves it to the library.
   *
   * @default 0
   */
  readonly threads?: number;
}

/** Options of the calls that work off the event loop. */
export interface AsyncOptions extends TextOptions {
  /** Gives up the work, and rejects with the signal's reason, when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * How many threads of the library may work on it. 0 is one for each CPU.
   *
   * @default 1, which leaves the other CPUs to JavaScript and to other jobs.
   */
  readonly threads?: number;
}

/** Options of a tokenizer. */
export interface TokenizerOptions {
  /**
   * What the text of a special token means where a call does not say.
   *
   * @default "text"
   */
  readonly special?: Special;
  /**
   * Whether {@linkcode Tokenizer.count} and {@linkcode Tokenizer.countBatch} remember the counts of
   * texts of 256 bytes and more, in one bounded cache that all Workers of the process share; see
   * {@linkcode cacheStats}. It pays where the same texts come again, as chat histories do. The
   * asynchronous calls do not use it.
   *
   * @default false
   */
  readonly cache?: boolean | CacheOptions;
}

/** The ids of many texts, one after the other. */
export interface EncodedBatch {
  /** The ids of all texts. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** One more than there are texts: text `i` is `ids.subarray(offsets[i], offsets[i + 1])`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
}

const MODES: Readonly<Record<Special, number>> = {
  text: SPECIAL_TEXT,
  allow: SPECIAL_ALLOW,
  error: SPECIAL_ERROR,
};

/** No token of any encoding is longer than this, in bytes. */
const LONGEST_TOKEN = 128;

/**
 * Up to this length the asynchronous calls work at once: at the slowest 0.2 ms, less than it takes
 * a job to be noticed as done (record: `bench/record`, async table).
 */
const SHORT_UNITS = 1 << 15;

/** Not ignoring the BOM: U+FEFF is text like any other, and dropping it loses it. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Gives back the native handles of tokenizers that nobody closed. */
const abandoned = new FinalizationRegistry<{ native: Native; handle: number }>(
  ({ native, handle }) => native.sluice_tokenizer_close(handle),
);

/**
 * A tokenizer of one encoding, id for id equal to OpenAI's tiktoken.
 *
 * Cheap to make: the tables of an encoding are made once per process, on first use, and shared by
 * all tokenizers and Workers. Strings with lone surrogates are read as if those were U+FFFD.
 *
 * @example Count and encode
 * ```ts
 * import { Tokenizer } from "./mod.ts";
 *
 * using tokenizer = Tokenizer.forModel("gpt-5");
 * tokenizer.count("Hello, world!"); // 4
 * tokenizer.encode("Hello, world!"); // Uint32Array [13225, 11, 2375, 0]
 * ```
 */
export class Tokenizer implements Disposable {
  /** The encoding's name. */
  readonly encoding: EncodingName;
  /**
   * Whether counts are those of the model that this tokenizer was made for. False where the model's
   * vocabulary is not public and the nearest public one stands in.
   */
  get exact(): boolean {
    return this.#exact;
  }

  #exact = true;
  readonly #native: Native;
  /** 0 once closed, which no live handle is. */
  #handle: number;
  readonly #mode: number;
  /** What is added to the mode of a count. */
  readonly #cache: number;

  /**
   * @param encoding One of {@linkcode ENCODINGS}.
   * @param options What the text of special tokens means, and whether counts are remembered.
   * @throws {SluiceError} `SLUICE_UNKNOWN_ENCODING`, or why the library cannot be loaded.
   */
  constructor(encoding: EncodingName, options: TokenizerOptions = {}) {
    this.encoding = checkEncoding(encoding);
    this.#mode = mode(options, SPECIAL_TEXT);
    this.#native = native();
    this.#cache = openCache(this.#native, options.cache) ? CACHE : 0;
    const length = textBuffer.write(encoding);
    this.#handle = unwrap(this.#native.sluice_tokenizer_open(textBuffer.bytes, length));
    abandoned.register(this, { native: this.#native, handle: this.#handle }, this);
  }

  /**
   * The tokenizer of a model, such as `"gpt-5"` or `"openai/gpt-4.1-mini"`.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL`, with the nearest name that is known.
   */
  static forModel(model: string, options: TokenizerOptions = {}): Tokenizer {
    const { encoding, exact } = resolveModel(model);
    const tokenizer = new Tokenizer(encoding, options);
    tokenizer.#exact = exact;
    return tokenizer;
  }

  /**
   * The number of tokens in `text`. Allocates nothing; O(length).
   *
   * @throws {SluiceError} `SLUICE_INVALID_UTF8` for bytes that are not UTF-8,
   * `SLUICE_SPECIAL_TOKEN` with `special: "error"`.
   */
  count(text: Text, options?: TextOptions): number {
    const special = options === undefined ? this.#mode : mode(options, this.#mode);
    if (typeof text === "string") {
      const length = textBuffer.write(text);
      return this.#unwrap(
        this.#native.sluice_tokenizer_count(
          this.#handle,
          textBuffer.bytes,
          length,
          special | this.#cache,
        ),
      );
    }
    const bytes = checkBytes("text", text);
    return this.#unwrap(
      this.#native.sluice_tokenizer_count(
        this.#handle,
        bytes,
        bytes.length,
        special | this.#cache,
      ),
    );
  }

  /**
   * Whether `text` has at most `limit` tokens. Stops as soon as the answer is known: at worst
   * O(min(length, limit)), and without looking at the text where its length alone decides.
   *
   * @param limit A non-negative integer or `Infinity`.
   */
  isWithinLimit(text: Text, limit: number, options?: TextOptions): boolean {
    const special = options === undefined ? this.#mode : mode(options, this.#mode);
    // More than any text has tokens: a result must fit an int32.
    const bound = Math.min(checkLimit("limit", limit), 2 ** 31 - 2);
    if (typeof text === "string") {
      if (special !== SPECIAL_ERROR && this.#handle !== 0) {
        // Every token takes at least one byte, and at most LONGEST_TOKEN.
        if (3 * text.length <= bound) return true;
        if (text.length > LONGEST_TOKEN * bound) return false;
      }
      const length = textBuffer.write(text);
      return this.#countWithin(textBuffer.bytes, length, special, bound) <= bound;
    }
    const bytes = checkBytes("text", text);
    return this.#countWithin(bytes, bytes.length, special, bound) <= bound;
  }

  /** The token ids of `text`. O(length). Throws what {@linkcode Tokenizer.count} throws. */
  encode(text: Text, options?: TextOptions): Uint32Array<ArrayBuffer> {
    const special = options === undefined ? this.#mode : mode(options, this.#mode);
    let bytes: Uint8Array = textBuffer.bytes;
    let length: number;
    if (typeof text === "string") {
      length = textBuffer.write(text);
      bytes = textBuffer.bytes;
    } else {
      bytes = checkBytes("text", text);
      length = bytes.length;
    }
    return wordBuffer.collect(length, (words) =>
      this.#unwrap(
        this.#native.sluice_tokenizer_encode(
          this.#handle,
          bytes,
          length,
          special,
          words,
          words.length,
        ),
      ));
  }

  /**
   * The text that `ids` stand for. Bytes that are no whole character, as at the edge of a cut
   * sequence, become U+FFFD; {@linkcode Tokenizer.decodeBytes} keeps them. O(bytes).
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_TOKEN` for an id that the vocabulary does not have.
   */
  decode(ids: Uint32Array | readonly number[]): string {
    const length = this.#decode(ids);
    return decoder.decode(textBuffer.bytes.subarray(0, length));
  }

  /** The bytes that `ids` stand for. Throws what {@linkcode Tokenizer.decode} throws. */
  decodeBytes(ids: Uint32Array | readonly number[]): Uint8Array<ArrayBuffer> {
    const length = this.#decode(ids);
    return textBuffer.bytes.slice(0, length);
  }

  /**
   * The number of tokens in each of `texts`, equal to {@linkcode Tokenizer.count} of each, for one
   * crossing.
   */
  countBatch(texts: readonly Text[], options: BatchOptions = {}): Uint32Array<ArrayBuffer> {
    const special = mode(options, this.#mode);
    const threads = checkThreads(options);
    checkArray("texts", texts);
    this.#checkOpen();
    const counts = new Uint32Array(new ArrayBuffer(4 * texts.length));
    for (const group of groups(texts)) {
      const length = pack(textBuffer, texts, group, threads);
      const out = counts.subarray(group.start, group.end);
      this.#unwrap(
        this.#native.sluice_batch_count(
          this.#handle,
          textBuffer.bytes,
          length,
          special | this.#cache,
          out,
          out.length,
        ),
        group.start,
      );
    }
    return counts;
  }

  /**
   * The token ids of each of `texts`, equal to {@linkcode Tokenizer.encode} of each, for one
   * crossing.
   */
  encodeBatch(texts: readonly Text[], options: BatchOptions = {}): EncodedBatch {
    const special = mode(options, this.#mode);
    const threads = checkThreads(options);
    checkArray("texts", texts);
    this.#checkOpen();
    const offsets = new Uint32Array(new ArrayBuffer(4 * (texts.length + 1)));
    const parts: Uint32Array<ArrayBuffer>[] = [];
    let total = 0;
    for (const group of groups(texts)) {
      const length = pack(textBuffer, texts, group, threads);
      const words = wordBuffer.collect(length, (words) =>
        this.#unwrap(
          this.#native.sluice_batch_encode(
            this.#handle,
            textBuffer.bytes,
            length,
            special,
            words,
            words.length,
          ),
          group.start,
        ));
      const n = group.end - group.start;
      for (let i = 0; i <= n; i++) offsets[group.start + i] = total + words[i]!;
      parts.push(words.subarray(n + 1));
      total += words.length - n - 1;
    }
    return { ids: concat(parts, total), offsets };
  }

  /**
   * {@linkcode Tokenizer.count} off the event loop: a long text goes over in slices and is counted
   * by a thread of the library. A short one is counted at once, which takes less time than a slice.
   *
   * A `Uint8Array` must not be changed until the promise settles.
   */
  async countAsync(text: Text, options: AsyncOptions = {}): Promise<number> {
    options.signal?.throwIfAborted();
    if (isShort(text)) return this.count(text, options);
    const counts = await this.#runOne(JOB_COUNT, text, options);
    return counts[0]!;
  }

  /** {@linkcode Tokenizer.encode} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async encodeAsync(text: Text, options: AsyncOptions = {}): Promise<Uint32Array<ArrayBuffer>> {
    options.signal?.throwIfAborted();
    if (isShort(text)) return this.encode(text, options);
    const words = await this.#runOne(JOB_ENCODE, text, options);
    return words.subarray(2);
  }

  /** {@linkcode Tokenizer.countBatch} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async countBatchAsync(
    texts: readonly Text[],
    options: AsyncOptions = {},
  ): Promise<Uint32Array<ArrayBuffer>> {
    options.signal?.throwIfAborted();
    if (areShort(texts)) return this.countBatch(texts, options);
    return await this.#run(JOB_COUNT, texts, options);
  }

  /** {@linkcode Tokenizer.encodeBatch} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async encodeBatchAsync(
    texts: readonly Text[],
    options: AsyncOptions = {},
  ): Promise<EncodedBatch> {
    options.signal?.throwIfAborted();
    if (areShort(texts)) return this.encodeBatch(texts, options);
    const words = await this.#run(JOB_ENCODE, texts, options);
    return { ids: words.subarray(texts.length + 1), offsets: words.slice(0, texts.length + 1) };
  }

  /**
   * `text` cut to at most `limit` tokens, marker included: its beginning, its end or both ends, as
   * `side` says. A text that is within the limit is returned as it is.
   *
   * The result ends (begins) where one of the text's first (last) `limit` tokens does, at a
   * character's edge, and is the longest such that, counted again, is within the limit; with
   * `"middle"` its longer half is the first to give way. Only where a text has no space for a
   * thousand characters may the tokens be those of the part looked at. A marker that alone is
   * beyond the limit leaves nothing. Looks only at as much of a text as can matter: O(limit), or
   * O(length) with `special: "error"`.
   *
   * @param limit A non-negative integer or `Infinity`.
   * @throws {SluiceError} `SLUICE_SPECIAL_TOKEN` with `special: "error"`.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "./mod.ts";
   *
   * using tokenizer = Tokenizer.forModel("gpt-5");
   * tokenizer.truncate("one two three four five", 3); // "one two three"
   * tokenizer.truncate("one two three four five", 3, { side: "tail" }); // " three four five"
   * tokenizer.truncate("one two three four five", 3, { side: "middle" }); // "one… five"
   * ```
   */
  truncate(text: string, limit: number, options: TruncateOptions = {}): string {
    return truncate(this.#measure(options), text, limit, options);
  }

  /**
   * Cuts `text` into chunks of at most `size` tokens and says where they are: they cover the text
   * in order, cut no character, and neighbours share at most `overlap` of the text's tokens.
   *
   * Chunks begin and end where the text's tokens do, or inside a token if that alone, out of its
   * place, has more than `size`. Each is the longest that, counted alone, has at most `size`.
   * O(length · size / (size − overlap)).
   *
   * @throws {RangeError} For a `size` or `overlap` out of range, and where a single character has
   * more than `size` tokens, as some have two, three or four.
   * @throws {SluiceError} `SLUICE_SPECIAL_TOKEN` with `special: "error"`.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "./mod.ts";
   *
   * using tokenizer = Tokenizer.forModel("text-embedding-3-small");
   * const text = "one two three four five";
   * for (const { start, end, tokens } of tokenizer.chunks(text, { size: 3, overlap: 1 })) {
   *   console.log(tokens, text.slice(start, end)); // 3 "one two three", 3 " three four five"
   * }
   * ```
   */
  chunks(text: string, options: ChunkOptions): Chunk[] {
    return chunks(this.#measure(options ?? {}), text, options);
  }

  /**
   * A counter for a text that arrives in parts: after each, the exact count of the whole so far.
   * It stays usable when this tokenizer is closed.
   */
  counter(options: TextOptions = {}): TokenCounter {
    const special = mode(options, this.#mode);
    const handle = this.#unwrap(this.#native.sluice_counter_open(this.#handle, special));
    return new TokenCounter(this.#native, handle);
  }

  /** A decoder for ids that arrive in parts, which never gives half a character. */
  decoder(): TokenDecoder {
    this.#checkOpen();
    return new TokenDecoder((ids) => textBuffer.bytes.subarray(0, this.#decode(ids)));
  }

  /** Gives the native handle back. Any later use throws `SLUICE_DISPOSED`; closing again is fine. */
  close(): void {
    if (this.#handle === 0) return;
    abandoned.unregister(this);
    this.#native.sluice_tokenizer_close(this.#handle);
    this.#handle = 0;
  }

  /** {@linkcode Tokenizer.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** A single text is a batch of one, except in what a refusal says. */
  async #runOne(
    kind: number,
    text: Text,
    options: AsyncOptions,
  ): Promise<Uint32Array<ArrayBuffer>> {
    try {
      return await this.#run(kind, [text], options);
    } catch (error) {
      throw renumbered(error, "");
    }
  }

  #run(
    kind: number,
    texts: readonly Text[],
    options: AsyncOptions,
  ): Promise<Uint32Array<ArrayBuffer>> {
    return runJob({
      native: this.#native,
      tokenizer: this.#handle,
      special: mode(options, this.#mode),
      kind,
      texts,
      threads: checkThreads({ threads: 1, ...options }),
      signal: options.signal,
      unwrap: (result) => this.#unwrap(result),
    });
  }

  #countWithin(bytes: Uint8Array, length: number, special: number, limit: number): number {
    return this.#unwrap(
      this.#native.sluice_tokenizer_count_within(this.#handle, bytes, length, special, limit),
    );
  }

  #measure({ special }: TextOptions): Measure {
    const options: TextOptions = special === undefined ? {} : { special };
    const number = mode(options, this.#mode);
    this.#checkOpen();
    return {
      count: (text) => this.count(text, options),
      isWithinLimit: (text, limit) => this.isWithinLimit(text, limit, options),
      ends: (text) => {
        const length = textBuffer.write(text);
        const { bytes } = textBuffer;
        return wordBuffer.collect(length, (words) =>
          this.#unwrap(
            this.#native.sluice_tokenizer_ends(
              this.#handle,
              bytes,
              length,
              number,
              words,
              words.length,
            ),
          ));
      },
    };
  }

  /** Leaves the bytes in the text buffer and returns how many there are. */
  #decode(value: Uint32Array | readonly number[]): number {
    const ids = checkIds("ids", value);
    const into = (): number =>
      this.#unwrap(
        this.#native.sluice_tokenizer_decode(
          this.#handle,
          ids,
          ids.length,
          textBuffer.bytes,
          textBuffer.bytes.length,
        ),
      );
    const length = into();
    if (length <= textBuffer.bytes.length) return length;
    textBuffer.reserve(length);
    return into();
  }

  /** Looks at the result only: a closed tokenizer's handle fails natively, at no cost to others. */
  #unwrap(result: number, firstText = 0): number {
    if (result >= 0) return result;
    this.#checkOpen();
    return firstText === 0 ? unwrap(result) : unwrapGroup(result, firstText);
  }

  #checkOpen(): void {
    if (this.#handle === 0) {
      throw new SluiceError("SLUICE_DISPOSED", `This ${this.encoding} tokenizer is closed`);
    }
  }
}

/** What went wrong with a text of a group, which is numbered within its group. */
function unwrapGroup(result: number, firstText: number): never {
  try {
    unwrap(result);
  } catch (error) {
    throw renumbered(error, (_, index) => `text ${firstText + Number(index)}: `);
  }
  throw new Error("unreachable: a negative result always throws");
}

/** An error that names a text of a batch, with another name for it. */
function renumbered(
  error: unknown,
  name: "" | ((match: string, index: string) => string),
): unknown {
  if (!(error instanceof SluiceError)) return error;
  const message = error.message.replace(/^text (\d+): /, name as string);
  return new SluiceError(error.code, message, { cause: error });
}

function mode({ special }: TextOptions, fallback: number): number {
  if (special === undefined) return fallback;
  const mode = Object.hasOwn(MODES, special) ? MODES[special] : undefined;
  if (mode === undefined) {
    throw new TypeError(`special must be "text", "allow" or "error", not ${show(special)}`);
  }
  return mode;
}

/** Whether counting `text` takes so little time that no other thread need be asked. */
function isShort(text: Text): boolean {
  if (typeof text !== "string") checkBytes("text", text);
  return text.length <= SHORT_UNITS;
}

function areShort(texts: readonly Text[]): boolean {
  checkArray("texts", texts);
  let units = 0;
  texts.forEach((text, i) => {
    units += (typeof text === "string" ? text : checkBytes(`texts[${i}]`, text)).length;
  });
  return units <= SHORT_UNITS;
}

function checkThreads({ threads = 0 }: BatchOptions): number {
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) {
    throw new RangeError(`threads must be an integer from 0 to 1024, not ${show(threads)}`);
  }
  return threads;
}

function concat(parts: Uint32Array<ArrayBuffer>[], total: number): Uint32Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint32Array(new ArrayBuffer(4 * total));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
