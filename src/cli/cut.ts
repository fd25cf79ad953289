/**
 * Where inputs can be cut so that the parts can be worked on one by one.
 *
 * @module
 */

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** Cuts an input that is read piece by piece. */
export interface Cutter {
  /**
   * Where the first `end` bytes can be cut: the last such place behind `from`, or 0 if there is
   * none. What is before `from` was looked at already.
   */
  lastCut(bytes: Uint8Array, from: number, end: number): number;
  /**
   * Where to cut `bytes` although {@linkcode Cutter.lastCut} found no place in them, or 0. Asked
   * where they become too many to be kept.
   */
  cutWithin?(bytes: Uint8Array): number;
  /** Is shown every piece. False if the cut within something that it begins at was no good one. */
  agrees?(bytes: Uint8Array): boolean;
}

/** Cuts where lines end. */
export const LINES: Cutter = { lastCut: lastLineEnd };

/** Cuts anywhere. */
export const ANYWHERE: Cutter = { lastCut: (_bytes, _from, end) => end };

/** The last place behind `from` where a line ends. */
function lastLineEnd(bytes: Uint8Array, from: number, end: number): number {
  const at = bytes.subarray(from, end).lastIndexOf(LINE_FEED);
  return at < 0 ? 0 : from + at + 1;
}

/**
 * The last place behind `from` where a text can be cut without changing its tokens, in any
 * encoding.
 *
 * All patterns begin a new piece there, whatever surrounds it: at a space behind anything visible,
 * at a line end or certain punctuation behind a letter or number, and between a letter and a
 * number. The part before does not end
 * in white space, so that the patterns' look-ahead at the end of a text has nothing to decide.
 * No special token has such a place in it.
 */
export function lastTokenCut(bytes: Uint8Array, from: number, end: number): number {
  for (let at = end - 1; at > 0 && at >= from; at--) {
    if (isTokenCut(bytes, at, end)) return at;
  }
  return 0;
}

function isTokenCut(bytes: Uint8Array, at: number, end: number): boolean {
  const before = bytes[at - 1]!;
  switch (bytes[at]) {
    case SPACE:
      return before > SPACE && before < 0x7f || isHan(bytes, at - 3);
    case LINE_FEED:
    case CARRIAGE_RETURN:
    case 0x22: // "
    case 0x2c: // ,
    case 0x2e: // .
    case 0x3b: // ;
      return isAlphanumeric(before) || isHan(bytes, at - 3);
    case 0xe3: // 、 and 。 are E3 80 81 and E3 80 82
      return at + 2 < end && bytes[at + 1] === 0x80 &&
        (bytes[at + 2] === 0x81 || bytes[at + 2] === 0x82) && isHan(bytes, at - 3);
    default:
      return isLetter(bytes[at]!) ? isDigit(before) : isDigit(bytes[at]!) && isLetter(before);
  }
}

function isAlphanumeric(byte: number): boolean {
  return isLetter(byte) || isDigit(byte);
}

export function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** U+5000 to U+8FFF: letters in every version of Unicode, and most of what is written in Han. */
export function isHan(bytes: Uint8Array, at: number): boolean {
  return at >= 0 && bytes[at]! >= 0xe5 && bytes[at]! <= 0xe8 && (bytes[at + 1]! & 0xc0) === 0x80 &&
    (bytes[at + 2]! & 0xc0) === 0x80;
}
