/**
 * Truncates a text to a number of tokens, by examining only its edges.
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
   * - `"head"`: the beginning. The end is removed.
   * - `"tail"`: the end. The beginning is removed.
   * - `"middle"`: the beginning and the end, with equal numbers of tokens. The middle is removed.
   *
   * @default "head"
   */
  readonly side?: "head" | "tail" | "middle" | undefined;
  /**
   * The text in place of the removed part. Its tokens count towards the limit.
   *
   * @default "…" for `"middle"`, otherwise the empty string.
   */
  readonly marker?: string | undefined;
}

export const TRUNCATE_OPTIONS: Known<TruncateOptions> = {
  special: true,
  side: true,
  marker: true,
};

/** The shares of the tokens that the beginning and the end get. */
const SIDES = { head: [1, 0], tail: [0, 1], middle: [0.5, 0.5] } as const;

/** How many more tokens than are kept are examined: the last ones may depend on the text after them. */
const SPARE_TOKENS = 16;

/** How many units are searched for a safe place to cut out the part that is examined. */
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
    // After the cut, the text may have more tokens than in place. Then one more is removed.
    if (kept !== tried && measure.isWithinLimit(kept, limit)) return kept;
    tried = kept;
    if (head >= tail) head--;
    else tail--;
    if (head < 0) return "";
  }
}

/**
 * Where `text` is cut to keep its first (or last) 0, 1, … `tokens` tokens. Examines a part of six characters per
 * token, and four times that as long as it has too few tokens. O(tokens), because no token is longer than 128
 * bytes.
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
 * The nearest offset from `at` on in direction `step` where a space follows a visible character: there every
 * pattern splits a text, whatever the context. If there is none, the edge of a character.
 */
function edge(text: string, at: number, step: 1 | -1): number {
  for (let near = at; Math.abs(near - at) < SEARCHED_UNITS; near += step) {
    if (near <= 0 || near >= text.length) return near;
    const before = text.charCodeAt(near - 1);
    // Neither range has white space.
    const isVisible = (before > 0x20 && before < 0x7F) || before > 0x3000;
    if (isVisible && text.charCodeAt(near) === 0x20) return near;
  }
  const isHigh = (text.charCodeAt(at - 1) & 0xFC00) === 0xD800;
  return isHigh && (text.charCodeAt(at) & 0xFC00) === 0xDC00 ? at - 1 : at;
}
