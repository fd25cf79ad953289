/**
 * Splits a text greedily into chunks of a limited number of tokens, for embedding and retrieval.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import type { Measure } from "./measure.ts";
import type { TextOptions } from "./options.ts";

/** Options of {@linkcode Tokenizer.chunks}. */
export interface ChunkOptions extends TextOptions {
  /** The most tokens of a chunk: an integer of at least 1. */
  readonly size: number;
  /**
   * The most tokens of the text that two neighbouring chunks share: an integer less than `size`.
   *
   * @default 0
   */
  readonly overlap?: number | undefined;
}

const OPTIONS: Known<ChunkOptions> = { special: true, size: true, overlap: true };

/** A part of a text, `text.slice(start, end)`. Counted alone, it has `tokens` tokens. */
export interface TextChunk {
  /** Its start, in UTF-16 units. */
  readonly start: number;
  /** Its end, in UTF-16 units. */
  readonly end: number;
  /** Its number of tokens when counted alone. */
  readonly tokens: number;
}

/** See {@linkcode Tokenizer.chunks}. */
export function chunks(measure: Measure, text: string, options: ChunkOptions): TextChunk[] {
  const { size, overlap } = checkOptions(options);
  checkString("text", text);
  const ends = measure.ends(text);
  const all: TextChunk[] = [];
  let chunk: TextChunk = { start: -1, end: 0, tokens: 0 };
  while (chunk.end < text.length) {
    chunk = next(measure, text, ends, chunk, size, overlap);
    all.push(chunk);
  }
  return all;
}

/**
 * The chunk after `last`: the earliest that starts after its start, shares at most `overlap` tokens with it, and
 * ends after its end.
 */
function next(
  measure: Measure,
  text: string,
  ends: Uint32Array,
  last: TextChunk,
  size: number,
  overlap: number,
): TextChunk {
  const seen = firstBeyond(ends, last.end);
  let start = last.start;
  for (let token = Math.max(seen - overlap, 0); token < seen; token++) {
    const at = token === 0 ? 0 : ends[token - 1]!;
    if (at <= start || at >= last.end) continue;
    start = at;
    const chunk = longest(measure, text, ends, start, size);
    if (chunk !== undefined && chunk.end > last.end) return chunk;
  }
  const chunk = longest(measure, text, ends, last.end, size);
  if (chunk !== undefined) return chunk;
  const character = String.fromCodePoint(text.codePointAt(last.end)!);
  throw new RangeError(
    `size must be at least ${measure.count(character)} for this text, not ${size}: ` +
      `${show(character)} at ${last.end} alone has that many tokens`,
  );
}

/**
 * The longest chunk from `start` on that ends where a token ends or, inside the first token, where a character
 * ends. Undefined if a single character has more than `size` tokens.
 */
function longest(
  measure: Measure,
  text: string,
  ends: Uint32Array,
  start: number,
  size: number,
): TextChunk | undefined {
  const first = firstBeyond(ends, start);
  let token = Math.min(first + size, ends.length) - 1;
  while (token >= first) {
    const end = ends[token]!;
    const tokens = measure.count(text.slice(start, end));
    if (tokens <= size) return { start, end, tokens };
    // Alone it may have more tokens than in the text, and a token may end inside a character.
    token = Math.min(token - 1, Math.max(first, token - (tokens - size)));
  }
  const characters = [...text.slice(start, ends[first])];
  for (let end = ends[first]!; characters.length > 1;) {
    end -= characters.pop()!.length;
    const tokens = measure.count(text.slice(start, end));
    if (tokens <= size) return { start, end, tokens };
  }
  return undefined;
}

/** The first token that ends after `at`, by binary search. */
function firstBeyond(ends: Uint32Array, at: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

function checkOptions(options: ChunkOptions): { size: number; overlap: number } {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options must be an object with a size, not ${show(options)}`);
  }
  checkKnown<ChunkOptions>("options", options, OPTIONS);
  const { size, overlap = 0 } = options;
  for (const [name, value] of [["size", size], ["overlap", overlap]] as const) {
    if (typeof value !== "number") {
      throw new TypeError(`${name} must be a number, not ${show(value)}`);
    }
  }
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`size must be an integer of at least 1, not ${size}`);
  }
  if (!Number.isSafeInteger(overlap) || overlap < 0 || overlap >= size) {
    throw new RangeError(
      `overlap must be a non-negative integer less than size ${size}, not ${overlap}`,
    );
  }
  return { size, overlap };
}
