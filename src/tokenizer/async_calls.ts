/**
 * The calls of a tokenizer that work off the event loop: short texts at once, others as a job.
 *
 * @module
 */
import { readTexts, type TextInput } from "../arguments.ts";
import { JOB_COUNT, JOB_ENCODE } from "../ffi/symbols.gen.ts";
import { countBatch, encodeBatch } from "./batch.ts";
import { EncodedBatch } from "./encoded_batch.ts";
import { areShort, inBatch, isShort, type JobRequest, runJob, runJobForOne } from "./job.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { type AsyncOptions, specialMode, threadCount } from "./options.ts";

/** How many threads work on a job unless a call says otherwise. */
const THREADS = 1;

/** The asynchronous calls on one native tokenizer. Their options were checked for unknown names. */
export class AsyncCalls {
  readonly #native: NativeTokenizer;
  readonly #mode: number;
  /** What is added to the mode of a count. */
  readonly #cache: number;

  /** @param mode The `SPECIAL_*` constant of calls that do not say. */
  constructor(native: NativeTokenizer, mode: number, cache: number) {
    this.#native = native;
    this.#mode = mode;
    this.#cache = cache;
  }

  /** See {@linkcode Tokenizer.countAsync}. */
  async count(text: TextInput, options: AsyncOptions): Promise<number> {
    const job = this.#job(JOB_COUNT, options);
    if (isShort(text)) return this.#native.count(text, job.mode | this.#cache);
    const counts = await runJobForOne(text, job);
    return counts[0]!;
  }

  /** See {@linkcode Tokenizer.encodeAsync}. */
  async encode(text: TextInput, options: AsyncOptions): Promise<Uint32Array<ArrayBuffer>> {
    const job = this.#job(JOB_ENCODE, options);
    if (isShort(text)) return this.#native.encode(text, job.mode);
    const words = await runJobForOne(text, job);
    return words.subarray(2);
  }

  /** See {@linkcode Tokenizer.countBatchAsync}. */
  async countBatch(
    texts: readonly TextInput[],
    options: AsyncOptions,
  ): Promise<Uint32Array<ArrayBuffer>> {
    const job = this.#job(JOB_COUNT, options);
    const own = readTexts("texts", texts);
    if (!areShort(own)) return await runJob({ ...job, texts: own, nameOf: inBatch });
    return countBatch(this.#native, own, job.mode | this.#cache, threadCount(options, 0));
  }

  /** See {@linkcode Tokenizer.encodeBatchAsync}. */
  async encodeBatch(texts: readonly TextInput[], options: AsyncOptions): Promise<EncodedBatch> {
    const job = this.#job(JOB_ENCODE, options);
    const own = readTexts("texts", texts);
    if (areShort(own)) {
      return encodeBatch(this.#native, own, job.mode, threadCount(options, 0));
    }
    const offsets = own.length + 1;
    const words = await runJob({ ...job, texts: own, nameOf: inBatch });
    return new EncodedBatch(words.subarray(offsets), words.slice(0, offsets));
  }

  #job(kind: number, options: AsyncOptions): Omit<JobRequest, "texts" | "nameOf"> {
    const { signal } = options;
    signal?.throwIfAborted();
    const mode = specialMode(options, this.#mode);
    return { tokenizer: this.#native, mode, kind, threads: threadCount(options, THREADS), signal };
  }
}
