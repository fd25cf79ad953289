/**
 * Exact byte-pair encoding (BPE): counts, encodes, decodes and cuts texts, one or many per call.
 *
 * @module
 */
import { checkBoolean, checkTokenLimit, type TextInput } from "../arguments.ts";
import { AsyncCalls } from "./async_calls.ts";
import { countBatch, encodeBatch } from "./batch.ts";
import { openCache } from "./cache.ts";
import { type ChunkOptions, chunks, type TextChunk } from "./chunks.ts";
import { TokenCounter } from "./counter.ts";
import { TokenDecoder } from "./decoder.ts";
import type { EncodedBatch } from "./encoded_batch.ts";
import { checkEncoding, type EncodingName } from "./encodings.ts";
import { CACHE, SPECIAL_TEXT } from "../ffi/symbols.gen.ts";
import { checkKnown, type Known } from "../known_options.ts";
import {
  COLUMN_ASYNC_OPTIONS,
  COUNT_LINES_ASYNC_OPTIONS,
  COUNT_LINES_OPTIONS,
  ENCODE_COLUMN_OPTIONS,
  ENCODE_LINES_OPTIONS,
  LINES_ASYNC_OPTIONS,
} from "./line_options.ts";
import type {
  ColumnAsyncOptions,
  CountedColumn,
  CountedLines,
  CountLinesAsyncOptions,
  CountLinesOptions,
  EncodeColumnOptions,
  EncodedColumn,
  EncodedLines,
  EncodeLinesOptions,
  LinesAsyncOptions,
  TextColumn,
} from "./line_types.ts";
import { LineCalls } from "./lines.ts";
import { type Measure, measureOf } from "./measure.ts";
import { encodingOf, isKnownModel } from "./models.ts";
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

/** Keeps a U+FEFF at the start: it is text, and dropping it would lose it. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A tokenizer of one encoding. Its ids equal those of OpenAI's tiktoken.
 *
 * A tokenizer is cheap to make: the tables of an encoding are part of the library, and all tokenizers and
 * Workers share them. Lone surrogates in strings are read as U+FFFD.
 *
 * @example Count and encode
 * ```ts
 * import { Tokenizer } from "./mod.ts";
 *
 * using tokenizer = Tokenizer.forModel("gpt-5");
 * console.log(tokenizer.count("Hello, world!")); // 4
 * console.log([...tokenizer.encode("Hello, world!")]); // [ 13225, 11, 2375, 0 ]
 * ```
 */
export class Tokenizer implements Disposable {
  /** The name of the encoding. */
  readonly encoding: EncodingName;
  /**
   * Whether counts are those of the model that this tokenizer was made for. False if the vocabulary of the
   * model is not public, and the nearest public one is used instead.
   */
  get exact(): boolean {
    return this.#exact;
  }

  #exact = true;
  readonly #native: NativeTokenizer;
  readonly #async: AsyncCalls;
  readonly #lines: LineCalls;
  readonly #mode: number;
  /** What is added to the mode of a count. */
  readonly #cache: number;

  /**
   * Opens a tokenizer. The first one of a process also loads the library.
   *
   * @param encoding One of {@linkcode ENCODINGS}.
   * @param options How special tokens are read, and whether counts are cached.
   * @throws {SluiceError} `SLUICE_UNKNOWN_ENCODING`, or the reason why the library cannot be loaded.
   */
  constructor(encoding: EncodingName, options: TokenizerOptions = {}) {
    this.encoding = checkEncoding(encoding, isKnownModel);
    checkKnown<TokenizerOptions>("options", options, TOKENIZER_OPTIONS);
    this.#mode = specialMode(options, SPECIAL_TEXT);
    this.#native = new NativeTokenizer(encoding);
    this.#cache = openCache(options.cache) ? CACHE : 0;
    this.#async = new AsyncCalls(this.#native, this.#mode, this.#cache);
    this.#lines = new LineCalls(this.#native);
  }

  /**
   * The tokenizer of a model, such as `"gpt-5"` or `"openai/gpt-4.1-mini"`. Names are read as by
   * {@linkcode resolveModel}.
   *
   * @throws {SluiceError} Without `estimate: true`: `SLUICE_UNKNOWN_MODEL`, with the nearest known name, or
   * `SLUICE_VOCABULARY_NOT_PUBLIC` for a model whose token ids only its maker knows.
   */
  static forModel(model: string, options: ModelTokenizerOptions = {}): Tokenizer {
    checkKnown<ModelTokenizerOptions>("options", options, MODEL_OPTIONS);
    const { estimate = false, special, cache } = options;
    const { encoding, exact } = encodingOf(model, checkBoolean("estimate", estimate));
    const tokenizer = new Tokenizer(encoding, { special, cache });
    tokenizer.#exact = exact;
    return tokenizer;
  }

