/**
 * What a format of token files is: a writer of blocks of documents, and a reader of one document.
 *
 * @module
 */

/** How ids are stored: 16 or 32 bits, unsigned, little-endian. */
export type Dtype = "u16" | "u32";

/** The name of a format, as on the command line. */
export type FormatName = "bin" | "megatron" | "npy" | "llmc" | "arrow" | "jsonl";

/** Ids of documents in order. */
export interface Block {
  /** The array may be overwritten once the promise of `write` has settled. */
  readonly ids: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  /** Where each document ends in `ids` that ends in this block. Ids behind the last are of a document that goes on. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** For each of `ends` the identifier of the document, if identifiers were asked for. */
  readonly names?: readonly (string | undefined)[] | undefined;
}

/** What a format needs to know. */
export interface FormatOptions {
  readonly dtype: Dtype;
  /** The id that ends or begins documents, if any. */
  readonly eos: number | undefined;
  readonly vocabularySize: number;
  /** Rows of `length` ids instead of documents. The last row of a shard is shorter or filled up. */
  readonly pack?: { readonly length: number; readonly pad: number | null } | null | undefined;
  /** Whether blocks have names: the identifiers of documents. Formats without a place for them ignore names. */
  readonly names?: boolean | undefined;
}

/** A shard cannot be written in a format, or is not a file of it. */
export class FormatError extends Error {
  /** Always `"FormatError"`. */
  override readonly name = "FormatError";
}

/** A file that was written. */
export interface WrittenFile {
  /** The suffix behind the name of the shard, such as `.bin`. */
  readonly suffix: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes the files of one shard. All files are written under temporary names, and only the commit renames them.
 * Every failure of the system (ENOSPC, EIO) is thrown unchanged.
 */
export interface FormatWriter {
  write(block: Block): Promise<void>;
  /** Completes and closes the files and asks the system to store them (fsync). */
  finish(): Promise<readonly WrittenFile[]>;
  /** Closes the files without completing them. */
  abort(): Promise<void>;
}

export interface Format {
  readonly name: FormatName;
  /** The suffixes of its files in the order in which they are renamed; the index comes after the data. */
  readonly suffixes: readonly string[];
  readonly defaultEos: "append" | "prepend" | "none";
  /** @param pathOf The temporary path of the file with a suffix. */
  open(pathOf: (suffix: string) => string, options: FormatOptions): Promise<FormatWriter>;
  /**
   * The ids of document (or row, if packed) `n` from 0 of a shard, and undefined beyond its last. O(length of the
   * document); O(length of the shard) in `jsonl`, and O(record batches) in `arrow`, which have no index.
   */
  read(
    pathOf: (suffix: string) => string,
    n: number,
    options: FormatOptions,
  ): Promise<Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | undefined>;
  /** What the files of a shard have, as far as they tell. O(1); as {@linkcode read} in `jsonl` and `arrow`. */
  count(pathOf: (suffix: string) => string, options: FormatOptions): Promise<ShardCounts>;
}

/** What is in a shard. */
export interface ShardCounts {
  /** Documents, or rows if packed. */
  readonly documents: number;
  /** Ids, padding included. */
  readonly ids: number | undefined;
}
