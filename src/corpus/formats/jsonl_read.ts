/**
 * Reads the ids of one line of JSON Lines. Lines before it are skipped, as the format has no index.
 *
 * @module
 */
import fs from "node:fs";
import { type Dtype, FormatError } from "./format.ts";
import type { IdArray } from "./id_array.ts";
import { readAt } from "./read_at.ts";

const PIECE = 1 << 20;
const LINE_FEED = 0x0a;
const BEGIN = '{"ids":[';

/** The ids of line `n`, and undefined beyond the last. */
export async function readJsonLine(
  path: string,
  n: number,
  dtype: Dtype,
): Promise<IdArray | undefined> {
  const fd = fs.openSync(path, "r");
  try {
    const begin = await behindLines(fd, 0, n);
    const end = begin === undefined ? undefined : await behindLines(fd, begin, 1);
    if (begin === undefined || end === undefined) return undefined;
    return parseIds(await readAt(fd, begin, end - begin), `${path}, line ${n + 1}`, dtype);
  } finally {
    fs.closeSync(fd);
  }
}

/** The number of lines of a file. O(bytes). */
export async function countLines(path: string): Promise<number> {
  const fd = fs.openSync(path, "r");
  try {
    let lines = 0;
    await scanLines(fd, 0, () => ++lines < Infinity);
    return lines;
  } finally {
    fs.closeSync(fd);
  }
}

/** Where in the file the `n`th line from `position` ends. */
async function behindLines(fd: number, position: number, n: number): Promise<number | undefined> {
  if (n === 0) return position;
  let left = n;
  return await scanLines(fd, position, () => --left > 0);
}

/** Calls `next` at the end of each line. Returns the end for which it returns false, or undefined if there is none. */
async function scanLines(
  fd: number,
  position: number,
  next: () => boolean,
): Promise<number | undefined> {
  const buffer = new Uint8Array(PIECE);
  for (;;) {
    const bytes = await readAt(fd, position, PIECE, buffer);
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
      if (!next()) return position + at + 1;
    }
    if (bytes.length < PIECE) return undefined;
    position += bytes.length;
  }
}

/** Parses digits as bytes, as a line can be longer than the longest string. */
function parseIds(line: Uint8Array, where: string, dtype: Dtype): IdArray {
  const close = line.indexOf(0x5d);
  if (new TextDecoder().decode(line.subarray(0, BEGIN.length)) !== BEGIN || close < 0) {
    throw new FormatError(`${where} does not begin with ${BEGIN}`);
  }
  const digits = line.subarray(BEGIN.length, close);
  const count = digits.length === 0 ? 0 : digits.reduce((sum, byte) => sum + +(byte === 0x2c), 1);
  const ids = dtype === "u16" ? new Uint16Array(count) : new Uint32Array(count);
  let id = 0;
  let at = 0;
  for (const byte of digits) {
    if (byte === 0x2c) {
      ids[at++] = id;
      id = 0;
    } else if (byte >= 0x30 && byte <= 0x39) {
      id = 10 * id + byte - 0x30;
    } else {
      throw new FormatError(`${where} has another character than digits in its ids`);
    }
  }
  if (count > 0) ids[at] = id;
  return ids;
}
