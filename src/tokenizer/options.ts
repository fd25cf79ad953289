/**
 * What calls can be asked for, and the checks on it.
 *
 * @module
 */
import type { CacheOptions } from "./cache.ts";
import { show } from "../errors.ts";
import type { Known } from "../known_options.ts";
import { SPECIAL_ALLOW, SPECIAL_ERROR, SPECIAL_TEXT } from "../ffi/symbols.gen.ts";

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

/** Options of {@linkcode Tokenizer.encode}. */
export interface EncodeOptions extends TextOptions {
  /**
   * Whether the ids may be a view of memory that they share with other results, where that takes less time: in
   * Deno, for up to 256 ids. Nobody writes to them again. But `ids.buffer` has other results in it too:
   * do not transfer it, and do not hand it to others. A result that is kept keeps 4 KB.
   *
   * @default false
   */
  readonly pooled?: boolean;
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

/** Options of {@linkcode Tokenizer.forModel}. */
export interface ModelTokenizerOptions extends TokenizerOptions {
  /**
   * Whether the nearest public encoding may stand in for a model whose vocabulary is not public, or
   * that is not known. The tokenizer is then not `exact`: its counts are estimates, and its ids are not
   * the model's.
   *
   * @default false
   */
  readonly estimate?: boolean;
}

export const TEXT_OPTIONS: Known<TextOptions> = { special: true };
export const ENCODE_OPTIONS: Known<EncodeOptions> = { special: true, pooled: true };
export const BATCH_OPTIONS: Known<BatchOptions> = { special: true, threads: true };
export const ASYNC_OPTIONS: Known<AsyncOptions> = { special: true, threads: true, signal: true };
export const TOKENIZER_OPTIONS: Known<TokenizerOptions> = { special: true, cache: true };
export const MODEL_OPTIONS: Known<ModelTokenizerOptions> = { ...TOKENIZER_OPTIONS, estimate: true };

const MODES: Readonly<Record<Special, number>> = {
  text: SPECIAL_TEXT,
  allow: SPECIAL_ALLOW,
  error: SPECIAL_ERROR,
};

/** The number that the ABI has for `special`, or `fallback` where it is not given. */
export function specialMode({ special }: TextOptions, fallback: number): number {
  if (special === undefined) return fallback;
  // Only a string is the same name whenever it is read.
  const isName = typeof special === "string" && Object.hasOwn(MODES, special);
  const mode = isName ? MODES[special] : undefined;
  if (mode === undefined) {
    throw new TypeError(`special must be "text", "allow" or "error", not ${show(special)}`);
  }
  return mode;
}

/** Whether results may share memory. */
export function isPooled({ pooled = false }: EncodeOptions): boolean {
  if (typeof pooled !== "boolean") {
    throw new TypeError(`pooled must be a boolean, not ${show(pooled)}`);
  }
  return pooled;
}

/** A number of threads that the ABI takes, or `fallback` where it is not given. */
export function threadCount({ threads }: BatchOptions, fallback: number): number {
  if (threads === undefined) return fallback;
  if (!Number.isInteger(threads) || threads < 0 || threads > 1024) {
    throw new RangeError(`threads must be an integer from 0 to 1024, not ${show(threads)}`);
  }
  return threads;
}
