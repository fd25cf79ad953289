/**
 * The options of a corpus, with their checks and defaults.
 *
 * @module
 */
import { checkBoolean } from "../../arguments.ts";
import { show } from "../../errors.ts";
import type { Known } from "../../known_options.ts";
import { checkEncoding, type EncodingName } from "../../tokenizer/encodings.ts";
import { encodingOf, isKnownModel } from "../../tokenizer/models.ts";
import { specialMode, type SpecialTokenMode } from "../../tokenizer/options.ts";
import type { Dtype, FormatName } from "../formats/format.ts";
import { FORMAT_NAMES, formatOf } from "../formats/mod.ts";
import type { PlanOptions } from "./plan_types.ts";
import { VOCABULARIES, type Vocabulary } from "./vocabularies.ts";

/** Which token files are made. All options are part of the plan. */
export interface CorpusOptions {
  /** The encoding. Either this or {@linkcode CorpusOptions.model} is needed. */
  readonly encoding?: EncodingName | undefined;
  /** The model whose encoding is used. Its vocabulary must be public. */
  readonly model?: string | undefined;
  /** The format of the files. @default "bin" */
  readonly format?: FormatName | undefined;
  /**
   * The type of the ids. `"auto"` is `"u16"` if every id of the vocabulary is below 65,536, special tokens
   * included, and `"u32"` otherwise, so ids cannot overflow. For `"arrow"` it is `"u32"`.
   *
   * @default "auto"
   */
  readonly dtype?: "auto" | Dtype | undefined;
  /**
   * Where the text of a line is: the property of that name or, if there is none, the value at the names and
   * indices between its dots. In Parquet the column.
   *
   * @default "text"
   */
  readonly field?: string | undefined;
  /**
   * The field or column with the identifier of a document, which `"arrow"` and `"jsonl"` store beside its ids. Rows of
   * {@linkcode CorpusOptions.pack} have none.
   */
  readonly idField?: string | undefined;
  /** How the text of a special token is read. @default "text" */
  readonly special?: SpecialTokenMode | undefined;
  /**
   * Where `<|endoftext|>` stands: after each document, before it or nowhere.
   *
   * @default As readers of the format expect: `"append"` for `"bin"`, `"megatron"` and `"npy"`, `"prepend"` for
   * `"llmc"`, `"none"` for `"arrow"` and `"jsonl"`.
   */
  readonly eos?: "append" | "prepend" | "none" | undefined;
  /** Rows of this many ids instead of documents. */
  readonly pack?: number | undefined;
  /** Whether the last row of each shard is filled, and optionally with which id. @default false; `<|endoftext|>` */
  readonly pad?: boolean | number | undefined;
  /** Bytes of input for each shard. @default 256,000,000 */
  readonly unitBytes?: number | undefined;
  /**
   * Bytes of memory. A line that is longer than a third of it (or than 8 MiB, if that is more) is bad, and a page of Parquet
   * that needs more than that is refused.
   *
   * @default 1e9
   */
  readonly memory?: number | undefined;
}

export const CORPUS_OPTIONS: Known<CorpusOptions> = {
  encoding: true,
  model: true,
  format: true,
  dtype: true,
  field: true,
  idField: true,
  special: true,
  eos: true,
  pack: true,
  pad: true,
  unitBytes: true,
  memory: true,
};

const UNIT_BYTES = 256_000_000;
const MEMORY = 1_000_000_000;
const MOST_U16 = 65_536;
/** Lengths of rows have 31 bits in some formats. */
const MOST_PACKED = 2 ** 31 - 1;
/** Megatron's readers take 16 bits for vocabularies below this only. */
const MOST_U16_MEGATRON = 65_500;

/**
 * The options of a plan.
 *
 * @throws {TypeError | RangeError} Names the option and its value.
 */
