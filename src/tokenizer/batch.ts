/**
 * Batches: many texts packed into one buffer, tokenized in one crossing.
 *
 * The layout is the packed batch of `rust/abi`. In Deno, strings of medium length are joined and transcoded
 * together, and the native side splits them again by their UTF-16 lengths. All other texts are transcoded
 * one by one. Their lengths in bytes are known then, and searching for their ends would cost more than
 * joining saves.
 *
 * @module
 */
import { checkArray, checkLength, checkMemory, checkView, type TextInput } from "../arguments.ts";
import { relocated, SluiceError } from "../errors.ts";
import { library, native } from "../ffi/load.ts";
import {
  BATCH_BYTES,
  BATCH_HEADER,
  BATCH_HEADER_TEXTS,
  BATCH_HEADER_THREADS,
  BATCH_HEADER_UNIT,
  BATCH_UTF16,
} from "../ffi/symbols.gen.ts";
import { EncodedBatch } from "./encoded_batch.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { type TextBuffer, textBuffer } from "../text_buffer.ts";
import { lengthOf } from "../typed_array.ts";
import { wordBuffer } from "./word_buffer.ts";

/** The most text of one crossing, in UTF-16 units or bytes: the length of a joined string is limited. */
const MAX_UNITS = 1 << 26;

/**
 * Strings that are shorter than this on average, in UTF-16 units, are joined, unless the runtime can write
 * to any offset of a buffer without a view, or the strings are short enough to be written in JavaScript. In
 * Deno, at 60 units, joining halves the cost of ASCII batches and makes no other more expensive. From 80
 * units on it costs more than it saves if one character is outside Latin-1, because that makes the whole
 * joined string two bytes wide (record: `bench/record`, joined strings).
 */
const JOINED_UNITS = 64;

/** Units that are joined at once (`bench/record`, joined strings): V8 allocates more than 128 KB apart. */
const RUN_UNITS = 1 << 15;

/** See {@linkcode Tokenizer.countBatch}. */
export function countBatch(
  tokenizer: NativeTokenizer,
  texts: readonly TextInput[],
  mode: number,
  threads: number,
): Uint32Array<ArrayBuffer> {
  checkArray("texts", texts);
  tokenizer.checkOpen();
  const groups = new Groups(texts);
  const counts = new Uint32Array(groups.total);
  for (let start = 0; start < groups.total;) {
    const group = groups.next();
    const length = pack(textBuffer, group, threads);
    const end = start + group.texts.length;
    const out = end - start === groups.total ? counts : counts.subarray(start, end);
    const { handle } = tokenizer;
    const { bytes } = textBuffer;
    unwrapGroup(
      tokenizer,
      native().sluice_batch_count(handle, bytes, length, mode, out, out.length),
      group,
    );
    start = end;
  }
  return counts;
}

/** See {@linkcode Tokenizer.encodeBatch}. */
export function encodeBatch(
  tokenizer: NativeTokenizer,
  texts: readonly TextInput[],
  mode: number,
  threads: number,
): EncodedBatch {
  checkArray("texts", texts);
  tokenizer.checkOpen();
  const groups = new Groups(texts);
  const offsets = new Uint32Array(groups.total + 1);
  const parts: Uint32Array<ArrayBuffer>[] = [];
  let total = 0;
  for (let start = 0; start < groups.total;) {
    const group = groups.next();
    const length = pack(textBuffer, group, threads);
    const { handle } = tokenizer;
    const { bytes } = textBuffer;
    const words = wordBuffer.collect(length, (words) =>
      unwrapGroup(
        tokenizer,
        native().sluice_batch_encode(handle, bytes, length, mode, words, words.length),
        group,
      ));
    const n = group.texts.length;
    for (let i = 0; i <= n; i++) offsets[start + i] = total + words[i]!;
    parts.push(words.subarray(n + 1));
    total += words.length - n - 1;
    start += n;
  }
  return new EncodedBatch(concat(parts, total), offsets);
}

