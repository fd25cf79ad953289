/**
 * Collects texts as Arrow lays them out: one after the other, with the offsets between them.
 *
 * @module
 */
import { PIECE_BYTES } from "../byte_source.ts";
import type { ColumnBatch } from "../source.ts";

/** The most rows of a batch. */
const MAX_ROWS = 1 << 16;

/** Rows that are not given out yet. Its buffers are used again for the rows that follow. */
export class RowBuffer {
  readonly #offsets = new Int32Array(MAX_ROWS + 1);
  readonly #valid = new Uint8Array(MAX_ROWS);
  #values = new Uint8Array(PIECE_BYTES);
  #count = 0;
  #hasNull = false;

  get count(): number {
    return this.#count;
  }

  /** Whether a row of this length can be added. An empty buffer takes any. */
  hasRoom(length: number): boolean {
    return this.#count === 0 ||
      this.#count < MAX_ROWS && this.#offsets[this.#count]! + length <= PIECE_BYTES;
  }

  add(bytes: Uint8Array | null | undefined): void {
    const at = this.#offsets[this.#count]!;
    const isValid = bytes !== null && bytes !== undefined;
    this.#valid[this.#count] = isValid ? 1 : 0;
    this.#hasNull ||= !isValid;
    const end = at + (bytes?.length ?? 0);
    // A row that is longer than a batch is one alone.
    const wanted = Math.max(end, PIECE_BYTES);
    if (this.#count === 0 && this.#values.length !== wanted) this.#values = new Uint8Array(wanted);
    if (isValid) this.#values.set(bytes, at);
    this.#offsets[++this.#count] = end;
  }

  /** The rows, which are valid until the next one is added. */
  take(): Pick<ColumnBatch, "offsets" | "values" | "valid"> {
    const count = this.#count;
    const offsets = this.#offsets.subarray(0, count + 1);
    const rows = {
      offsets,
      values: this.#values.subarray(0, offsets[count]),
      valid: this.#hasNull ? this.#valid.subarray(0, count) : undefined,
    };
    this.#count = 0;
    this.#hasNull = false;
    return rows;
  }
}
