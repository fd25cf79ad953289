/**
 * Cuts texts for a tokenizer, also within a word that is too long to be kept.
 *
 * A byte pair encoding is the only sequence of tokens in which any two neighbours are what the two
 * encode to when they alone are joined. So where two tokens meet, a word can be cut, and what
 * follows is encoded apart, as long as the pattern takes both parts for one piece each and the
 * token before the cut and the first one behind it still stand the test.
 *
 * @module
 */
import { SluiceError, type Tokenizer } from "../../mod.ts";
import { lastSafeCut } from "../tokenizer/safe_cut.ts";
import { type Cutter, isDigit, isHan, isLetter } from "./cut.ts";

/** A run must be this long to be cut within. */
const RUN_BYTES = 1 << 16;

/** A cut is this far inside of a run, which is more than any contraction or special token has. */
const MARGIN_BYTES = 64;

/** So many tokens are left behind a cut: the last ones may change with what follows. */
const SPARE_TOKENS = 256;

/** Cuts a text where `tokenizer` makes of the parts what it makes of the whole. */
export class TokenCutter implements Cutter {
  readonly lastCut: Cutter["lastCut"] = lastSafeCut;
  readonly #tokenizer: Tokenizer;
  /** The tokens on both sides of the cut that the next piece begins at, if that is within a word. */
  #begin: readonly [before: number, behind: number] | undefined;
  /** The same for the cut where it ends. */
  #end: readonly [before: number, behind: number] | undefined;
  /** The first token of the next piece, if it is known. */
  #first: number | undefined;

  /** @param tokenizer What will be asked for the tokens of the parts. */
  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Costs an encoding of all `bytes`, which is why it is the last resort. */
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
    const behind = first ?? this.#encode(bytes)?.[0];
    if (behind === undefined || behind === expected) return true;
    try {
      const both = this.#tokenizer.encode(this.#tokenizer.decodeBytes([before, behind]));
      return both.length === 2 && both[0] === before && both[1] === behind;
    } catch {
      return false; // They meet within a character.
    }
  }

  /** Undefined for what is refused, which is for who works on it to say. */
  #encode(bytes: Uint8Array): Uint32Array | undefined {
    try {
      return this.#tokenizer.encode(bytes);
    } catch (error) {
      if (error instanceof SluiceError) return undefined;
      throw error;
    }
  }
}

/** Characters of one kind, of which any pattern makes one piece, or pieces of a known length. */
interface Run {
  readonly start: number;
  /** Whether the pattern goes on from `at` as it would have from before. */
  isCut(bytes: Uint8Array, at: number): boolean;
}

const anywhere = () => true;
const always = { isCut: anywhere };

/**
 * The run at the end of `bytes`, if it is one that can be cut.
 *
 * What stands before it must not make the pattern's piece begin with something on which it depends
 * how the piece ends, as a letter without case does before capitals.
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
    // Some patterns take numbers by three.
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
    // A slash behind a line end may belong to the punctuation before that.
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

/** ASCII that is neither letter nor number nor white space, nor taken for that by anyone. */
function isPunctuation(byte: number): boolean {
  return isVisible(byte) && !isLetter(byte) && !isDigit(byte) || byte < 0x09;
}

function isVisible(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

/** The length of `bytes` without a character that is cut off at the end. */
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
