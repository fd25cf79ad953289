/**
 * Writes a packed batch to a job in slices, so that no text, however long, holds the event loop.
 *
 * The layout is that of `rust/abi`, described with its batch functions.
 *
 * @module
 */
import { checkBytes, checkMemory, type TextInput } from "../arguments.ts";
import {
  BATCH_BYTES,
  BATCH_HEADER,
  BATCH_HEADER_TEXTS,
  BATCH_HEADER_THREADS,
  BATCH_HEADER_UNIT,
  BATCH_UTF16,
} from "../ffi/symbols.gen.ts";
import { textBuffer } from "../text_buffer.ts";
import { lengthOf, part } from "../typed_array.ts";
import type { NativeJob } from "./native_job.ts";
import type { TimeSlice } from "./time_slice.ts";

/**
 * A string is transcoded this many UTF-16 units at a time, which takes at most 0.25 ms in Bun and Deno
 * (record: `bench/record`, crossing table, CJK in Deno).
 */
const SLICE_UNITS = 1 << 16;

/** Bytes that are written at a time. */
const SLICE_BYTES = 4 * SLICE_UNITS;

/** Words of the header that are written at a time. */
const SLICE_WORDS = 1 << 17;

/** Texts between two looks at the clock. */
const TEXTS_PER_LOOK = 1 << 12;

/** What error messages call a text, by its index. */
export type NameOf = (index: number) => string;

/** Texts that are all strings or all bytes. */
export interface UniformTexts {
  readonly texts: readonly TextInput[];
  /** UTF-16 units of strings, bytes of the others. */
  readonly units: number;
}

/** The units of a text whose memory can be read now. */
export function unitsOf(texts: readonly TextInput[], i: number, nameOf: NameOf): number {
  const text = texts[i]!;
  return typeof text === "string" ? text.length : checkBytes(nameOf(i), text);
}

/** Transcodes strings among bytes, because a packed batch has one unit of length. */
export async function uniform(
  texts: readonly TextInput[],
  nameOf: NameOf,
  slice: TimeSlice,
): Promise<UniformTexts> {
  let strings = 0;
  let units = 0;
  for (let i = 0; i < texts.length; i++) {
    units += unitsOf(texts, i, nameOf);
    if (typeof texts[i] === "string") strings++;
    if (i % TEXTS_PER_LOOK === 0 && slice.isOver) await slice.yield();
  }
  if (strings === 0 || strings === texts.length) return { texts, units };
  const bytes: Uint8Array[] = [];
  for (const text of texts) {
    bytes.push(typeof text === "string" ? await encodeSlices(text, slice) : text);
    if (slice.isOver) await slice.yield();
  }
  return { texts: bytes, units };
}

/** Writes the header and the texts. */
export async function writeBatch(
  job: NativeJob,
  { texts }: UniformTexts,
  threads: number,
  nameOf: NameOf,
  slice: TimeSlice,
): Promise<void> {
  const areStrings = typeof texts[0] === "string";
  const words = new Uint32Array(new ArrayBuffer(4 * (BATCH_HEADER + texts.length)));
  words[BATCH_HEADER_TEXTS] = texts.length;
  words[BATCH_HEADER_UNIT] = areStrings ? BATCH_UTF16 : BATCH_BYTES;
  words[BATCH_HEADER_THREADS] = threads;
  for (let i = 0; i < texts.length; i++) {
    words[BATCH_HEADER + i] = unitsOf(texts, i, nameOf);
    if (i % TEXTS_PER_LOOK === 0 && slice.isOver) await slice.yield();
  }
  const header = new Uint8Array(words.buffer);
  for (let at = 0; at < header.length; at += 4 * SLICE_WORDS) {
    job.write(header.subarray(at, at + 4 * SLICE_WORDS));
    if (slice.isOver) await slice.yield();
  }
  const slices = areStrings
    ? sliceStrings(texts as readonly string[])
    : sliceBytes(texts as readonly Uint8Array[], words.subarray(BATCH_HEADER), nameOf);
  for (const one of slices) {
    if (typeof one === "string") {
      const length = textBuffer.write(one);
      job.write(textBuffer.bytes, length);
    } else {
      job.write(one);
    }
    if (slice.isOver) await slice.yield();
  }
}

/** `text` as UTF-8, slice by slice. */
async function encodeSlices(text: string, slice: TimeSlice): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const units of sliceString(text)) {
    const bytes = encoder.encode(units);
    parts.push(bytes);
    length += bytes.length;
    if (slice.isOver) await slice.yield();
  }
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(new ArrayBuffer(length));
  let at = 0;
  for (const bytes of parts) {
    whole.set(bytes, at);
    at += bytes.length;
    if (slice.isOver) await slice.yield();
  }
  return whole;
}

/** The texts, each followed by a separator, in slices that cut no surrogate pair. */
function* sliceStrings(texts: readonly string[]): Generator<string> {
  let joined = "";
  let count = 0;
  for (const text of texts) {
    // The number is bounded too: joining sixty thousand empty strings takes some milliseconds.
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

/** A string in slices that cut no surrogate pair. An empty string is one empty slice. */
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

/** Bytes in slices. @param lengths The lengths that the header has. */
export function* sliceBytes(
  texts: readonly Uint8Array[],
  lengths: Uint32Array,
  nameOf: NameOf,
): Generator<Uint8Array> {
  for (const [i, text] of texts.entries()) {
    const length = lengths[i]!;
    for (let at = 0; at < length; at += SLICE_BYTES) {
      // The event loop has run since the last look.
      if (checkMemory(nameOf(i), text) !== length) {
        throw new TypeError(
          `${nameOf(i)} must keep its length until the promise settles: it had ${length} bytes, ` +
            `and has ${lengthOf(text)}`,
        );
      }
      yield part(text, at, Math.min(at + SLICE_BYTES, length));
    }
  }
}
