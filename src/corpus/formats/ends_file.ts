/**
 * The index of documents: one unsigned 64-bit number for each, where it ends in the ids of the shard.
 *
 * @module
 */
import { FormatError } from "./format.ts";
import type { HashedFile } from "./hashed_file.ts";
import { bytesOf, getU64, idsOf, putU64 } from "./id_array.ts";
import { readAt } from "./read_at.ts";

/** The bytes of an end. */
export const END_BYTES = 8;

/** Ends are converted in pieces of this number. */
const PIECE = 8192;

/** Writes ends of documents behind the header of a file. */
export class EndsWriter {
  readonly #file: HashedFile;
  readonly #piece = new Uint32Array(2 * PIECE);
  #count = 0;

  constructor(file: HashedFile) {
    this.#file = file;
  }

  /** How many ends were written. */
  get count(): number {
    return this.#count;
  }

  /** @param base The number of ids before those that the ends count from. */
  write(ends: Uint32Array, base: number): void {
    const piece = this.#piece;
    for (let from = 0; from < ends.length; from += PIECE) {
      const n = Math.min(PIECE, ends.length - from);
      for (let i = 0; i < n; i++) putU64(piece, 2 * i, base + ends[from + i]!);
      this.#file.write(bytesOf(piece.subarray(0, 2 * n)));
    }
    this.#count += ends.length;
  }
}

/**
 * Where document `n` begins and ends in the ids, or undefined beyond the last.
 *
 * @param header The number of bytes before the ends.
 */
export async function readEnds(
  fd: number,
  n: number,
  header = 0,
): Promise<readonly [number, number] | undefined> {
  const first = Math.max(n - 1, 0);
  const wanted = (n - first + 1) * END_BYTES;
  const bytes = await readAt(fd, header + first * END_BYTES, wanted);
  if (bytes.length < wanted) return undefined;
  const halves = idsOf(bytes, "u32") as Uint32Array;
  const begin = n === 0 ? 0 : getU64(halves, 0);
  const end = getU64(halves, halves.length - 2);
  if (end < begin) throw new FormatError(`document ${n} ends at ${end} and begins at ${begin}`);
  return [begin, end];
}
