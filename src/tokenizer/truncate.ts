/**
 * Cutting a text to a number of tokens.
 *
 * @module
 */
import { checkString, checkTokenLimit } from "../arguments.ts";
import { show } from "../errors.ts";
import type { Known } from "../known_options.ts";
import type { Measure } from "./measure.ts";
import type { TextOptions } from "./options.ts";

/** Options of {@linkcode Tokenizer.truncate}. */
export interface TruncateOptions extends TextOptions {
  /**
   * Which part of the text is kept:
   *
   * - `"head"`: the beginning; the end is cut off.
   * - `"tail"`: the end; the beginning is cut off.
   * - `"middle"`: both ends, with as many tokens each; the middle is cut out.
   *
   * @default "head"
   */
  readonly side?: "head" | "tail" | "middle";
  /**
   * What stands where something was cut. It counts: the result with it is within the limit.
   *
   * @default "…" for `"middle"`, where the ends would run together, and nothing for the others.
   */
  readonly marker?: string;
}

export const TRUNCATE_OPTIONS: Known<TruncateOptions> = {
  special: true,
  side: true,
  marker: true,
};

/** The share of the tokens that each side's beginning and end have. */
const SIDES = { head: [1, 0], tail: [0, 1], middle: [0.5, 0.5] } as const;

/** As many tokens more than are kept are looked at: the last few may belong to what is behind. */
const SPARE_TOKENS = 16;

/** So many units around the part that is looked at are searched for a place to cut it out. */
const SEARCHED_UNITS = 1024;

/** See {@linkcode Tokenizer.truncate}. */
export function truncate(
  measure: Measure,
  text: string,
  limit: number,
  { side = "head", marker = side === "middle" ? "…" : "" }: TruncateOptions,
): string {
  checkString("text", text);
  checkTokenLimit("limit", limit);
  if (typeof side !== "string" || !Object.hasOwn(SIDES, side)) {
    throw new TypeError(`side must be "head", "tail" or "middle", not ${show(side)}`);
  }
  checkString("marker", marker);
  if (measure.isWithinLimit(text, limit)) return text;
  const room = limit - measure.count(marker);
  if (room < 0) return "";
  let head = Math.ceil(room * SIDES[side][0]);
  let tail = Math.floor(room * SIDES[side][1]);
  const heads = cuts(measure, text, head, false);
  const tails = cuts(measure, text, tail, true);
  let tried = text;
  while (true) {
    const end = heads[head]!;
    const kept = text.slice(0, end) + marker + text.slice(Math.max(end, tails[tail]!));
    // Cut text may have more tokens than it had in place. Then it loses one more.
    if (kept !== tried && measure.isWithinLimit(kept, limit)) return kept;
    tried = kept;
    if (head >= tail) head--;
    else tail--;
    if (head < 0) return "";
  }
}

/**
 * Where `text` is cut to keep its first (or last) 0, 1, … `tokens` tokens. Looks only at as much of
 * it as it takes to see them, guessing six characters a token, and four times that if it was
 * wrong: O(tokens), as no token is longer than 128 bytes.
 */
function cuts(measure: Measure, text: string, tokens: number, fromEnd: boolean): number[] {
  const none = fromEnd ? text.length : 0;
  if (tokens === 0) return [none];
  for (let units = 6 * (tokens + SPARE_TOKENS);; units *= 4) {
    const isWhole = units >= text.length;
    const start = fromEnd && !isWhole ? edge(text, text.length - units, -1) : 0;
    const end = fromEnd || isWhole ? text.length : edge(text, units, 1);
    const ends = measure.ends(text.slice(start, end));
    if (!isWhole && ends.length < tokens + SPARE_TOKENS) continue;
    const places = [none];
    for (let n = 1; n <= tokens; n++) {
      places.push(fromEnd ? start + (ends[ends.length - n - 1] ?? 0) : ends[n - 1]!);
    }
    return places;
  }
}

/**
 * The nearest place from `at` on in direction `step` where a space follows something visible, since
 * every pattern breaks a text there, whatever surrounds it. Failing that, a character's edge.
 */
function edge(text: string, at: number, step: 1 | -1): number {
  for (let near = at; Math.abs(near - at) < SEARCHED_UNITS; near += step) {
    if (near <= 0 || near >= text.length) return near;
    const before = text.charCodeAt(near - 1);
    // No white space is in either range.
    const isVisible = (before > 0x20 && before < 0x7F) || before > 0x3000;
    if (isVisible && text.charCodeAt(near) === 0x20) return near;
  }
  const isHigh = (text.charCodeAt(at - 1) & 0xFC00) === 0xD800;
  return isHigh && (text.charCodeAt(at) & 0xFC00) === 0xDC00 ? at - 1 : at;
}
