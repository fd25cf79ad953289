/**
 * Tokenizes off the event loop: the text goes over in slices, a thread of the library works on it,
 * and the result comes back in slices, with the loop running in between.
 *
 * The same code serves both runtimes. Deno could await a `nonblocking` symbol instead, but Bun has
 * none, its threads are shared with file I/O, and it saves only the last poll.
 *
 * @module
 */
import { delay, nextTurn } from "../delay.ts";
import { checkBytes, checkMemory, type Text, unitsIn } from "../arguments.ts";
import { relocated, SluiceError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import {
  BATCH_BYTES,
  BATCH_HEADER,
  BATCH_HEADER_TEXTS,
  BATCH_HEADER_THREADS,
  BATCH_HEADER_UNIT,
  BATCH_UTF16,
} from "../ffi/symbols.gen.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { Slots } from "./slots.ts";
import { textBuffer } from "../text_buffer.ts";
import { lengthOf, part } from "../typed_array.ts";

/**
 * A string is transcoded this many UTF-16 units at a time, at most 0.25 ms in either runtime
 * (record: `bench/record`, crossing table, CJK in Deno).
 */
const SLICE_UNITS = 1 << 16;

/** Words of a result that are copied at a time. */
const SLICE_WORDS = 1 << 17;

/** The event loop gets its turn when this much time has gone by. */
const BUDGET_MS = 1;

/** Polling starts at the shortest timer there is and slows down to this. */
const LONGEST_POLL_MS = 8;

/**
 * Jobs in flight for each isolate. The library has one thread less than there are CPUs, so more
 * jobs would only keep more copies of texts waiting.
 */
export const slots: Slots = new Slots(4);

/**
 * Up to this length, in UTF-16 units or bytes, nothing is handed over: counting at once takes 0.4 ms
 * for English prose and 1.3 ms for Chinese, and handing over takes twice as long in all (record:
 * `bench/record`, async table).
 */
const SHORT = 1 << 15;

/** What a text of a batch is taken for beside its length, in units: of empty ones 4,096 are the most. */
const UNITS_PER_TEXT = 8;

/** Texts that are looked at between two looks at the clock. */
const TEXTS_PER_LOOK = 1 << 12;

/** What a text is called, by its index. */
type NameOf = (index: number) => string;

/** {@linkcode NameOf} of batches. */
export const inBatch: NameOf = (index) => `texts[${index}]`;

/** What a job is to do. */
export interface JobRequest {
  readonly tokenizer: NativeTokenizer;
  readonly mode: number;
  /** `JOB_COUNT` or `JOB_ENCODE`. */
  readonly kind: number;
  /** An array of our own: the caller's is its own again once the call has returned. */
  readonly texts: readonly Text[];
  /** What a text is called in a refusal. */
  readonly nameOf: NameOf;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Whether counting `texts` takes so little time that no other thread need be asked. Looks at no more of
 * them than it takes to tell.
 */
export function areShort(texts: readonly Text[]): boolean {
  let units = 0;
  for (let i = 0; i < texts.length && units <= SHORT; i++) {
    units += UNITS_PER_TEXT + unitsOf(texts, i, inBatch);
  }
  return units <= SHORT;
}

/** {@linkcode areShort} for one text, which is called just that. */
export function isShort(text: Text): boolean {
  return (typeof text === "string" ? text.length : checkBytes("text", text)) <= SHORT;
}

/**
 * Runs a job and gives its result: counts, or `n + 1` offsets and the ids.
 *
 * @throws {SluiceError} What the synchronous calls throw, or the signal's reason.
 */
export async function runJob(request: JobRequest): Promise<Uint32Array<ArrayBuffer>> {
  const { tokenizer, mode, kind, signal } = request;
  signal?.throwIfAborted();
  await slots.take(signal);
  let job = 0;
  try {
    const turn = new Turn(signal);
    const { texts, units } = await uniform(request, turn);
    const expected = Math.min(4 * BATCH_HEADER + 5 * texts.length + units, 2 ** 32 - 1);
    job = tokenizer.unwrap(native().sluice_job_open(tokenizer.handle, mode, kind, expected));
    await write(request, job, texts, turn);
    await done(request, job);
    return await read(request, job, turn);
  } finally {
    // Not waited for: who aborts is told at once.
    void end(job);
  }
}

/** Ends a job, and gives its place to the next when no thread is at it any more. */
async function end(job: number): Promise<void> {
  const { sluice_job_stop, sluice_job_close } = native();
  try {
    for (let ms = 1; job !== 0 && sluice_job_stop(job) === 0;) {
      await delay(ms);
      ms = Math.min(2 * ms, LONGEST_POLL_MS);
    }
    if (job !== 0) sluice_job_close(job);
  } finally {
    slots.give();
  }
}

/** A job for a single text: a batch of one, except in what a refusal says. */
export async function runJobForOne(
  text: Text,
  request: Omit<JobRequest, "texts" | "nameOf">,
): Promise<Uint32Array<ArrayBuffer>> {
  try {
    return await runJob({ ...request, texts: [text], nameOf: () => "text" });
  } catch (error) {
    throw error instanceof SluiceError ? relocated(error, { textIndex: undefined }) : error;
  }
}

/** Lets the event loop run whenever a budget of time is used up. */
class Turn {
  readonly #signal: AbortSignal | undefined;
  #started = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether it is time to `yield`. Apart from it, so that most slices cost no promise. */
  get isOver(): boolean {
    return performance.now() - this.#started >= BUDGET_MS;
  }

  async yield(): Promise<void> {
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#started = performance.now();
  }
}

/** The units of a text, whose memory can be read now. */
function unitsOf(texts: readonly Text[], i: number, nameOf: NameOf): number {
  const text = texts[i]!;
  return typeof text === "string" ? text.length : checkBytes(nameOf(i), text);
}

/** All strings or all bytes, since a packed batch has one unit of length; and how many units. */
async function uniform(
  { texts, nameOf }: JobRequest,
  turn: Turn,
): Promise<{ texts: readonly Text[]; units: number }> {
  let strings = 0;
  let units = 0;
  for (let i = 0; i < texts.length; i++) {
    units += unitsOf(texts, i, nameOf);
    if (typeof texts[i] === "string") strings++;
    if (i % TEXTS_PER_LOOK === 0 && turn.isOver) await turn.yield();
  }
  if (strings === 0 || strings === texts.length) return { texts, units };
  const bytes: Uint8Array[] = [];
  for (const text of texts) {
    bytes.push(typeof text === "string" ? await encodeSlices(text, turn) : text);
    if (turn.isOver) await turn.yield();
  }
  return { texts: bytes, units };
}

/** `text` as UTF-8, slice by slice. */
async function encodeSlices(text: string, turn: Turn): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const slice of sliceString(text)) {
    const part = encoder.encode(slice);
    parts.push(part);
    length += part.length;
    if (turn.isOver) await turn.yield();
  }
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(new ArrayBuffer(length));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    if (turn.isOver) await turn.yield();
  }
  return whole;
}

