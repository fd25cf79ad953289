/**
 * Writes an Arrow IPC stream one record batch after the other.
 *
 * The library writes whole tables: a schema message, record batches, and an end mark. A stream is those messages one
 * after the other, so each batch is written as a table of its own, without its schema and end mark. A batch ends
 * with the document that fills it, so blocks do not change the bytes.
 *
 * @module
 */
import {
  type Batch,
  batchType,
  Column,
  columnFromArray,
  field,
  int32,
  list,
  type Table,
  tableFromColumns,
  tableToIPC,
  uint16,
  utf8,
} from "@uwdata/flechette";
import {
  type Block,
  FormatError,
  type FormatOptions,
  type FormatWriter,
  type WrittenFile,
} from "./format.ts";
import { HashedFile } from "./hashed_file.ts";
import { checkBlock, type IdArray } from "./id_array.ts";

/** A record batch ends with the document that makes it this long. */
const BATCH_IDS = 1 << 20;

/** The most documents of a record batch. */
const BATCH_ROWS = 1 << 14;

/** Lists have ends of 32 bits, signed. */
const MAX_BATCH_IDS = 2 ** 31 - 1;

/** A continuation mark and a length of zero. */
const END_BYTES = 8;

const NO_VALIDITY = new Uint8Array(0);

/** Keeps one record batch in memory, or one document if it is longer. */
export class ArrowWriter implements FormatWriter {
  readonly #suffix: string;
  readonly #options: FormatOptions;
  readonly #file: HashedFile;
  readonly #schema: Uint8Array;
  #ids: IdArray;
  #used = 0;
  readonly #offsets = new Int32Array(BATCH_ROWS + 1);
  #rows = 0;
  #names: (string | null)[] = [];

  constructor(path: string, suffix: string, options: FormatOptions) {
    this.#suffix = suffix;
    this.#options = options;
    this.#ids = this.#newIds(BATCH_IDS);
    this.#schema = schemaMessage(this.#table());
    this.#file = new HashedFile(path);
    this.#file.write(this.#schema);
  }

  // deno-lint-ignore require-await -- a failure is a rejection
  async write(block: Block): Promise<void> {
    checkBlock(block, this.#options.dtype);
    const { ids, ends } = block;
    let begin = 0;
    for (let i = 0; i < ends.length;) {
      const next = this.#place(block, i, begin);
      const end = ends[next - 1]!;
      this.#append(ids.subarray(begin, end));
      if (this.#isFull()) this.#writeBatch();
      begin = end;
      i = next;
    }
    this.#append(ids.subarray(begin));
  }

  async finish(): Promise<readonly WrittenFile[]> {
    if (this.#rows > 0) this.#writeBatch();
    this.#file.write(new Uint8Array(new Int32Array([-1, 0]).buffer));
    return [{ suffix: this.#suffix, ...await this.#file.finish() }];
  }

  abort(): Promise<void> {
    return this.#file.close();
  }

  /**
   * Gives documents from the `i`th on a place in the batch until it is full.
   *
   * @param begin Where in the block the first of them begins.
   * @returns The number of the first document that has none.
   */
  #place({ ends, names }: Block, i: number, begin: number): number {
    const before = this.#used - begin;
    let end: number;
    do {
      end = before + ends[i]!;
      this.#offsets[++this.#rows] = end;
      if (this.#options.names) this.#names.push(names?.[i] ?? null);
      i++;
    } while (i < ends.length && end < BATCH_IDS && this.#rows < BATCH_ROWS);
    return i;
  }

  #append(ids: IdArray): void {
    const needed = this.#used + ids.length;
    if (needed > MAX_BATCH_IDS) {
      throw new FormatError(`a document has more than ${MAX_BATCH_IDS} ids: too many for arrow`);
    }
    if (needed > this.#ids.length) {
      const grown = this.#newIds(Math.max(needed, 2 * this.#ids.length));
      grown.set(this.#ids.subarray(0, this.#used));
      this.#ids = grown;
    }
    this.#ids.set(ids, this.#used);
    this.#used = needed;
  }

  #isFull(): boolean {
    return this.#rows > 0 && (this.#offsets[this.#rows]! >= BATCH_IDS || this.#rows === BATCH_ROWS);
  }

  #writeBatch(): void {
    const messages: Uint8Array[] = [];
    tableToIPC(this.#table(), {
      sink: {
        write: (bytes) => void messages.push(bytes),
        pad: (count) => void messages.push(new Uint8Array(count)),
        finish: () => null,
      },
    });
    const total = messages.reduce((sum, { length }) => sum + length, 0);
    let position = 0;
    for (const bytes of messages) {
      const from = Math.max(0, this.#schema.length - position);
      const to = Math.min(bytes.length, total - END_BYTES - position);
      if (from < to) this.#file.write(bytes.subarray(from, to));
      position += bytes.length;
    }
    if (this.#ids.length > 4 * BATCH_IDS) this.#ids = this.#newIds(BATCH_IDS);
    this.#used = 0;
    this.#rows = 0;
    this.#names = [];
  }

  /** The documents in memory as a table, whose columns are views. */
  #table(): Table {
    const rows = this.#rows;
    const values = this.#ids.subarray(0, this.#used);
    const itemType = this.#options.dtype === "u16" ? uint16() : int32();
    const type = list(field("item", itemType));
    const items: Batch<number> = new (batchType(itemType))({
      length: values.length,
      nullCount: 0,
      type: itemType,
      validity: NO_VALIDITY,
      values: values instanceof Uint16Array
        ? values
        : new Int32Array(values.buffer, values.byteOffset, values.length),
    });
    const lists: Batch<unknown> = new (batchType(type))({
      length: rows,
      nullCount: 0,
      type,
      validity: NO_VALIDITY,
      offsets: this.#offsets.subarray(0, rows + 1),
      children: [items],
    });
    const ids: [string, Column<unknown>] = [
      "input_ids",
      new Column(rows === 0 ? [] : [lists], type),
    ];
    if (!this.#options.names) return tableFromColumns([ids]);
    return tableFromColumns([["id", columnFromArray(this.#names, utf8())], ids]);
  }

  #newIds(length: number): IdArray {
    return this.#options.dtype === "u16" ? new Uint16Array(length) : new Uint32Array(length);
  }
}

/** The first message of the stream of a table. */
function schemaMessage(table: Table): Uint8Array {
  const stream = tableToIPC(table, { format: "stream" })!;
  const { length } = stream;
  return stream.subarray(0, length - END_BYTES);
}