export function planOptions(options: CorpusOptions): PlanOptions {
  const encoding = encodingFor(options);
  const vocabulary = VOCABULARIES[encoding];
  const format = oneOf("format", options.format ?? "bin", FORMAT_NAMES);
  const eosAt = oneOf(
    "eos",
    options.eos ?? formatOf(format).defaultEos,
    ["append", "prepend", "none"],
  );
  specialMode(options, 0);
  return {
    encoding,
    vocabulary: vocabulary.sha256,
    format,
    dtype: dtypeFor(options, encoding, format, vocabulary),
    field: fieldName("field", options.field ?? "text"),
    idField: idFieldFor(options, format),
    special: options.special ?? "text",
    eos: eosAt === "none" ? null : { at: eosAt, id: vocabulary.endOfText },
    pack: packFor(options, vocabulary),
    unitBytes: count("unitBytes", options.unitBytes ?? UNIT_BYTES),
    memory: count("memory", options.memory ?? MEMORY),
  };
}

function encodingFor({ encoding, model }: CorpusOptions): EncodingName {
  if (encoding !== undefined && model !== undefined) {
    throw new TypeError("encoding and model exclude each other");
  }
  if (encoding !== undefined) return checkEncoding(encoding, isKnownModel);
  if (model === undefined) throw new TypeError("encoding or model must be given");
  // Token files of another vocabulary than the model's are of no use, so nothing is estimated.
  return encodingOf(model, false).encoding;
}

function dtypeFor(
  { dtype = "auto" }: CorpusOptions,
  encoding: EncodingName,
  format: FormatName,
  { size }: Vocabulary,
): Dtype {
  const limit = format === "megatron" ? MOST_U16_MEGATRON : MOST_U16 + 1;
  const fits = size < limit;
  switch (oneOf("dtype", dtype, ["auto", "u16", "u32"])) {
    case "auto":
      // Readers of Arrow want signed 32-bit ids, as models do.
      return fits && format !== "arrow" ? "u16" : "u32";
    case "u16":
      if (fits) return "u16";
      throw new RangeError(
        `dtype "u16" cannot hold the ids of ${encoding}, which go up to ${size - 1}: use "u32"`,
      );
    case "u32":
      return "u32";
  }
}

function idFieldFor({ idField, pack }: CorpusOptions, format: FormatName): string | null {
  if (idField === undefined) return null;
  if (format !== "arrow" && format !== "jsonl") {
    throw new RangeError(
      `idField ${show(idField)}: the format "${format}" has no place for identifiers; ` +
        `"arrow" and "jsonl" have`,
    );
  }
  if (pack !== undefined) {
    throw new RangeError(
      `idField ${show(idField)}: rows of pack are no documents, and so have no identifiers`,
    );
  }
  return fieldName("idField", idField);
}

function packFor({ pack, pad }: CorpusOptions, vocabulary: Vocabulary): PlanOptions["pack"] {
  if (pack === undefined) {
    if (pad !== undefined && pad !== false) throw new RangeError("pad needs pack");
    return null;
  }
  return { length: count("pack", pack, MOST_PACKED), pad: padFor(pad, vocabulary) };
}

function padFor(pad: CorpusOptions["pad"], { endOfText, size }: Vocabulary): number | null {
  if (typeof pad !== "number") return checkBoolean("pad", pad ?? false) ? endOfText : null;
  if (Number.isInteger(pad) && pad >= 0 && pad < size) return pad;
  throw new RangeError(`pad must be an id from 0 to ${size - 1}, not ${show(pad)}`);
}

function fieldName(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new TypeError(`${name} must be a string, not ${show(value)}`);
  }
  if (value === "") throw new RangeError(`${name} must not be empty`);
  return value;
}

function count(name: string, value: unknown, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  const limit = most === Number.MAX_SAFE_INTEGER ? "" : ` up to ${most}`;
  throw new RangeError(`${name} must be a positive integer${limit}, not ${show(value)}`);
}

function oneOf<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (typeof value !== "string") {
    throw new TypeError(`${name} must be a string, not ${show(value)}`);
  }
  if (choices.includes(value)) return value;
  throw new RangeError(
    `${name} must be one of ${choices.map((one) => show(one)).join(", ")}, not ${show(value)}`,
  );
}