/** Writes the packed batch, slice by slice, and starts the job. */
async function write(
  { tokenizer, threads, nameOf }: JobRequest,
  job: number,
  texts: readonly Text[],
  turn: Turn,
): Promise<void> {
  const strings = typeof texts[0] === "string";
  const { sluice_job_write } = native();
  const send = (bytes: Uint8Array, length: number, last = 0): void =>
    void tokenizer.unwrap(sluice_job_write(job, bytes, length, last));

  const words = new Uint32Array(new ArrayBuffer(4 * (BATCH_HEADER + texts.length)));
  words[BATCH_HEADER_TEXTS] = texts.length;
  words[BATCH_HEADER_UNIT] = strings ? BATCH_UTF16 : BATCH_BYTES;
  words[BATCH_HEADER_THREADS] = threads;
  for (let i = 0; i < texts.length; i++) {
    words[BATCH_HEADER + i] = unitsIn(texts[i]!);
    if (i % TEXTS_PER_LOOK === 0 && turn.isOver) await turn.yield();
  }
  const header = new Uint8Array(words.buffer);
  for (let at = 0; at < header.length; at += 4 * SLICE_WORDS) {
    const slice = header.subarray(at, at + 4 * SLICE_WORDS);
    send(slice, slice.length);
    if (turn.isOver) await turn.yield();
  }
  for (
    const slice of strings
      ? sliceStrings(texts as string[])
      : sliceBytes(texts as Uint8Array[], words.subarray(BATCH_HEADER), nameOf)
  ) {
    if (typeof slice === "string") {
      const length = textBuffer.write(slice);
      send(textBuffer.bytes, length);
    } else {
      send(slice, slice.length);
    }
    if (turn.isOver) await turn.yield();
  }
  send(header, 0, 1);
}