  /**
   * The number of tokens in `text`. Allocates nothing. O(length).
   *
   * @throws {SluiceError} `SLUICE_INVALID_UTF8` for bytes that are not UTF-8; `SLUICE_SPECIAL_TOKEN` with
   * `special: "error"`.
   */
  count(text: TextInput, options?: TextOptions): number {
    checkGiven(options, TEXT_OPTIONS);
    return this.#native.count(text, this.#special(options) | this.#cache);
  }

  /**
   * Whether `text` has at most `limit` tokens. Stops as soon as the answer is known: at worst
   * O(min(length, limit)), and O(1) if the length of the text alone decides.
   *
   * @param limit A non-negative integer or `Infinity`.
   */
  isWithinLimit(text: TextInput, limit: number, options?: TextOptions): boolean {
    checkGiven(options, TEXT_OPTIONS);
    const special = this.#special(options);
    return this.#native.isWithin(text, special, checkTokenLimit("limit", limit));
  }

  /**
   * The token ids of `text`, in an array of their own unless `pooled` is true. O(length).
   *
   * @throws {SluiceError} As {@linkcode Tokenizer.count}.
   */
  encode(text: TextInput, options?: EncodeOptions): Uint32Array<ArrayBuffer> {
    checkGiven(options, ENCODE_OPTIONS);
    const pool = options !== undefined && isPooled(options) ? wordPool() : undefined;
    return this.#native.encode(text, this.#special(options), pool);
  }

  /**
   * Writes as many token ids of `text` as fit to the beginning of `ids`, and returns the number of all ids,
   * which is at most the number of UTF-8 bytes of the text. Elements behind the last id may be overwritten.
   *
   * Allocates nothing. For short texts in Deno, allocation is most of the time of
   * {@linkcode Tokenizer.encode}. O(length).
   *
   * @param ids Where to write. Reuse it. It must not share memory with `text`.
   * @throws {SluiceError} As {@linkcode Tokenizer.count}.
   */
  encodeInto(text: TextInput, ids: Uint32Array, options?: TextOptions): number {
    checkGiven(options, TEXT_OPTIONS);
    return this.#native.encodeInto(text, ids, this.#special(options));
  }

