/**
 * Packs many texts into one buffer, so that one crossing does the work of many.
 *
 * The layout is the packed batch of `rust/abi/src/batch.rs`. In Deno strings of middling length are joined
 * and transcoded in one go; the native side splits them again by their UTF-16 lengths. Others are transcoded
 * one by one: then their lengths in bytes are known, and looking for the places where they end would
 * cost more than it saves.
 *
 * @module
 */
import { checkBytes, type Text } from "../arguments.ts";
import { renumbered } from "../errors.ts";
import { library, native } from "../ffi/load.ts";
import { BATCH_BYTES, BATCH_HEADER, BATCH_UTF16 } from "../ffi/symbols.gen.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { type TextBuffer, textBuffer } from "../text_buffer.ts";
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
  const counts = new Uint32Array(texts.length);
  for (let start = 0; start < texts.length;) {
    const group = groupFrom(texts, start);
    const length = pack(textBuffer, texts, group, threads);
    const { end } = group;
    const out = end - start === texts.length ? counts : counts.subarray(start, end);
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
  const offsets = new Uint32Array(texts.length + 1);
  const parts: Uint32Array<ArrayBuffer>[] = [];
  let total = 0;
  for (let start = 0; start < texts.length;) {
    const group = groupFrom(texts, start);
    const length = pack(textBuffer, texts, group, threads);
    const { handle } = tokenizer;
    const { bytes } = textBuffer;
    const words = wordBuffer.collect(length, (words) =>
      unwrapGroup(
        tokenizer,
        native().sluice_batch_encode(handle, bytes, length, mode, words, words.length),
        group,
      ));
    const n = group.end - start;
    for (let i = 0; i <= n; i++) offsets[start + i] = total + words[i]!;
    parts.push(words.subarray(n + 1));
    total += words.length - n - 1;
    start = group.end;
  }
  return { ids: concat(parts, total), offsets };
}

/** A refusal numbers texts within their group; the caller knows them by their place in the batch. */
function unwrapGroup(tokenizer: NativeTokenizer, result: number, { start }: Group): number {
  if (result >= 0) return result;
  try {
    return tokenizer.unwrap(result);
  } catch (error) {
    throw renumbered(error, (index) => `text ${start + index}: `);
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
  readonly start: number;
  readonly end: number;
  /** UTF-16 units, and bytes of those that are no strings. */
  readonly units: number;
  readonly areStrings: boolean;
}

/** The first group of `texts` from `start` on, of at most {@linkcode MAX_UNITS}; nearly always all of them. */
function groupFrom(texts: readonly Text[], start: number): Group {
  let units = 0;
  let areStrings = true;
  // Empty texts have a weight too: their lengths go over with the rest.
  let weight = 0;
  let end = start;
  for (; end < texts.length; end++) {
    const text: unknown = texts[end];
    const isString = typeof text === "string";
    const length = isString ? text.length : checkBytes(`texts[${end}]`, text).length;
    weight += length + 1;
    if (weight > MAX_UNITS && end > start) break;
    units += length;
    areStrings &&= isString;
  }
  return { start, end, units, areStrings };
}

/** Packs a group of `texts` into `buffer` and returns the packed length in bytes. */
function pack(
  buffer: TextBuffer,
  texts: readonly Text[],
  { start, end, units, areStrings }: Group,
  threads: number,
): number {
  const n = end - start;
  const header = 4 * (BATCH_HEADER + n);
  buffer.reserve(header);
  const { shortUnits, writeAt } = library();
  const joined = areStrings && writeAt === undefined && units > shortUnits * n &&
    units < JOINED_UNITS * n;
  buffer.words[0] = n;
  buffer.words[1] = joined ? BATCH_UTF16 : BATCH_BYTES;
  buffer.words[2] = threads;
  const packer = joined ? packJoined : packEach;
  return packer(buffer, texts, start, end, header);
}

/** Writes the lengths in units, and the strings with a byte behind each, from `used` on; returns the end. */
function packJoined(
  buffer: TextBuffer,
  texts: readonly Text[],
  start: number,
  end: number,
  used: number,
): number {
  let run = "";
  for (let i = start; i < end; i++) {
    const text = texts[i] as string;
    buffer.words[BATCH_HEADER + i - start] = text.length;
    run += text + "\n";
    if (run.length >= RUN_UNITS) {
      used += buffer.write(run, used);
      run = "";
    }
  }
  return used + buffer.write(run, used);
}

/** Writes the lengths in bytes, and the texts, from `used` on; returns the end. */
function packEach(
  buffer: TextBuffer,
  texts: readonly Text[],
  start: number,
  end: number,
  used: number,
): number {
  for (let i = start; i < end; i++) {
    const length = writeOne(buffer, texts[i]!, used);
    buffer.words[BATCH_HEADER + i - start] = length;
    used += length;
  }
  return used;
}

function writeOne(buffer: TextBuffer, text: Text, offset: number): number {
  if (typeof text === "string") return buffer.write(text, offset);
  buffer.reserve(offset + text.length, offset);
  buffer.bytes.set(text, offset);
  return text.length;
}
