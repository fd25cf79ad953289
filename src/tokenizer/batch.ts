/**
 * Packs many texts into one buffer, so that one crossing does the work of many.
 *
 * The layout is the packed batch of `rust/abi/src/tokenizer/batch.rs`. In Deno strings of middling length are joined
 * and transcoded in one go; the native side splits them again by their UTF-16 lengths. Others are transcoded
 * one by one: then their lengths in bytes are known, and looking for the places where they end would
 * cost more than it saves.
 *
 * @module
 */
import { checkLength, checkMemory, checkView, type Text } from "../arguments.ts";
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
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { type TextBuffer, textBuffer } from "../text_buffer.ts";
import { lengthOf } from "../typed_array.ts";
import { wordBuffer } from "./word_buffer.ts";

/** No crossing takes more text than this, in UTF-16 units or bytes: joined strings have a limit. */
const MAX_UNITS = 1 << 26;

/**
 * Strings of less than this many UTF-16 units on average are joined, if the runtime neither writes to any
 * place of a buffer without a view nor has them written here. In Deno, at 60, that makes batches of ASCII
 * half as expensive and others no more so; from 80 on it costs more than it gives where there is one
 * character outside Latin-1, which makes the whole joined string wide (record: `bench/record`, joined
 * strings).
 */
const JOINED_UNITS = 64;

/** So many units are joined at once (`bench/record`, joined strings); V8 keeps what is beyond 128 KB apart. */
const RUN_UNITS = 1 << 15;

/** The ids of many texts, one after the other. */
export interface EncodedBatch {
  /** The ids of all texts. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** One more than there are texts: text `i` is `ids.subarray(offsets[i], offsets[i + 1])`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
}

/** See {@linkcode Tokenizer.countBatch}. */
export function countBatch(
  tokenizer: NativeTokenizer,
  texts: readonly Text[],
  mode: number,
  threads: number,
): Uint32Array<ArrayBuffer> {
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
  texts: readonly Text[],
  mode: number,
  threads: number,
): EncodedBatch {
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
  return { ids: concat(parts, total), offsets };
}

/** Passes on a result. The library numbers texts within their group, and errors number them within the batch. */
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

/** A run of texts that go over in one crossing. */
interface Group {
  /** Where they begin in the batch. */
  readonly start: number;
  readonly texts: readonly Text[];
  /** UTF-16 units, and bytes of those that are no strings. */
  readonly units: number;
  readonly areStrings: boolean;
}

/**
 * The groups of a batch, each of at most {@linkcode MAX_UNITS}; nearly always there is one. They are arrays
 * of our own, and every element of the caller's is read once: its getters run before anything is packed.
 */
class Groups {
  /** How many texts there are. */
  readonly total: number;
  readonly #given: readonly Text[];
  #at = 0;
  /** The text that did not fit into the last group. */
  #left: Text | undefined;

  constructor(given: readonly Text[]) {
    this.total = checkLength("texts", given);
    this.#given = given;
  }

  next(): Group {
    const start = this.#at;
    const { total } = this;
    const given = this.#given;
    const texts = new Array<Text>(total - start);
    let left = this.#left;
    let units = 0;
    let areStrings = true;
    // Empty texts have a weight too: their lengths go over with the rest.
    let weight = 0;
    let at = start;
    for (; at < total; at++) {
      const text: unknown = left ?? given[at];
      const isString = typeof text === "string";
      const length = isString ? text.length : lengthOf(checkView("texts", at, text));
      weight += length + 1;
      left = weight > MAX_UNITS && at > start ? text as Text : undefined;
      if (left !== undefined) break;
      texts[at - start] = text as Text;
      units += length;
      areStrings &&= isString;
    }
    if (at < total) texts.length = at - start;
    this.#at = at;
    this.#left = left;
    return { start, texts, units, areStrings };
  }
}

/** Packs a group into `buffer` and returns the packed length in bytes. */
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

/** Writes the lengths in units, and the strings with a byte behind each, from `used` on; returns the end. */
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

/** Writes the lengths in bytes, and the texts, from `used` on; returns the end. */
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
