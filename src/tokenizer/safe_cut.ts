/**
 * Offsets in texts as UTF-8: safe cuts, and where a text stops being valid.
 *
 * @module
 */
import { native, unwrap } from "../ffi/load.ts";

/** The most bytes of a character that is incomplete. */
const INCOMPLETE_BYTES = 3;

/**
 * The last offset from `from` on at which the first `end` bytes can be cut without changing the tokens of the text, in
 * any encoding and whatever follows; 0 if there is none. O(1) where such an offset is near the end, which it is unless
 * the text ends in a very long word.
 */
export function lastSafeCut(bytes: Uint8Array, from: number, end: number): number {
  // The character at `from` may have been incomplete when what is before `from` was searched.
  return unwrap(native().sluice_text_cut(bytes, end, Math.max(from - INCOMPLETE_BYTES, 0)));
}

/** The length of the longest prefix of `bytes` that is valid UTF-8. O(length). */
export function validUtf8Length(bytes: Uint8Array): number {
  return unwrap(native().sluice_text_valid(bytes, bytes.length));
}
