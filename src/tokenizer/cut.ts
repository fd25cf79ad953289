/**
 * Cutters: how an input that is read piece by piece is cut, so that each piece can be processed alone.
 *
 * @module
 */

const LINE_FEED = 0x0a;

/** Cuts an input that is read piece by piece. */
export interface Cutter {
  /**
   * The last offset from `from` on at which the first `end` bytes can be cut, or 0 if there is none. What is before
   * `from` was searched already.
   */
  lastCut(bytes: Uint8Array, from: number, end: number): number;
  /**
   * Where to cut `bytes` although {@linkcode Cutter.lastCut} found no cut in them, or 0. Called when they become too
   * many to be kept.
   */
  cutWithin?(bytes: Uint8Array): number;
  /** Called with every piece. False if the piece begins at a cut within a word that turns out to be wrong. */
  agrees?(bytes: Uint8Array): boolean;
}

/** Cuts where lines end. */
export const LINES: Cutter = { lastCut: lastLineEnd };

/** Cuts anywhere. */
export const ANYWHERE: Cutter = { lastCut: (_bytes, _from, end) => end };

/** The last offset after `from` at which a line ends. */
function lastLineEnd(bytes: Uint8Array, from: number, end: number): number {
  const at = bytes.subarray(from, end).lastIndexOf(LINE_FEED);
  return at < 0 ? 0 : from + at + 1;
}

/** Whether a byte is an ASCII letter. */
export function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Whether a byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** U+5000 to U+8FFF: letters in every version of Unicode, and most of what is written in Han. */
export function isHan(bytes: Uint8Array, at: number): boolean {
  return at >= 0 && bytes[at]! >= 0xe5 && bytes[at]! <= 0xe8 && (bytes[at + 1]! & 0xc0) === 0x80 &&
    (bytes[at + 2]! & 0xc0) === 0x80;
}
