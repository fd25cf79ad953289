/**
 * The options of tokenizers and their calls, with their checks.
 *
 * @module
 */
import { checkBoolean } from "../arguments.ts";
import type { CountCacheOptions } from "./cache.ts";
import { show } from "../errors.ts";
import type { Known } from "../known_options.ts";
import { SPECIAL_ALLOW, SPECIAL_ERROR, SPECIAL_TEXT } from "../ffi/symbols.gen.ts";

/**
 * How the text of a special token, such as `<|endoftext|>`, is read:
 *
 * - `"text"`: as ordinary text. Use this for text of users.
 * - `"allow"`: as that special token.
 * - `"error"`: as an error; the call throws `SLUICE_SPECIAL_TOKEN`.
 */
export type SpecialTokenMode = "text" | "allow" | "error";

/** Options of a call that reads text. */
export interface TextOptions {
  /**
   * How the text of a special token is read.
   *
   * @default The tokenizer's `special`, which is `"text"` by default.
   */
  readonly special?: SpecialTokenMode | undefined;
}

/** Options of {@linkcode Tokenizer.encode}. */
export interface EncodeOptions extends TextOptions {
  /**
   * Whether the ids may be a view of memory that other results share, where that is faster: in Deno, for up to
   * 256 ids. The ids themselves are never overwritten. But `ids.buffer` also has other results, so do not
   * transfer it and do not pass it to other code. A result that is kept keeps 4 KB alive.
   *
   * @default false
   */
  readonly pooled?: boolean | undefined;
}

/** Options of {@linkcode Tokenizer.countBatch} and {@linkcode Tokenizer.encodeBatch}. */
export interface BatchOptions extends TextOptions {
  /**
   * How many threads may work on the batch. With 0 the library decides.
   *
   * @default 0
   */
  readonly threads?: number | undefined;
}

/** Options of the calls that work off the event loop, such as {@linkcode Tokenizer.countAsync}. */
export interface AsyncOptions extends TextOptions {
  /** Ends the work when it aborts, and rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many threads of the library may work on it. 0 is one per CPU.
   *
   * @default 1, which leaves the other CPUs for JavaScript and other jobs.
   */
  readonly threads?: number | undefined;
}

/** Options of a tokenizer. */
export interface TokenizerOptions {
  /**
   * How the text of a special token is read if a call does not specify it.
   *
   * @default "text"
   */
  readonly special?: SpecialTokenMode | undefined;
  /**
   * Whether {@linkcode Tokenizer.count} and {@linkcode Tokenizer.countBatch} cache the counts of texts of 256
   * bytes and more, in one bounded cache that all Workers of the process share; see {@linkcode cacheStats}. It
   * pays if the same texts are counted again, as chat histories are. Jobs off the event loop do not use it.
   *
   * @default false
   */
  readonly cache?: boolean | CountCacheOptions | undefined;
}

/** Options of {@linkcode Tokenizer.forModel}. */
export interface ModelTokenizerOptions extends TokenizerOptions {
  /**
   * Whether the nearest public encoding may be used for a model that is unknown or whose vocabulary is not
   * public. The tokenizer is not `exact` then: its counts are estimates, and its ids are not the model's.
   *
   * @default false
   */
  readonly estimate?: boolean | undefined;
}

export const TEXT_OPTIONS: Known<TextOptions> = { special: true };
export const ENCODE_OPTIONS: Known<EncodeOptions> = { special: true, pooled: true };
export const BATCH_OPTIONS: Known<BatchOptions> = { special: true, threads: true };
export const ASYNC_OPTIONS: Known<AsyncOptions> = { special: true, threads: true, signal: true };
export const TOKENIZER_OPTIONS: Known<TokenizerOptions> = { special: true, cache: true };
export const MODEL_OPTIONS: Known<ModelTokenizerOptions> = { ...TOKENIZER_OPTIONS, estimate: true };

const MODES: Readonly<Record<SpecialTokenMode, number>> = {
  text: SPECIAL_TEXT,
  allow: SPECIAL_ALLOW,
  error: SPECIAL_ERROR,
};

/** The `SPECIAL_*` constant of `special`, or `fallback` if it is undefined. */
export function specialMode({ special }: TextOptions, fallback: number): number {
  if (special === undefined) return fallback;
  // An object could convert to another name each time.
  const isName = typeof special === "string" && Object.hasOwn(MODES, special);
  const mode = isName ? MODES[special] : undefined;
  if (mode === undefined) {
    throw new TypeError(`special must be "text", "allow" or "error", not ${show(special)}`);
  }
  return mode;
}

/** Whether results may share memory. */
export function isPooled({ pooled = false }: EncodeOptions): boolean {
  return checkBoolean("pooled", pooled);
}

/** The number of threads, or `fallback` if it is undefined. */
export function threadCount({ threads }: BatchOptions, fallback: number): number {
  if (threads === undefined) return fallback;
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) {
    throw new RangeError(`threads must be an integer from 0 to 1024, not ${show(threads)}`);
  }
  return threads;
}
