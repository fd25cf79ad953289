/**
 * The plan of a corpus, and the record that commits each of its units.
 *
 * @module
 */
import type { Dtype, FormatName } from "../formats/format.ts";
import type { InputFile, Part } from "../sources/source.ts";
import type { EncodingName } from "../../tokenizer/encodings.ts";
import type { SpecialTokenMode } from "../../tokenizer/options.ts";

/** Everything that decides which bytes are written. Neither threads, machines nor the runtime are in it. */
export interface PlanOptions {
  /** The encoding. */
  readonly encoding: EncodingName;
  /** SHA-256 of the vocabulary, in hexadecimal. */
  readonly vocabulary: string;
  /** The format of the token files. */
  readonly format: FormatName;
  /** The type of the ids. */
  readonly dtype: Dtype;
  /** Where the text of a line or row is. */
  readonly field: string;
  /** Where its identifier is. */
  readonly idField: string | null;
  /** How the text of a special token is read. */
  readonly special: SpecialTokenMode;
  /** The end token, and where it stands. */
  readonly eos: { readonly at: "append" | "prepend"; readonly id: number } | null;
  /** The length of rows, and the id that fills the last one. */
  readonly pack: { readonly length: number; readonly pad: number | null } | null;
  /** The most bytes of input of a unit of several parts. */
  readonly unitBytes: number;
  /** See {@linkcode CorpusOptions.memory}. It decides which lines are too long, so it is in the plan. */
  readonly memory: number;
}

/** The work of one shard. */
export interface Unit {
  /** What is read, in this order. */
  readonly parts: readonly Part[];
  /** Bytes of input. */
  readonly bytes: number;
}

/** `plan.json`. */
export interface Plan {
  /** The version of this file. */
  readonly version: 1;
  /** The version of sluice that made it. */
  readonly sluice: string;
  /** What decides which bytes are written. */
  readonly options: PlanOptions;
  /** The input files, in the order of the code points of their paths. */
  readonly files: readonly InputFile[];
  /** The units, each of which becomes a shard. */
  readonly units: readonly Unit[];
}

/** A file of a shard. */
export interface ShardFile {
  /** Its path in the folder, with `/` as separator. */
  readonly name: string;
  /** Its size. */
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** `shard-NNNNN-of-NNNNN.json`, which is renamed last: a unit without it does not exist. */
export interface Commit {
  /** The number of the unit, from 0. */
  readonly unit: number;
  /** Lines, rows or text files that were read: documents, bad ones and blank ones. */
  readonly lines: number;
  /** Those with a text. */
  readonly documents: number;
  /** Documents of no ids besides the end token; they are among `documents`. */
  readonly empty: number;
  /** Those without a text, which are in the quarantine. */
  readonly bad: number;
  /** Lines of white space. */
  readonly blank: number;
  /** Ids, end tokens included. */
  readonly tokens: number;
  /** The greatest id, or -1. */
  readonly maxId: number;
  /** Bytes of input that were read. */
  readonly inputBytes: number;
  /** The files of the shard, in the order in which they got their names. */
  readonly files: readonly ShardFile[];
}
