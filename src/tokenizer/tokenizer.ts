/**
 * Exact BPE tokenization: count, encode and decode, one text or many a call.
 *
 * @module
 */
import { checkArray, checkTokenLimit, readTexts, type Text } from "../arguments.ts";
import { countBatch, encodeBatch, type EncodedBatch } from "./batch.ts";
import { openCache } from "./cache.ts";
import { type Chunk, type ChunkOptions, chunks } from "./chunks.ts";
import { TokenCounter } from "./counter.ts";
import { TokenDecoder } from "./decoder.ts";
import { checkEncoding, type EncodingName } from "./encodings.ts";
import { show, SluiceError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import {
  CACHE,
  JOB_COUNT,
  JOB_ENCODE,
  MAX_COUNT_LIMIT,
  MAX_TOKEN_BYTES,
  SPECIAL_ERROR,
  SPECIAL_TEXT,
} from "../ffi/symbols.gen.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { areShort, inBatch, isShort, type JobRequest, runJob, runJobForOne } from "./job.ts";
import type { Measure } from "./measure.ts";
import { isKnownModel, lookUpModel } from "./models.ts";
import { NativeTokenizer } from "./native_tokenizer.ts";
import {
  ASYNC_OPTIONS,
  type AsyncOptions,
  BATCH_OPTIONS,
  type BatchOptions,
  ENCODE_OPTIONS,
  type EncodeOptions,
  isPooled,
  MODEL_OPTIONS,
  type ModelTokenizerOptions,
  specialMode,
  TEXT_OPTIONS,
  type TextOptions,
  threadCount,
  TOKENIZER_OPTIONS,
  type TokenizerOptions,
} from "./options.ts";
import { truncate, TRUNCATE_OPTIONS, type TruncateOptions } from "./truncate.ts";
import { wordPool } from "./word_pool.ts";

/** Not ignoring the BOM: U+FEFF is text like any other, and dropping it loses it. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A tokenizer of one encoding, id for id equal to OpenAI's tiktoken.
 *
 * Cheap to make: the tables of an encoding are part of the library and shared by all tokenizers and
 * Workers. Strings with lone surrogates are read as if those were U+FFFD.
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
  readonly #native: NativeTokenizer;
  readonly #mode: number;
  /** What is added to the mode of a count. */
  readonly #cache: number;

  /**
   * Opens a tokenizer; the first one of a process also loads the library.
   *
   * @param encoding One of {@linkcode ENCODINGS}.
   * @param options What the text of special tokens means, and whether counts are remembered.
   * @throws {SluiceError} `SLUICE_UNKNOWN_ENCODING`, or why the library cannot be loaded.
   */
  constructor(encoding: EncodingName, options: TokenizerOptions = {}) {
    this.encoding = checkEncoding(encoding, isKnownModel);
    checkKnown<TokenizerOptions>("options", options, TOKENIZER_OPTIONS);
    this.#mode = specialMode(options, SPECIAL_TEXT);
    this.#native = new NativeTokenizer(encoding);
    this.#cache = openCache(options.cache) ? CACHE : 0;
  }

  /**
   * The tokenizer of a model, such as `"gpt-5"` or `"openai/gpt-4.1-mini"`; names are understood as by
   * {@linkcode resolveModel}.
   *
   * @throws {SluiceError} Without `estimate: true`: `SLUICE_UNKNOWN_MODEL`, with the nearest name that is
   * known, or `SLUICE_VOCABULARY_NOT_PUBLIC` for a model whose ids nobody but its maker knows.
   */
  static forModel(model: string, options: ModelTokenizerOptions = {}): Tokenizer {
    checkKnown<ModelTokenizerOptions>("options", options, MODEL_OPTIONS);
    const { estimate = false, special, cache } = options;
    if (typeof estimate !== "boolean") {
      throw new TypeError(`estimate must be a boolean, not ${show(estimate)}`);
    }
    const unknownModel = estimate ? undefined : "refuse";
    const { encoding, exact } = lookUpModel(model, unknownModel);
    if (!exact && !estimate) {
      throw new SluiceError(
        "SLUICE_VOCABULARY_NOT_PUBLIC",
        `The vocabulary of ${
          show(model)
        } is not public, so there are no ids. For estimates of counts ` +
          `with ${encoding}, ask for them: Tokenizer.forModel(${show(model)}, { estimate: true })`,
      );
    }
    const tokenizer = new Tokenizer(encoding, { special, cache } as TokenizerOptions);
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
    checkGiven(options, TEXT_OPTIONS);
    return this.#count(text, options);
  }

  /**
   * Whether `text` has at most `limit` tokens. Stops as soon as the answer is known: at worst
   * O(min(length, limit)), and without looking at the text where its length alone decides.
   *
   * @param limit A non-negative integer or `Infinity`.
   */
  isWithinLimit(text: Text, limit: number, options?: TextOptions): boolean {
    checkGiven(options, TEXT_OPTIONS);
    const special = this.#special(options);
    // More than any text has tokens: a result must fit an int32.
    const bound = Math.min(checkTokenLimit("limit", limit), MAX_COUNT_LIMIT);
    if (typeof text === "string" && special !== SPECIAL_ERROR) {
      this.#native.checkOpen();
      // Every token takes at least one byte, and at most MAX_TOKEN_BYTES.
      if (3 * text.length <= bound) return true;
      if (text.length > MAX_TOKEN_BYTES * bound) return false;
    }
    return this.#native.countWithin(text, special, bound) <= bound;
  }

  /**
   * The token ids of `text`, in an array of their own unless `pooled` allows otherwise. O(length).
   *
   * @throws {SluiceError} What {@linkcode Tokenizer.count} throws.
   */
  encode(text: Text, options?: EncodeOptions): Uint32Array<ArrayBuffer> {
    checkGiven(options, ENCODE_OPTIONS);
    const pool = options !== undefined && isPooled(options) ? wordPool() : undefined;
    return this.#native.encode(text, this.#special(options), pool);
  }

  /**
   * Writes the token ids of `text` to the beginning of `ids`, as many as fit, and returns how many
   * there are: no more than the text has UTF-8 bytes. What is behind the last id may be overwritten.
   * Allocates nothing, which for short texts is most of what {@linkcode Tokenizer.encode} takes in
   * Deno. O(length).
   *
   * @param ids Where to write; reuse it. Not backed by the memory of `text`.
   * @throws {SluiceError} What {@linkcode Tokenizer.count} throws.
   */
  encodeInto(text: Text, ids: Uint32Array, options?: TextOptions): number {
    checkGiven(options, TEXT_OPTIONS);
    return this.#native.encodeInto(text, ids, this.#special(options));
  }

  /**
   * The text that `ids` stand for. Bytes that are no whole character, as at the edge of a cut
   * sequence, become U+FFFD; {@linkcode Tokenizer.decodeBytes} keeps them. O(bytes).
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_TOKEN` for an id that the vocabulary does not have.
   */
  decode(ids: Uint32Array | readonly number[]): string {
    return decoder.decode(this.#native.decode(ids));
  }

  /** The bytes that `ids` stand for. Throws what {@linkcode Tokenizer.decode} throws. */
  decodeBytes(ids: Uint32Array | readonly number[]): Uint8Array<ArrayBuffer> {
    return this.#native.decode(ids).slice();
  }

  /**
   * The number of tokens in each of `texts`, equal to {@linkcode Tokenizer.count} of each, for one
   * crossing.
   */
  countBatch(texts: readonly Text[], options: BatchOptions = {}): Uint32Array<ArrayBuffer> {
    checkGiven(options, BATCH_OPTIONS);
    return this.#countBatch(texts, options);
  }

  /**
   * The token ids of each of `texts`, equal to {@linkcode Tokenizer.encode} of each, for one
   * crossing.
   */
  encodeBatch(texts: readonly Text[], options: BatchOptions = {}): EncodedBatch {
    checkGiven(options, BATCH_OPTIONS);
    return this.#encodeBatch(texts, options);
  }

  /**
   * {@linkcode Tokenizer.count} off the event loop: a long text goes over in slices and is counted
   * by a thread of the library. A short one is counted at once, which takes less time than a slice.
   *
   * A `Uint8Array` must not be changed until the promise settles.
   */
  async countAsync(text: Text, options: AsyncOptions = {}): Promise<number> {
    checkGiven(options, ASYNC_OPTIONS);
    options.signal?.throwIfAborted();
    if (isShort(text)) return this.#count(text, options);
    const counts = await runJobForOne(text, this.#job(JOB_COUNT, options));
    return counts[0]!;
  }

  /** {@linkcode Tokenizer.encode} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async encodeAsync(text: Text, options: AsyncOptions = {}): Promise<Uint32Array<ArrayBuffer>> {
    checkGiven(options, ASYNC_OPTIONS);
    options.signal?.throwIfAborted();
    if (isShort(text)) return this.#native.encode(text, this.#special(options));
    const words = await runJobForOne(text, this.#job(JOB_ENCODE, options));
    return words.subarray(2);
  }

  /** {@linkcode Tokenizer.countBatch} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async countBatchAsync(
    texts: readonly Text[],
    options: AsyncOptions = {},
  ): Promise<Uint32Array<ArrayBuffer>> {
    checkGiven(options, ASYNC_OPTIONS);
    options.signal?.throwIfAborted();
    const own = readTexts("texts", texts);
    if (areShort(own)) return this.#countBatch(own, options);
    return await runJob({ ...this.#job(JOB_COUNT, options), texts: own, nameOf: inBatch });
  }

  /** {@linkcode Tokenizer.encodeBatch} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async encodeBatchAsync(
    texts: readonly Text[],
    options: AsyncOptions = {},
  ): Promise<EncodedBatch> {
    checkGiven(options, ASYNC_OPTIONS);
    options.signal?.throwIfAborted();
    const own = readTexts("texts", texts);
    if (areShort(own)) return this.#encodeBatch(own, options);
    const offsets = own.length + 1;
    const words = await runJob({ ...this.#job(JOB_ENCODE, options), texts: own, nameOf: inBatch });
    return { ids: words.subarray(offsets), offsets: words.slice(0, offsets) };
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
    checkGiven(options, TRUNCATE_OPTIONS);
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
    checkGiven(options, TEXT_OPTIONS);
    const counter = native().sluice_counter_open(this.#native.handle, this.#special(options));
    return new TokenCounter(this.#native.unwrap(counter));
  }

  /** A decoder for ids that arrive in parts, which never gives half a character. */
  decoder(): TokenDecoder {
    this.#native.checkOpen();
    return new TokenDecoder((ids) => this.#native.decode(ids));
  }

  /** Gives the native handle back. Any later use throws `SLUICE_DISPOSED`; closing again is fine. */
  close(): void {
    this.#native.close();
  }

  /** {@linkcode Tokenizer.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #special(options: TextOptions | undefined): number {
    return options === undefined ? this.#mode : specialMode(options, this.#mode);
  }

  #count(text: Text, options: TextOptions | undefined): number {
    return this.#native.count(text, this.#special(options) | this.#cache);
  }

  #countBatch(texts: readonly Text[], options: BatchOptions): Uint32Array<ArrayBuffer> {
    const mode = this.#special(options) | this.#cache;
    const threads = threadCount(options, 0);
    checkArray("texts", texts);
    this.#native.checkOpen();
    return countBatch(this.#native, texts, mode, threads);
  }

  #encodeBatch(texts: readonly Text[], options: BatchOptions): EncodedBatch {
    const mode = this.#special(options);
    const threads = threadCount(options, 0);
    checkArray("texts", texts);
    this.#native.checkOpen();
    return encodeBatch(this.#native, texts, mode, threads);
  }

  #job(kind: number, options: AsyncOptions): Omit<JobRequest, "texts" | "nameOf"> {
    return {
      tokenizer: this.#native,
      mode: this.#special(options),
      kind,
      threads: threadCount(options, 1),
      signal: options.signal,
    };
  }

  #measure({ special }: TextOptions): Measure {
    const options: TextOptions = special === undefined ? {} : { special };
    const mode = this.#special(options);
    this.#native.checkOpen();
    return {
      count: (text) => this.count(text, options),
      isWithinLimit: (text, limit) => this.isWithinLimit(text, limit, options),
      ends: (text) => this.#native.ends(text, mode),
    };
  }
}

/** Refuses options that are not known, where there are any. */
function checkGiven<Options extends object>(
  options: Options | undefined,
  known: Known<Options>,
): void {
  if (options !== undefined) checkKnown<Options>("options", options, known);
}
