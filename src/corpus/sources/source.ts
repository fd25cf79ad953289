/**
 * What a unit reads: batches of lines, of rows of a column, or pieces of one text.
 *
 * @module
 */
import { printable } from "../../files/file_path.ts";

/** Complete lines of JSON. The last line may lack its line feed at the end of the file. */
export interface LineBatch {
  readonly kind: "lines";
  /** Valid until the next batch is asked for. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offset of `bytes` in the file; in a compressed file, in what it decompresses to. */
  readonly offset: number;
}

/** Rows of a column of texts, as Arrow lays them out. The arrays are valid until the next batch is asked for. */
export interface ColumnBatch {
  readonly kind: "column";
  /** One number more than there are rows. */
  readonly offsets: Int32Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
  /** For each row 1 if it has a text and 0 if it is null, or undefined if no row is null. */
  readonly valid: Uint8Array<ArrayBuffer> | undefined;
  /** The number of the first row in the file. */
  readonly firstRow: number;
  /** The identifiers of the rows, if they were asked for. */
  readonly ids?: readonly (string | undefined)[] | undefined;
}

/** A piece of the text of one document, which is a whole file. Pieces are not cut in particular places. */
export interface TextBatch {
  readonly kind: "text";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offset: number;
  /** Whether the text ends with this piece. */
  readonly isLast: boolean;
}

/** One line of JSON Lines that is too long to be kept in memory. */
export interface LongLine {
  readonly kind: "long-line";
  /** The offset of its first byte, as in {@linkcode LineBatch.offset}. */
  readonly offset: number;
  /** Its length in bytes without the line feed. */
  readonly length: number;
  /** Its first bytes, at most 64 KiB. */
  readonly head: Uint8Array<ArrayBuffer>;
}

export type Batch = LineBatch | LongLine | ColumnBatch | TextBatch;

/** A part of a unit: a range of one input file. */
export interface Part {
  /** The file's index in the plan. */
  readonly file: number;
  /** First byte (JSON Lines), row group (Parquet), or 0. A unit has the lines that begin in its range. */
  readonly from: number;
  /** The end of the range, exclusive. */
  readonly to: number;
}

/** A part, and how many bytes of input it is. */
export interface SizedPart {
  readonly part: Part;
  /** Bytes of the file; of Parquet the compressed bytes of the column. */
  readonly bytes: number;
}

/** How the file is read: by its suffix, or by what the caller says. */
export type FileKind =
  | "jsonl"
  | "jsonl.gz"
  | "jsonl.zst"
  | "parquet"
  | "text"
  | "text.gz"
  | "text.zst";

/** An input file, as it was when the plan was made. */
export interface InputFile {
  /** The path that was given or found; `-` is standard input. */
  readonly path: string;
  /** How it is read. */
  readonly kind: FileKind;
  /** Its size in bytes; 0 for standard input. */
  readonly size: number;
  /** Whole milliseconds since 1970, because some runtimes know no more. */
  readonly mtime: number;
}

/** Options of reading. */
export interface ReadOptions {
  /** The field of JSON Lines, or the column of Parquet (dots for nested fields). */
  readonly field: string;
  /** The field or column with a document's identifier. */
  readonly idField?: string | undefined;
  /** A third of it is the most bytes of a line or of a page of Parquet, because the ids need room too. */
  readonly memory: number;
  /**
   * Is called with the bytes of the *input file* (compressed bytes of compressed files) that were read. The sum of a
   * part is {@linkcode SizedPart.bytes}.
   */
  readonly onRead?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A source could not be read: gone, changed, torn, or of another format. Names the file. */
export class SourceError extends Error {
  /** For messages and logs. */
  override readonly name = "SourceError";

  /** The error of a file, whose name cannot control a terminal or break a line. */
  static of(path: string, what: string, cause?: unknown): SourceError {
    return new SourceError(`${printable(path)}: ${what}`, { cause });
  }
}
