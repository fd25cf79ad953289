/**
 * Tokenizes off the event loop: a text crosses in slices, a thread of the library works on it, and the
 * result comes back in slices. The event loop runs in between.
 *
 * All runtimes run the same code. Deno could await a `nonblocking` symbol instead, but Bun has none. In
 * Deno its threads are shared with file I/O, and it would save only the last poll.
 *
 * @module
 */
import { checkBytes, checkMemory, type TextInput } from "../arguments.ts";
import { relocated, SluiceError } from "../errors.ts";
import { BATCH_HEADER } from "../ffi/symbols.gen.ts";
import { type NameOf, sliceBytes, uniform, unitsOf, writeBatch } from "./job_packing.ts";
import { NativeJob } from "./native_job.ts";
import type { NativeReader } from "./native_reader.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { Slots } from "./slots.ts";
import { TimeSlice } from "./time_slice.ts";

/**
 * Jobs in flight in each isolate. The library has one thread less than there are CPUs, so more jobs would
 * only keep more copies of texts waiting.
 */
export const slots: Slots = new Slots(4);

/**
 * Up to this length, in UTF-16 units or bytes, a text is tokenized at once. That takes 0.4 ms for English
 * prose and 1.3 ms for Chinese; a job takes twice as long in all (record: `bench/record`, async table).
 */
const SHORT = 1 << 15;

/** What each text of a batch weighs beside its length, in units: at most 4,096 empty ones are short. */
const UNITS_PER_TEXT = 8;

/** {@linkcode NameOf} of batches. */
export const inBatch: NameOf = (index) => `texts[${index}]`;

/** What a job is to do. */
export interface JobRequest {
  readonly tokenizer: NativeTokenizer;
  readonly mode: number;
  /** `JOB_COUNT` or `JOB_ENCODE`. */
  readonly kind: number;
  /** An array of our own: the caller may change the one that was passed once the call has returned. */
  readonly texts: readonly TextInput[];
  /** What error messages call a text. */
  readonly nameOf: NameOf;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/** Whether `texts` are so short that they are tokenized at once. Stops as soon as the answer is known. */
export function areShort(texts: readonly TextInput[]): boolean {
  let units = 0;
  for (let i = 0; i < texts.length && units <= SHORT; i++) {
    units += UNITS_PER_TEXT + unitsOf(texts, i, inBatch);
  }
  return units <= SHORT;
}

/** {@linkcode areShort} for one text, which error messages call `text`. */
export function isShort(text: TextInput): boolean {
  return (typeof text === "string" ? text.length : checkBytes("text", text)) <= SHORT;
}

/**
 * Runs a job and returns its result: counts, or `n + 1` offsets and the ids.
 *
 * @throws {SluiceError} What the synchronous calls throw, or the reason of the signal.
 */
export function runJob(request: JobRequest): Promise<Uint32Array<ArrayBuffer>> {
  const { tokenizer, mode, kind, threads, nameOf, signal } = request;
  return inSlot(signal, async (slice, opened) => {
    const uniformTexts = await uniform(request.texts, nameOf, slice);
    const { texts, units } = uniformTexts;
    const expected = Math.min(4 * BATCH_HEADER + 5 * texts.length + units, 2 ** 32 - 1);
    const job = opened(NativeJob.forBatch(tokenizer, mode, kind, expected));
    await writeBatch(job, uniformTexts, threads, nameOf, slice);
  });
}

/** What a job of a reader is to do. */
export interface ReaderJobRequest {
  /** Makes the reader ready. The job keeps its settings and rows. */
  readonly open: () => NativeReader;
  /** One of the `JOB_*` constants for lines and columns. */
  readonly kind: number;
  readonly isLast: boolean;
  /** The input, and what error messages call it. */
  readonly bytes: { readonly name: string; readonly view: Uint8Array };
  readonly signal: AbortSignal | undefined;
}

/** Runs a job of a reader, and returns the words of its results. */
export function runReaderJob(request: ReaderJobRequest): Promise<Uint32Array<ArrayBuffer>> {
  const { open, kind, isLast, bytes: { name, view }, signal } = request;
  return inSlot(signal, async (slice, opened) => {
    const length = checkMemory(name, view);
    const job = opened(NativeJob.forReader(open(), kind, isLast, length));
    for (const bytes of sliceBytes([view], Uint32Array.of(length), () => name)) {
      job.write(bytes);
      if (slice.isOver) await slice.yield();
    }
  });
}

/**
 * Waits for a slot, runs a job in it and returns its result.
 *
 * @param write Opens the job, passes it to `opened` at once, and writes its input.
 */
async function inSlot(
  signal: AbortSignal | undefined,
  write: (slice: TimeSlice, opened: (job: NativeJob) => NativeJob) => Promise<void>,
): Promise<Uint32Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  await slots.take(signal);
  let job: NativeJob | undefined;
  try {
    const slice = new TimeSlice(signal);
    await write(slice, (opened) => job = opened);
    job!.start();
    await job!.done(signal);
    return await job!.read(slice);
  } finally {
    // Not awaited: an abort is reported at once, and the slot is free when the thread has stopped.
    void end(job);
  }
}

/** {@linkcode runJob} for a single text. Error messages call it `text`. */
export async function runJobForOne(
  text: TextInput,
  request: Omit<JobRequest, "texts" | "nameOf">,
): Promise<Uint32Array<ArrayBuffer>> {
  try {
    return await runJob({ ...request, texts: [text], nameOf: () => "text" });
  } catch (error) {
    throw error instanceof SluiceError ? relocated(error, { textIndex: undefined }) : error;
  }
}

async function end(job: NativeJob | undefined): Promise<void> {
  try {
    await job?.stop();
  } finally {
    slots.give();
  }
}