/** The texts, each with a separator behind it, in slices that cut no surrogate pair. */
function* sliceStrings(texts: readonly string[]): Generator<string> {
  let joined = "";
  let count = 0;
  for (const text of texts) {
    // Few enough, too: to join sixty thousand empty strings takes some milliseconds.
    if (joined.length + text.length < SLICE_UNITS && count++ < TEXTS_PER_LOOK) {
      joined += text + "\n";
      continue;
    }
    if (joined !== "") yield joined;
    count = 1;
    let last = "";
    for (const slice of sliceString(text)) {
      if (last !== "") yield last;
      last = slice;
    }
    joined = last + "\n";
  }
  if (joined !== "") yield joined;
}

/** A string in slices that cut no surrogate pair; an empty one is one empty slice. */
function* sliceString(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > SLICE_UNITS) {
    let end = start + SLICE_UNITS;
    if (isHighSurrogate(text.charCodeAt(end - 1))) end--;
    yield text.slice(start, end);
    start = end;
  }
  yield text.slice(start);
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

/** Bytes in slices. @param lengths What was said of them. */
function* sliceBytes(
  texts: readonly Uint8Array[],
  lengths: Uint32Array,
  nameOf: NameOf,
): Generator<Uint8Array> {
  for (const [i, text] of texts.entries()) {
    const length = lengths[i]!;
    for (let at = 0; at < length; at += 4 * SLICE_UNITS) {
      // The loop has run since the last look.
      if (checkMemory(nameOf(i), text) !== length) {
        throw new TypeError(
          `${nameOf(i)} must keep its length until the promise settles: it had ${length} bytes, ` +
            `and has ${lengthOf(text)}`,
        );
      }
      yield part(text, at, Math.min(at + 4 * SLICE_UNITS, length));
    }
  }
}

/** Waits until the job is done. */
async function done({ tokenizer, signal }: JobRequest, job: number): Promise<void> {
  const { sluice_job_poll } = native();
  for (let ms = 1; tokenizer.unwrap(sluice_job_poll(job)) === 0;) {
    await delay(ms, signal);
    ms = Math.min(2 * ms, LONGEST_POLL_MS);
  }
}

/** Copies the result, slice by slice. */
async function read(
  { tokenizer }: JobRequest,
  job: number,
  turn: Turn,
): Promise<Uint32Array<ArrayBuffer>> {
  const { sluice_job_read } = native();
  const none = new Uint32Array(new ArrayBuffer(0));
  const result = new Uint32Array(
    new ArrayBuffer(4 * tokenizer.unwrap(sluice_job_read(job, 0, none, 0))),
  );
  for (let at = 0; at < result.length; at += SLICE_WORDS) {
    const slice = result.subarray(at, at + SLICE_WORDS);
    tokenizer.unwrap(sluice_job_read(job, at, slice, slice.length));
    if (turn.isOver) await turn.yield();
  }
  return result;
}