  /**
   * The text of `ids`. Bytes that are not a whole character, as at the edge of a cut sequence, become
   * U+FFFD; {@linkcode Tokenizer.decodeBytes} keeps them. O(bytes).
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_TOKEN` for an id that the vocabulary does not have.
   */
  decode(ids: Uint32Array | readonly number[]): string {
    return decoder.decode(this.#native.decode(ids));
  }

  /**
   * The bytes of `ids`. O(bytes).
   *
   * @throws {SluiceError} As {@linkcode Tokenizer.decode}.
   */
  decodeBytes(ids: Uint32Array | readonly number[]): Uint8Array<ArrayBuffer> {
    return this.#native.decode(ids).slice();
  }

  /** The number of tokens in each of `texts`, as {@linkcode Tokenizer.count} of each, in one crossing. */
  countBatch(texts: readonly TextInput[], options: BatchOptions = {}): Uint32Array<ArrayBuffer> {
    checkGiven(options, BATCH_OPTIONS);
    const mode = this.#special(options) | this.#cache;
    return countBatch(this.#native, texts, mode, threadCount(options, 0));
  }

  /**
   * The token ids of each of `texts`, as {@linkcode Tokenizer.encode} of each, in one crossing.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "./mod.ts";
   *
   * using tokenizer = Tokenizer.forModel("gpt-5");
   * const batch = tokenizer.encodeBatch(["Hello", "Hello, world!"]);
   * console.log(Array.from(batch, (ids) => ids.length)); // [ 1, 4 ]
   * ```
   */
  encodeBatch(texts: readonly TextInput[], options: BatchOptions = {}): EncodedBatch {
    checkGiven(options, BATCH_OPTIONS);
    return encodeBatch(this.#native, texts, this.#special(options), threadCount(options, 0));
  }

  /**
   * {@linkcode Tokenizer.count} off the event loop: a long text crosses in slices, and a thread of the
   * library counts it. A text of up to 32,768 characters is counted at once, because a job would take longer.
   *
   * A `Uint8Array` must not be changed until the promise settles.
   *
   * @throws {SluiceError} As {@linkcode Tokenizer.count}; and the reason of the signal when it aborts.
   */
  async countAsync(text: TextInput, options: AsyncOptions = {}): Promise<number> {
    checkGiven(options, ASYNC_OPTIONS);
    return await this.#async.count(text, options);
  }

  /** {@linkcode Tokenizer.encode} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async encodeAsync(
    text: TextInput,
    options: AsyncOptions = {},
  ): Promise<Uint32Array<ArrayBuffer>> {
    checkGiven(options, ASYNC_OPTIONS);
    return await this.#async.encode(text, options);
  }

  /** {@linkcode Tokenizer.countBatch} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async countBatchAsync(
    texts: readonly TextInput[],
    options: AsyncOptions = {},
  ): Promise<Uint32Array<ArrayBuffer>> {
    checkGiven(options, ASYNC_OPTIONS);
    return await this.#async.countBatch(texts, options);
  }

  /** {@linkcode Tokenizer.encodeBatch} off the event loop; see {@linkcode Tokenizer.countAsync}. */
  async encodeBatchAsync(
    texts: readonly TextInput[],
    options: AsyncOptions = {},
  ): Promise<EncodedBatch> {
    checkGiven(options, ASYNC_OPTIONS);
    return await this.#async.encodeBatch(texts, options);
  }

  /**
   * The token ids of the texts in a chunk of JSON Lines. Each line is an object with the text at `field`, as
   * `JSON.parse` reads it. A line without a text has no ids but a reason, and stops nothing. O(bytes).
   *
   * The arrays of the result are valid until this tokenizer reads lines or a column again.
   *
   * @example
   * ```ts
   * import { lineReason, Tokenizer } from "./mod.ts";
   *
   * using tokenizer = new Tokenizer("o200k_base");
   * const bytes = new TextEncoder().encode('{"text":"Hello, world!"}\n{"text":7}\n');
   * const { ids, ends, reasons } = tokenizer.encodeLines(bytes, { eos: { id: 199999 } });
   * console.log([...ids]); // [ 13225, 11, 2375, 0, 199999 ]
   * console.log([...ends], [...reasons].map(lineReason)); // [ 5, 5 ] [ "ok", "not-string" ]
   * ```
   */
  encodeLines(bytes: Uint8Array, options: EncodeLinesOptions = {}): EncodedLines {
    checkGiven(options, ENCODE_LINES_OPTIONS);
    return this.#lines.encode(bytes, this.#special(options), options);
  }

  /** The token counts of the texts in a chunk of JSON Lines; see {@linkcode Tokenizer.encodeLines}. */
  countLines(bytes: Uint8Array, options: CountLinesOptions = {}): CountedLines {
    checkGiven(options, COUNT_LINES_OPTIONS);
    return this.#lines.count(bytes, this.#special(options), options);
  }

  /**
   * {@linkcode Tokenizer.encodeLines} off the event loop; see {@linkcode Tokenizer.countAsync}. The arrays of the
   * result stay valid. `bytes` must not be changed until the promise settles.
   */
  async encodeLinesAsync(
    bytes: Uint8Array,
    options: LinesAsyncOptions = {},
  ): Promise<EncodedLines> {
    checkGiven(options, LINES_ASYNC_OPTIONS);
    return await this.#lines.encodeAsync(bytes, this.#special(options), options);
  }

  /** {@linkcode Tokenizer.countLines} off the event loop; see {@linkcode Tokenizer.encodeLinesAsync}. */
  async countLinesAsync(
    bytes: Uint8Array,
    options: CountLinesAsyncOptions = {},
  ): Promise<CountedLines> {
    checkGiven(options, COUNT_LINES_ASYNC_OPTIONS);
    return await this.#lines.countAsync(bytes, this.#special(options), options);
  }

  /**
   * The token ids of a column of texts, as Arrow and Parquet lay it out. A row that is null, or whose bytes are
   * not UTF-8, has no ids but a reason. O(bytes).
   *
   * The arrays of the result are valid until this tokenizer reads lines or a column again.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "./mod.ts";
   *
   * using tokenizer = new Tokenizer("o200k_base");
   * const values = new TextEncoder().encode("Hello, world!Hello");
   * const { ids, ends } = tokenizer.encodeColumn({ offsets: Int32Array.of(0, 13, 18), values });
   * console.log([...ids], [...ends]); // [ 13225, 11, 2375, 0, 13225 ] [ 4, 5 ]
   * ```
   */
  encodeColumn(column: TextColumn, options: EncodeColumnOptions = {}): EncodedColumn {
    checkGiven(options, ENCODE_COLUMN_OPTIONS);
    return this.#lines.encodeColumn(column, this.#special(options), options);
  }

  /** The token counts of a column of texts; see {@linkcode Tokenizer.encodeColumn}. */
  countColumn(column: TextColumn, options: TextOptions = {}): CountedColumn {
    checkGiven(options, TEXT_OPTIONS);
    return this.#lines.countColumn(column, this.#special(options));
  }

  /**
   * {@linkcode Tokenizer.encodeColumn} off the event loop; see {@linkcode Tokenizer.countAsync}. The arrays of the
   * result stay valid. The values must not be changed until the promise settles.
   */
  async encodeColumnAsync(
    column: TextColumn,
    options: ColumnAsyncOptions = {},
  ): Promise<EncodedColumn> {
    checkGiven(options, COLUMN_ASYNC_OPTIONS);
    return await this.#lines.encodeColumnAsync(column, this.#special(options), options);
  }

  /**
   * `text` cut to at most `limit` tokens, marker included: its beginning, its end or both, as `side` says.
   * A text within the limit is returned unchanged.
   *
   * The result is cut where one of the first (last) `limit` tokens of the text ends (begins), at the edge of
   * a character. It is the longest such text that has at most `limit` tokens when counted again; with
   * `"middle"`, the longer half is shortened first. If a text has no space within a thousand characters of
   * the cut, the tokens may be those of the examined part instead. If the marker alone is beyond the limit,
   * the result is empty.
   *
   * Examines only as much of the text as can matter: O(limit), or O(length) with `special: "error"`.
   *
   * @param limit A non-negative integer or `Infinity`.
   * @throws {SluiceError} `SLUICE_SPECIAL_TOKEN` with `special: "error"`.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "./mod.ts";
   *
   * using tokenizer = Tokenizer.forModel("gpt-5");
   * const text = "one two three four five";
   * console.log(tokenizer.truncate(text, 3)); // one two three
   * console.log(tokenizer.truncate(text, 3, { side: "tail" })); //  three four five
   * console.log(tokenizer.truncate(text, 3, { side: "middle" })); // one… five
   * ```
   */
  truncate(text: string, limit: number, options: TruncateOptions = {}): string {
    checkGiven(options, TRUNCATE_OPTIONS);
    return truncate(this.#measure(options), text, limit, options);
  }

  /**
   * The offsets of chunks of at most `size` tokens each. The chunks cover the text in order and split no
   * character. Neighbours share at most `overlap` tokens of the text.
   *
   * A chunk begins and ends where tokens of the text do, or inside a token that alone has more than `size`
   * tokens when counted out of context. Each chunk is the longest that has at most `size` tokens when counted
   * alone. O(length · size / (size − overlap)).
   *
   * @throws {RangeError} For a `size` or `overlap` out of range, and for a single character of more than
   * `size` tokens: some characters have two, three or four.
   * @throws {SluiceError} `SLUICE_SPECIAL_TOKEN` with `special: "error"`.
   *
   * @example
   * ```ts
   * import { Tokenizer } from "./mod.ts";
   *
   * using tokenizer = Tokenizer.forModel("text-embedding-3-small");
   * const text = "one two three four five";
   * const chunks = tokenizer.chunks(text, { size: 3, overlap: 1 });
   * console.log(chunks[1]); // { start: 7, end: 23, tokens: 3 }
   * console.log(chunks.map(({ start, end }) => text.slice(start, end)));
   * // [ "one two three", " three four five" ]
   * ```
   */
  chunks(text: string, options: ChunkOptions): TextChunk[] {
    return chunks(this.#measure(options ?? {}), text, options);
  }

  /**
   * A counter for a text that arrives in parts: after each part it has the exact count of the whole text so
   * far. It stays usable after this tokenizer is closed.
   */
  counter(options: TextOptions = {}): TokenCounter {
    checkGiven(options, TEXT_OPTIONS);
    const { native, handle } = this.#native;
    const counter = native.sluice_counter_open(handle, this.#special(options));
    return new TokenCounter(this.#native.unwrap(counter));
  }

  /** A decoder for ids that arrive in parts. It never returns part of a character. */
  decoder(): TokenDecoder {
    this.#native.checkOpen();
    return new TokenDecoder((ids) => this.#native.decode(ids));
  }

  /** Closes the native handle. Later calls throw `SLUICE_DISPOSED`; closing again has no effect. */
  close(): void {
    this.#lines.close();
    this.#native.close();
  }

  /** {@linkcode Tokenizer.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #special(options: TextOptions | undefined): number {
    return options === undefined ? this.#mode : specialMode(options, this.#mode);
  }

  #measure({ special }: TextOptions): Measure {
    return measureOf(this.#native, specialMode({ special }, this.#mode), this.#cache);
  }
}

/** Refuses unknown options. */
function checkGiven<Options extends object>(
  options: Options | undefined,
  known: Known<Options>,
): void {
  if (options !== undefined) checkKnown<Options>("options", options, known);
}
