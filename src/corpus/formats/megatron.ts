/**
 * The indexed data set of Megatron-LM and NeMo: ids without a header, and an index of sequences and documents.
 *
 * The index is a header of 34 bytes and three arrays: lengths of sequences in ids (32 bits), their first bytes (64
 * bits), and the first sequence of each document with one number more at the end (64 bits), all signed. A document is
 * one sequence, or none if it has no ids, as in Megatron. Lengths are written as they come. The other two arrays
 * follow from them and are written at the end, so memory is one bit for each document.
 *
 * @module
 */
import { BitList } from "./bit_list.ts";
import { closeAll, createFiles } from "./flat.ts";
import {
  type Block,
  type Dtype,
  type Format,
  FormatError,
  type FormatWriter,
  type WrittenFile,
} from "./format.ts";
import { HashedFile } from "./hashed_file.ts";
import { bytesOf, checkBlock, idBytes, idsOf, putU64 } from "./id_array.ts";
import { countMegatron, readMegatron } from "./megatron_read.ts";

/** `MMIDIDX`, two zeros, the version, the type of ids, and the numbers of sequences and document indices. */
const HEADER_BYTES = 34;

/** Megatron's codes of types. It has none for 32 bits unsigned; ids that are below 2^31 have the same bits. */
const CODES = { u16: 8, u32: 4 } as const;

/** From this size of the vocabulary on, Megatron takes 32 bits. */
const WIDE_VOCABULARY = 65_500;

/** Arrays are made in pieces of this number. */
const PIECE = 1 << 16;

/** Ids in `.bin`, the index in `.idx`. */
export const megatron: Format = {
  name: "megatron",
  suffixes: [".bin", ".idx"],
  defaultEos: "append",
  open: async (pathOf, { dtype, vocabularySize }) => {
    if (dtype === "u16" && vocabularySize >= WIDE_VOCABULARY) {
      throw new FormatError(
        `megatron takes u32 for a vocabulary of ${vocabularySize}: u16 only below ${WIDE_VOCABULARY}`,
      );
    }
    const files = await createFiles([
      () => new HashedFile(pathOf(".bin")),
      () => new HashedFile(pathOf(".idx"), HEADER_BYTES),
    ]);
    return new MegatronWriter(dtype, files);
  },
  read: (pathOf, n, { dtype }) => readMegatron(pathOf(".bin"), pathOf(".idx"), n, dtype),
  count: (pathOf, { dtype }) => countMegatron(pathOf(".bin"), pathOf(".idx"), dtype),
};

class MegatronWriter implements FormatWriter {
  readonly #dtype: Dtype;
  readonly #ids: HashedFile;
  readonly #index: HashedFile;
  /** For each document whether it has ids. */
  readonly #hasIds = new BitList();
  #sequences = 0;
  /** Ids of the document that has not ended. */
  #open = 0;

  constructor(dtype: Dtype, [ids, index]: readonly [HashedFile, HashedFile]) {
    this.#dtype = dtype;
    this.#ids = ids;
    this.#index = index;
  }

  // deno-lint-ignore require-await -- a failure is a rejection
  async write(block: Block): Promise<void> {
    checkBlock(block, this.#dtype);
    const { ids, ends } = block;
    this.#ids.write(bytesOf(ids));
    const lengths = new Int32Array(ends.length);
    let sequences = 0;
    let begin = -this.#open;
    for (const end of ends) {
      const length = end - begin;
      if (length >= 2 ** 31) {
        throw new FormatError(`a document has ${length} ids: too many for megatron`);
      }
      this.#hasIds.push(length > 0);
      if (length > 0) lengths[sequences++] = length;
      begin = end;
    }
    this.#open = ids.length - begin;
    this.#sequences += sequences;
    this.#index.write(bytesOf(lengths.subarray(0, sequences)));
  }

  async finish(): Promise<readonly WrittenFile[]> {
    const ids = await this.#ids.finish();
    await this.#writePointers();
    this.#writeDocuments();
    const index = await this.#index.finish(this.#header());
    return [{ suffix: ".bin", ...ids }, { suffix: ".idx", ...index }];
  }

  abort(): Promise<void> {
    return closeAll([this.#ids, this.#index]);
  }

  /** The first byte of each sequence, from the lengths that are in the file. */
  async #writePointers(): Promise<void> {
    const width = idBytes(this.#dtype);
    const pointers = new Uint32Array(2 * PIECE);
    let pointer = 0;
    for (let from = 0; from < this.#sequences; from += PIECE) {
      const n = Math.min(PIECE, this.#sequences - from);
      const lengths = idsOf(await this.#index.readBack(HEADER_BYTES + 4 * from, 4 * n), "u32");
      for (let i = 0; i < n; i++) {
        putU64(pointers, 2 * i, pointer);
        pointer += lengths[i]! * width;
      }
      this.#index.write(bytesOf(pointers.subarray(0, 2 * n)));
    }
  }

  /** The first sequence of each document, and the number of sequences. */
  #writeDocuments(): void {
    const indices = new Uint32Array(2 * PIECE);
    const documents = this.#hasIds.length;
    let sequence = 0;
    for (let from = 0; from <= documents; from += PIECE) {
      const n = Math.min(PIECE, documents + 1 - from);
      for (let i = 0; i < n; i++) {
        putU64(indices, 2 * i, sequence);
        if (from + i < documents && this.#hasIds.at(from + i)) sequence++;
      }
      this.#index.write(bytesOf(indices.subarray(0, 2 * n)));
    }
  }

  #header(): Uint8Array<ArrayBuffer> {
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    header.set(new TextEncoder().encode("MMIDIDX"));
    view.setBigUint64(9, 1n, true);
    view.setUint8(17, CODES[this.#dtype]);
    view.setBigUint64(18, BigInt(this.#sequences), true);
    view.setBigUint64(26, BigInt(this.#hasIds.length + 1), true);
    return header;
  }
}
