/**
 * Cuts a stream of bytes into batches of complete lines. The rest of a piece is carried over to the next.
 *
 * @module
 */
import { type ByteSource, DoubleBuffer, PIECE_BYTES } from "./byte_source.ts";
import type { LineBatch, LongLine } from "./source.ts";

const LINE_FEED = 0x0a;

/** The beginning of a line up to this length is copied in front of the next piece. A longer one is collected. */
const ROOM = 1 << 18;

/** How much is kept of a line that is too long. */
const HEAD_BYTES = 1 << 16;

/** Every line up to this length is accepted, whatever the memory is. */
const LEAST_LIMIT = 1 << 23;

/** A batch has a line and a piece, and the offsets in it are positive numbers of 32 bits. */
const GREATEST_LIMIT = 2 ** 31 - 1 - 2 * PIECE_BYTES;

/** The length of the longest line for `memory` bytes: its ids need room too. */
export function lineLimit(memory: number): number {
  return Math.min(Math.max(Math.floor(memory / 3), LEAST_LIMIT), GREATEST_LIMIT);
}

/** Which lines of a stream are wanted. */
export interface LineRange {
  /** The offset of the stream's first byte in the file. */
  readonly offset: number;
  /** Whether the stream begins within a line, which is skipped. */
  readonly skipsFirst: boolean;
  /** Lines that begin at this offset or behind it are not wanted. */
  readonly to: number;
  /** The most bytes of a line. */
  readonly limit: number;
}

/** The lines of `source`, which is closed at the end. */
export async function* lineBatches(
  source: ByteSource,
  range: LineRange,
): AsyncGenerator<LineBatch | LongLine> {
  const buffers = new DoubleBuffer(source, ROOM);
  try {
    yield* cut(buffers, range);
  } finally {
    await buffers.close();
  }
}

async function* cut(
  buffers: DoubleBuffer,
  { offset, skipsFirst, to, limit }: LineRange,
): AsyncGenerator<LineBatch | LongLine> {
  const begun = new BegunLine(limit);
  let position = offset;
  let isSkipping = skipsFirst;
  for (buffers.start();;) {
    const { buffer, start, end } = await buffers.next();
    const piece = buffer.subarray(start, end);
    let from = position === 0 ? lengthOfMark(piece) : 0;
    if (isSkipping) {
      const feed = piece.indexOf(LINE_FEED);
      from = feed < 0 ? piece.length : feed + 1;
      if (piece.length === 0 || position + from >= to) return;
      isSkipping = feed < 0;
    }
    if (piece.length === 0) {
      if (begun.length > 0) yield begun.finish(position);
      return;
    }
    // The last wanted line ends at the first line feed at `to - 1` or behind it.
    const last = lineFeed(piece, Math.max(to - 1 - position, from));
    let until = (last < 0 ? piece.lastIndexOf(LINE_FEED) : last) + 1;
    if (until < from) until = from;
    let batch = piece.subarray(from, until);
    let tooLong: LongLine | undefined;
    if (begun.length > 0 && batch.length > 0) {
      const first = batch.indexOf(LINE_FEED) + 1;
      if (begun.length + first - 1 > limit) {
        begun.add(batch.subarray(0, first - 1));
        tooLong = begun.finish(position + first - 1) as LongLine;
        batch = batch.subarray(first);
      } else if (begun.length <= start) {
        const at = start - begun.length;
        begun.moveTo(buffer, at);
        batch = buffer.subarray(at, start + until);
      } else {
        batch = begun.join(batch);
      }
    }
    begun.add(piece.subarray(until));
    if (last < 0) buffers.start();
    if (tooLong !== undefined) yield tooLong;
    if (batch.length > 0) {
      yield { kind: "lines", bytes: batch, offset: position + until - batch.length };
    }
    if (last >= 0) return;
    position += piece.length;
  }
}

/** A line of which the end was not read yet. */
class BegunLine {
  readonly #limit: number;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends a copy of `bytes`; beyond the limit only their number. */
  add(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === 0) return;
    const wasTooLong = this.#length > this.#limit;
    this.#length += bytes.length;
    if (wasTooLong) return;
    this.#pieces.push(bytes.slice());
    if (this.#length > this.#limit) this.#pieces = [concatenate(this.#pieces, HEAD_BYTES)];
  }

  /** The line and `bytes` behind it. */
  join(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const all = concatenate([...this.#pieces, bytes]);
    this.#clear();
    return all;
  }

  /** Moves the line to `at` in `buffer`. */
  moveTo(buffer: Uint8Array<ArrayBuffer>, at: number): void {
    for (const piece of this.#pieces) {
      buffer.set(piece, at);
      at += piece.length;
    }
    this.#clear();
  }

  /** The line, which ends at `end` in the file. */
  finish(end: number): LineBatch | LongLine {
    const [length, isTooLong] = [this.#length, this.#length > this.#limit];
    const offset = end - length;
    const bytes = this.join(new Uint8Array(0));
    return isTooLong
      ? { kind: "long-line", offset, length, head: bytes }
      : { kind: "lines", bytes, offset };
  }

  #clear(): void {
    this.#pieces = [];
    this.#length = 0;
  }
}

function concatenate(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  most = Infinity,
): Uint8Array<ArrayBuffer> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const all = new Uint8Array(Math.min(length, most));
  let at = 0;
  for (const piece of pieces) {
    const taken = piece.subarray(0, all.length - at);
    all.set(taken, at);
    at += taken.length;
  }
  return all;
}

/** The first line feed of `bytes` from `from` on, or -1. */
function lineFeed(bytes: Uint8Array, from: number): number {
  return from < bytes.length ? bytes.indexOf(LINE_FEED, from) : -1;
}

/** The length of the byte order mark at the start of a file: some editors write one, and it is not JSON. */
export function lengthOfMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
