/**
 * The encode stage: batches of lines or rows become blocks of ids, in one crossing each.
 *
 * JavaScript looks at single documents only where some have no ids, or where identifiers are wanted.
 *
 * @module
 */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { LINE_BLANK, LINE_OK } from "../../ffi/symbols.gen.ts";
import { lineReason } from "../../tokenizer/line_reasons.ts";
import type { EncodeLinesOptions, LineReason } from "../../tokenizer/line_types.ts";
import type { Block } from "../formats/format.ts";
import type { PlanOptions } from "../plan/plan_types.ts";
import type { ColumnBatch, LineBatch } from "../sources/source.ts";
import { idsOfLines } from "./line_ids.ts";
import type { Totals } from "./totals.ts";

/** A line or row without a document. */
export interface BadEntry {
  readonly reason: LineReason;
  /** The index of the line or row in its batch. */
  readonly index: number;
  /** What it consists of; undefined for a null. */
  readonly raw: Uint8Array | undefined;
  /** The offset of its first byte in the batch. */
  readonly start: number;
}

/** The documents of a batch and the rest of it, both valid until the next batch is encoded. */
export interface EncodedBatch {
  readonly block: Block;
  /** Made one by one, since a batch can have millions. */
  readonly bad: Iterable<BadEntry>;
}

/** What is known of the lines or rows of a batch, besides their ids. */
interface Read {
  readonly ids: Block["ids"];
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly reasons: Uint8Array<ArrayBuffer>;
  readonly bad: number;
  readonly maxId: number;
}

/** Encodes the batches of a unit, and counts. */
export class BatchEncoder {
  readonly #tokenizer: Tokenizer;
  readonly #options: EncodeLinesOptions;
  readonly #idField: string | null;
  readonly #totals: Totals;
  /** Ids of a document without text. */
  readonly #least: number;

  constructor(tokenizer: Tokenizer, options: PlanOptions, totals: Totals) {
    const { field, dtype, special, eos, idField } = options;
    this.#tokenizer = tokenizer;
    this.#options = { field, dtype, special, ...eos === null ? {} : { eos } };
    this.#idField = idField;
    this.#totals = totals;
    this.#least = eos === null ? 0 : 1;
  }

  /** Encodes the lines of a batch. */
  lines({ bytes }: LineBatch): EncodedBatch {
    const read = this.#tokenizer.encodeLines(bytes, this.#options);
    const { starts } = read;
    const lineOf = (index: number) => {
      const end = starts[index + 1] ?? bytes.length;
      return bytes.subarray(starts[index], bytes[end - 1] === 0x0a ? end - 1 : end);
    };
    this.#count(read);
    const names = this.#idField === null
      ? undefined
      : idsOfLines(bytes, starts, read.reasons, this.#idField);
    const entryOf = (index: number) => ({ raw: lineOf(index), start: starts[index]! });
    return { block: blockOf(read, names), bad: badOf(read, entryOf) };
  }

  /** Encodes the rows of a batch. */
  rows(batch: ColumnBatch): EncodedBatch {
    const { offsets, values, valid, ids } = batch;
    const { field: _, ...options } = this.#options;
    const column = { offsets, values, ...valid === undefined ? {} : { valid } };
    const read = this.#tokenizer.encodeColumn(column, options);
    this.#count(read);
    const entryOf = (index: number) => {
      const raw = valid?.[index] === 0
        ? undefined
        : values.subarray(offsets[index], offsets[index + 1]);
      return { raw, start: offsets[index]! };
    };
    const names = this.#idField === null ? undefined : ids;
    return { block: blockOf(read, names), bad: badOf(read, entryOf) };
  }

  #count({ ids, ends, reasons, bad, maxId }: Read): void {
    const totals = this.#totals;
    const least = this.#least;
    let [blank, short, before] = [0, 0, 0];
    for (let i = 0; i < reasons.length; i++) {
      const end = ends[i]!;
      if (end - before === least) short++;
      before = end;
    }
    for (let i = 0; i < reasons.length; i++) {
      const reason = reasons[i]!;
      if (reason === LINE_OK) continue;
      if (least === 0) short--; // It has no ids either.
      if (reason === LINE_BLANK) blank++;
    }
    totals.lines += reasons.length;
    totals.bad += bad;
    totals.blank += blank;
    totals.documents += reasons.length - bad - blank;
    totals.empty += short;
    totals.tokens += ids.length;
    totals.maxId = Math.max(totals.maxId, maxId);
  }
}

function blockOf({ ids, ends, reasons }: Read, names: Block["names"]): Block {
  if (reasons.every((reason) => reason === LINE_OK)) return { ids, ends, names };
  const isDocument = (_: unknown, i: number) => reasons[i] === LINE_OK;
  return { ids, ends: ends.filter(isDocument), names: names?.filter(isDocument) };
}

function* badOf(
  { reasons, bad }: Read,
  entryOf: (index: number) => Pick<BadEntry, "raw" | "start">,
): Generator<BadEntry> {
  if (bad === 0) return;
  for (const [index, reason] of reasons.entries()) {
    if (reason === LINE_OK || reason === LINE_BLANK) continue;
    yield { reason: lineReason(reason), index, ...entryOf(index) };
  }
}
