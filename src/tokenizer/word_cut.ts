/**
 * Cuts texts for a tokenizer, even within a word that is too long for the buffer.
 *
 * The byte-pair encoding of a text is the only sequence of tokens in which every two neighbours, joined, encode to
 * themselves (`is_valid_token_pair` of rust-gems' `bpe`). So a word can be cut between two tokens, and the rest can
 * be encoded separately, if the pattern takes each part as one pre-token, and the tokens on both sides of the cut
 * still encode to themselves when joined.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import { lastSafeCut } from "./safe_cut.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { type Cutter, isDigit, isHan, isLetter } from "./cut.ts";

/** The shortest run that is cut. */
const RUN_BYTES = 1 << 16;

/** The distance of a cut from the edge of a run. It is longer than any contraction or special token. */
const MARGIN_BYTES = 64;

/** The number of tokens after a cut, because the last ones may change with the text that follows. */
const SPARE_TOKENS = 256;

/** Cuts a text where the tokens of the parts, joined, are the tokens of the whole. */
export class TokenCutter implements Cutter {
  readonly lastCut: Cutter["lastCut"] = lastSafeCut;
  readonly #tokenizer: Tokenizer;
  /** The tokens on both sides of the cut at which the next piece starts, if it is within a word. */
  #begin: readonly [before: number, after: number] | undefined;
  /** The tokens on both sides of the cut at which the next piece ends. */
  #end: readonly [before: number, after: number] | undefined;
  /** The first token of the next piece, if it is known. */
  #first: number | undefined;

  /** @param tokenizer The tokenizer of the parts. */
  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Encodes all `bytes`, so it is the last resort. */
  cutWithin(bytes: Uint8Array): number {
    const end = wholeCharacters(bytes);
    const run = lastRun(bytes, end);
    if (run === undefined || end - run.start < RUN_BYTES) return 0;
    const ids = this.#encode(bytes.subarray(0, end));
    if (ids === undefined) return end;
    let first = ids.length - SPARE_TOKENS;
    let at = end - this.#tokenizer.decodeBytes(ids.subarray(Math.max(first, 0))).length;
    for (; first > 0 && at - run.start >= MARGIN_BYTES; first--) {
      if (run.isCut(bytes, at)) {
        this.#first = ids[0];
        this.#end = [ids[first - 1]!, ids[first]!];
        return at;
      }
      at -= this.#tokenizer.decodeBytes(ids.subarray(first - 1, first)).length;
    }
    return 0;
  }

  agrees(bytes: Uint8Array): boolean {
    const [begin, first] = [this.#begin, this.#first];
    this.#first = undefined;
    this.#begin = this.#end;
    this.#end = undefined;
    if (begin === undefined) return true;
    const [before, expected] = begin;
    const after = first ?? this.#encode(bytes)?.[0];
    if (after === undefined || after === expected) return true;
    try {
      const both = this.#tokenizer.encode(this.#tokenizer.decodeBytes([before, after]));
      return both.length === 2 && both[0] === before && both[1] === after;
    } catch {
      return false; // The cut is within a character.
    }
  }

  /** The tokens; undefined for a text that is refused, which is reported when the piece is processed. */
  #encode(bytes: Uint8Array): Uint32Array | undefined {
    try {
      return this.#tokenizer.encode(bytes);
    } catch (error) {
      if (error instanceof SluiceError) return undefined;
      throw error;
    }
  }
}

/** Characters of one kind, which every pattern takes as one pre-token, or as pre-tokens of a known length. */
interface Run {
  readonly start: number;
  /** Whether the pattern continues from `at` as it would without the cut. */
  isCut(bytes: Uint8Array, at: number): boolean;
}

const anywhere = () => true;
const always = { isCut: anywhere };

/**
 * The run at the end of `bytes`, if it can be cut.
 *
 * The text before it must not start the pre-token with a character on which its end depends, as a letter without
 * case does before capitals.
 */
function lastRun(bytes: Uint8Array, end: number): Run | undefined {
  const last = bytes[end - 1]!;
  const runOf = (isKind: (byte: number) => boolean): number => {
    let start = end;
    while (start > 0 && isKind(bytes[start - 1]!)) start--;
    return start;
  };
  if (isLetter(last)) {
    const isSmall = last > 0x60;
    const start = runOf((byte) => isLetter(byte) && byte > 0x60 === isSmall);
    const before = bytes[start - 1] ?? 0;
    return isSmall || before < 0x80 ? { start, ...always } : undefined;
  }
  if (isDigit(last)) {
    const start = runOf(isDigit);
    if ((bytes[start - 1] ?? 0) >= 0x80) return undefined;
    // Some patterns split numbers into groups of three.
    return { start, isCut: (_, at) => (at - start) % 3 === 0 };
  }
  if (last === 0x20) {
    const start = runOf((byte) => byte === 0x20);
    return start === 0 || isVisible(bytes[start - 1]!) ? { start, ...always } : undefined;
  }
  if (last === 0x0a) {
    const start = runOf((byte) => byte === 0x0a);
    const before = bytes[start - 1];
    const isClear = before === undefined || isLetter(before) || isDigit(before);
    return isClear ? { start, ...always } : undefined;
  }
  if (isPunctuation(last)) {
    const start = runOf(isPunctuation);
    const before = bytes[start - 1] ?? 0;
    // A slash after a line end may belong to the punctuation before it.
    const isLineEnd = before === 0x0a || before === 0x0d;
    if (before >= 0x80 || isLineEnd && bytes[start] === 0x2f) return undefined;
    return { start, ...always };
  }
  let start = end;
  while (isHan(bytes, start - 3)) start -= 3;
  const before = bytes[start - 1] ?? 0;
  if (start === end || before >= 0x80 || isLetter(before)) return undefined;
  return { start, isCut: (bytes, at) => (bytes[at]! & 0xc0) !== 0x80 };
}

/** ASCII that no pattern takes for a letter, a number or white space. */
function isPunctuation(byte: number): boolean {
  return isVisible(byte) && !isLetter(byte) && !isDigit(byte) || byte < 0x09;
}

function isVisible(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

/** The length of `bytes` without an incomplete character at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
