/**
 * What is given to and returned by the calls on chunks of JSON Lines and on columns of texts.
 *
 * @module
 */
import type { TextOptions } from "./options.ts";

/**
 * Why a line has no ids. `"ok"` is a document. `"blank"` is a line of white space: neither a document nor bad.
 */
export type LineReason =
  | "ok"
  | "blank"
  | "not-json"
  | "not-object"
  | "no-field"
  | "not-string"
  | "not-utf8"
  | "special-token"
  | "too-wide"
  | "too-long";

/** Where a token that marks the end of a text stands: after each text, or before it. */
export interface EosOptions {
  /** The id of the token. */
  readonly id: number;
  /** Where it stands. @default "append" */
  readonly at?: "append" | "prepend" | undefined;
}

/** Options of {@linkcode Tokenizer.countLines}. */
export interface CountLinesOptions extends TextOptions {
  /**
   * Where the text of a line is: the property of that name or, if there is none, the value at the names and
   * indices between its dots.
   *
   * @default "text"
   */
  readonly field?: string | undefined;
  /** Whether the last line is complete without a line feed. @default true */
  readonly isLast?: boolean | undefined;
}

/** How ids are written. */
export interface IdOptions extends TextOptions {
  /** The type of the ids. With `"u16"` a text with an id of 65,536 or more is refused. @default "u32" */
  readonly dtype?: "u16" | "u32" | undefined;
  /** A token that is added to each text. @default None. */
  readonly eos?: EosOptions | undefined;
}

/** Options of {@linkcode Tokenizer.encodeLines}. */
export interface EncodeLinesOptions extends CountLinesOptions, IdOptions {}

/** Options of {@linkcode Tokenizer.encodeColumn}. */
export interface EncodeColumnOptions extends IdOptions {}

/** An option of calls that work off the event loop. */
export interface SignalOptions {
  /** Ends the work when it aborts, and rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode Tokenizer.countLinesAsync}. */
export interface CountLinesAsyncOptions extends CountLinesOptions, SignalOptions {}

/** Options of {@linkcode Tokenizer.encodeLinesAsync}. */
export interface LinesAsyncOptions extends EncodeLinesOptions, SignalOptions {}

/** Options of {@linkcode Tokenizer.encodeColumnAsync}. */
export interface ColumnAsyncOptions extends EncodeColumnOptions, SignalOptions {}

/** What is known of a chunk of lines beside the tokens of its texts. */
export interface ReadLines {
  /** Bytes of complete lines: all of them, or those up to the last line feed if the chunk is not the last. */
  readonly consumed: number;
  /** The number of complete lines. */
  readonly lines: number;
  /** For each line one of the `LINE_*` constants; `lineReason` names it. 0 is a document. */
  readonly reasons: Uint8Array<ArrayBuffer>;
  /** For each line the offset of its first byte in the chunk. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** How many lines are neither documents nor blank. */
  readonly bad: number;
}

/** The token counts of the texts of a chunk of lines. The arrays are valid until the tokenizer reads lines or a column again. */
export interface CountedLines extends ReadLines {
  /** For each line the tokens of its text; 0 if it has none. */
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** The ids of the texts of a chunk of lines. The arrays are valid until the tokenizer reads lines or a column again. */
export interface EncodedLines extends ReadLines {
  /** The ids of all texts, one text after the other. */
  readonly ids: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  /** For each line where its ids end in {@linkcode ids}. A line without ids ends where the one before it does. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** The greatest of the ids, that of the end token included; -1 if there are none. */
  readonly maxId: number;
}

/** A column of texts, as Arrow and Parquet lay it out. */
export interface TextColumn {
  /** Where each text begins in {@linkcode values}, and then where the last one ends: one number more than there are texts. */
  readonly offsets: Int32Array | BigInt64Array;
  /** The texts as UTF-8, one after the other. */
  readonly values: Uint8Array;
  /** For each row whether it has a text: 0 for a null. @default All rows have one. */
  readonly valid?: Uint8Array | undefined;
}

/** What is known of a column beside the tokens of its texts. */
export interface ReadColumn {
  /** For each row one of the `LINE_*` constants; `lineReason` names it. A null is `"not-string"`. */
  readonly reasons: Uint8Array<ArrayBuffer>;
  /** How many rows are not documents. */
  readonly bad: number;
}

/** The token counts of a column. The arrays are valid until the tokenizer reads lines or a column again. */
export interface CountedColumn extends ReadColumn {
  /** For each row the tokens of its text; 0 if it has none. */
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** The ids of a column. The arrays are valid until the tokenizer reads lines or a column again. */
export interface EncodedColumn extends ReadColumn {
  /** The ids of all texts, one text after the other. */
  readonly ids: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  /** For each row where its ids end in {@linkcode ids}. A row without ids ends where the one before it does. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** The greatest of the ids, that of the end token included; -1 if there are none. */
  readonly maxId: number;
}