/** An error has the index of a text in its group; the caller gets the index in the batch. */
function unwrapGroup(tokenizer: NativeTokenizer, result: number, { start }: Group): number {
  if (result >= 0) return result;
  try {
    return tokenizer.unwrap(result);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.textIndex === undefined) throw error;
    throw relocated(error, { textIndex: start + error.textIndex });
  }
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

/** Consecutive texts of one crossing. */
interface Group {
  /** The index of the first text in the batch. */
  readonly start: number;
  readonly texts: readonly TextInput[];
  /** UTF-16 units of strings, bytes of the others. */
  readonly units: number;
  readonly areStrings: boolean;
}

/**
 * The groups of a batch, each of at most {@linkcode MAX_UNITS}. Nearly every batch is one group. The arrays
 * of groups are our own, and each element of the caller's array is read once: all of its getters run before
 * anything is packed.
 */
class Groups {
  /** The number of texts. */
  readonly total: number;
  readonly #given: readonly TextInput[];
  #at = 0;
  /** A text that was read but did not fit into the last group. */
  #left: TextInput | undefined;

  constructor(given: readonly TextInput[]) {
    this.total = checkLength("texts", given);
    this.#given = given;
  }

  next(): Group {
    const start = this.#at;
    const { total } = this;
    const given = this.#given;
    const texts = new Array<TextInput>(total - start);
    let left = this.#left;
    let units = 0;
    let areStrings = true;
    // Empty texts have a weight too, because their lengths are written.
    let weight = 0;
    let at = start;
    for (; at < total; at++) {
      const text: unknown = left ?? given[at];
      const isString = typeof text === "string";
      const length = isString ? text.length : lengthOf(checkView("texts", at, text));
      weight += length + 1;
      left = weight > MAX_UNITS && at > start ? text as TextInput : undefined;
      if (left !== undefined) break;
      texts[at - start] = text as TextInput;
      units += length;
      areStrings &&= isString;
    }
    if (at < total) texts.length = at - start;
    this.#at = at;
    this.#left = left;
    return { start, texts, units, areStrings };
  }
}

/** Packs a group into `buffer` and returns the length of the packed batch in bytes. */
function pack(buffer: TextBuffer, group: Group, threads: number): number {
  const { texts, units, areStrings } = group;
  const n = texts.length;
  const header = 4 * (BATCH_HEADER + n);
  buffer.reserve(header);
  const { shortUnits, writeAt } = library();
  const joined = areStrings && writeAt === undefined && units > shortUnits * n &&
    units < JOINED_UNITS * n;
  buffer.words[BATCH_HEADER_TEXTS] = n;
  buffer.words[BATCH_HEADER_UNIT] = joined ? BATCH_UTF16 : BATCH_BYTES;
  buffer.words[BATCH_HEADER_THREADS] = threads;
  return joined
    ? packJoined(buffer, texts as readonly string[], header)
    : packEach(buffer, group, header);
}

/** Writes the lengths in units, and from `used` on the strings with a separator each. Returns the end. */
function packJoined(buffer: TextBuffer, texts: readonly string[], used: number): number {
  let run = "";
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    buffer.words[BATCH_HEADER + i] = text.length;
    run += text + "\n";
    if (run.length >= RUN_UNITS) {
      used += buffer.write(run, used);
      run = "";
    }
  }
  return used + buffer.write(run, used);
}

/** Writes the lengths in bytes, and the texts from `used` on. Returns the end. */
function packEach(buffer: TextBuffer, { start, texts }: Group, used: number): number {
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    const length = typeof text === "string"
      ? buffer.write(text, used)
      : writeBytes(buffer, text, used, start + i);
    buffer.words[BATCH_HEADER + i] = length;
    used += length;
  }
  return used;
}

function writeBytes(buffer: TextBuffer, text: Uint8Array, offset: number, index: number): number {
  const length = checkMemory(`texts[${index}]`, text);
  buffer.reserve(offset + length, offset);
  buffer.bytes.set(text, offset);
  return length;
}
