/**
 * Cutting a text into chunks of at most so many tokens, as embedding and retrieval need them.
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
  /** The most tokens that a chunk may have: an integer of at least 1. */
  readonly size: number;
  /**
   * The most tokens of the text that two neighbours share: an integer less than `size`.
   *
   * @default 0
   */
  readonly overlap?: number;
}

const OPTIONS: Known<ChunkOptions> = { special: true, size: true, overlap: true };

/** A part of a text: `text.slice(start, end)`, which alone has `tokens` tokens. */
export interface Chunk {
  /** Where it begins, in UTF-16 units. */
  readonly start: number;
  /** Where it ends, in UTF-16 units. */
  readonly end: number;
  /** How many tokens it has when it is counted alone. */
  readonly tokens: number;
}

/** See {@linkcode Tokenizer.chunks}. */
export function chunks(measure: Measure, text: string, options: ChunkOptions): Chunk[] {
  const { size, overlap } = checkOptions(options);
  checkString("text", text);
  const ends = measure.ends(text);
  const all: Chunk[] = [];
  let chunk: Chunk = { start: -1, end: 0, tokens: 0 };
  while (chunk.end < text.length) {
    chunk = next(measure, text, ends, chunk, size, overlap);
    all.push(chunk);
  }
  return all;
}

/**
 * The chunk behind `last`: the one that begins earliest of those that begin behind its beginning,
 * share at most `overlap` tokens with it and reach beyond its end.
 */
function next(
  measure: Measure,
  text: string,
  ends: Uint32Array,
  last: Chunk,
  size: number,
  overlap: number,
): Chunk {
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
 * The longest chunk from `start` on that ends where a token ends or, if it is to end inside the
 * first, where a character does. None if not even one character has so few tokens.
 */
function longest(
  measure: Measure,
  text: string,
  ends: Uint32Array,
  start: number,
  size: number,
): Chunk | undefined {
  const first = firstBeyond(ends, start);
  let token = Math.min(first + size, ends.length) - 1;
  while (token >= first) {
    const end = ends[token]!;
    const tokens = measure.count(text.slice(start, end));
    if (tokens <= size) return { start, end, tokens };
    // Alone it may have more tokens than in the text, and characters cut in two are given back.
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

/** The first token that ends beyond `at`, by bisection. */
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
