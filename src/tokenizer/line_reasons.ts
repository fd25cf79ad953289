/**
 * Why a line or a row has no ids: the names of the reasons.
 *
 * @module
 */
import { checkInteger } from "../arguments.ts";
import {
  LINE_BLANK,
  LINE_NO_FIELD,
  LINE_NOT_JSON,
  LINE_NOT_OBJECT,
  LINE_NOT_STRING,
  LINE_NOT_UTF8,
  LINE_OK,
  LINE_SPECIAL_TOKEN,
  LINE_TOO_LONG,
  LINE_TOO_WIDE,
} from "../ffi/symbols.gen.ts";
import type { LineReason } from "./line_types.ts";

const CODES: Readonly<Record<LineReason, number>> = {
  "ok": LINE_OK,
  "blank": LINE_BLANK,
  "not-json": LINE_NOT_JSON,
  "not-object": LINE_NOT_OBJECT,
  "no-field": LINE_NO_FIELD,
  "not-string": LINE_NOT_STRING,
  "not-utf8": LINE_NOT_UTF8,
  "special-token": LINE_SPECIAL_TOKEN,
  "too-wide": LINE_TOO_WIDE,
  "too-long": LINE_TOO_LONG,
};

const NAMES = Object.keys(CODES) as LineReason[];

/**
 * The name of a number of {@linkcode ReadLines.reasons} or {@linkcode ReadColumn.reasons}.
 *
 * @throws {RangeError} For a number that is none.
 */
export function lineReason(code: number): LineReason {
  return NAMES[checkInteger("code", code, 0, NAMES.length - 1)]!;
}

/** Whether a line is neither a document nor blank. */
export function isBad(code: number): boolean {
  return code !== LINE_OK && code !== LINE_BLANK;
}
