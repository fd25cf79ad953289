/**
 * Packs many texts into one buffer, so that one crossing does the work of many.
 *
 * The layout is the packed batch of `rust/abi/src/batch.rs`. In Deno short strings are joined and
 * transcoded in one go; the native side splits them again by their UTF-16 lengths. Others are transcoded
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
 * Strings of less than this many UTF-16 units on average are joined, unless the runtime writes to any place
 * of a buffer without a view. In Deno, at 60, that makes batches of ASCII half as expensive and others no
 * more so; from 80 on it costs more than it gives where there is one character outside Latin-1, which makes
 * the whole joined string wide (record: `bench/record`, joined strings).
 */
const JOINED_UNITS = 64;

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
  const counts = new Uint32Array(new ArrayBuffer(4 * texts.length));
  for (const group of groups(texts)) {
    const length = pack(textBuffer, texts, group, threads);
    const out = counts.subarray(group.start, group.end);
    const { handle } = tokenizer;
    const { bytes } = textBuffer;
    unwrapGroup(
      tokenizer,
      native("batch").sluice_batch_count(handle, bytes, length, mode, out, out.length),
      group,
    );
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
  const offsets = new Uint32Array(new ArrayBuffer(4 * (texts.length + 1)));
  const parts: Uint32Array<ArrayBuffer>[] = [];
  let total = 0;
  for (const group of groups(texts)) {
    const length = pack(textBuffer, texts, group, threads);
    const { handle } = tokenizer;
    const { bytes } = textBuffer;
    const words = wordBuffer.collect(length, (words) =>
      unwrapGroup(
        tokenizer,
        native("batch").sluice_batch_encode(handle, bytes, length, mode, words, words.length),
        group,
      ));
    const n = group.end - group.start;
    for (let i = 0; i <= n; i++) offsets[group.start + i] = total + words[i]!;
    parts.push(words.subarray(n + 1));
    total += words.length - n - 1;
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
}

/** Cuts `texts` into runs of at most {@linkcode MAX_UNITS}; nearly always there is one. */
function* groups(texts: readonly Text[]): Generator<Group> {
  let start = 0;
  let units = 0;
  for (let i = 0; i < texts.length; i++) {
    const length = lengthOf(texts, i);
    if (units + length > MAX_UNITS && i > start) {
      yield { start, end: i };
      start = i;
      units = 0;
    }
    units += length + 1;
  }
  if (start < texts.length) yield { start, end: texts.length };
}

/** Packs `texts[start..end)` into `buffer` and returns the packed length in bytes. */
function pack(
  buffer: TextBuffer,
  texts: readonly Text[],
  { start, end }: Group,
  threads: number,
): number {
  const n = end - start;
  const header = 4 * (BATCH_HEADER + n);
  buffer.reserve(header);
  const group = start === 0 && end === texts.length ? texts : texts.slice(start, end);
  const joined = library().writeAt === undefined && areShortStrings(group);
  // The bytes go first: writing them may move the buffer, and the words go where it ends up.
  const lengths = new Uint32Array(n);
  let used = header;
  if (joined) {
    for (let i = 0; i < n; i++) lengths[i] = group[i]!.length;
    used += buffer.write(group.join("\n") + "\n", header);
  } else {
    for (let i = 0; i < n; i++) {
      lengths[i] = writeOne(buffer, group[i]!, used);
      used += lengths[i]!;
    }
  }
  const words = new Uint32Array(buffer.bytes.buffer, 0, BATCH_HEADER + n);
  words[0] = n;
  words[1] = joined ? BATCH_UTF16 : BATCH_BYTES;
  words[2] = threads;
  words.set(lengths, BATCH_HEADER);
  return used;
}

function areShortStrings(texts: readonly Text[]): boolean {
  let units = 0;
  for (const text of texts) {
    if (typeof text !== "string") return false;
    units += text.length;
  }
  return units < JOINED_UNITS * texts.length;
}

function writeOne(buffer: TextBuffer, text: Text, offset: number): number {
  if (typeof text === "string") return buffer.write(text, offset);
  buffer.reserve(offset + text.length, offset);
  buffer.bytes.set(text, offset);
  return text.length;
}

function lengthOf(texts: readonly unknown[], i: number): number {
  const text = texts[i];
  if (typeof text === "string") return text.length;
  return checkBytes(`texts[${i}]`, text).length;
}
