/**
 * Random access to the documents of a corpus, by the counts in the records of its shards.
 *
 * @module
 */
import path from "node:path";
import { SluiceError } from "../../errors.ts";
import { formatOf } from "../formats/mod.ts";
import type { Commit, Plan } from "../plan/plan_types.ts";
import { readCommit } from "../unit/commit.ts";
import { shardName } from "../unit/names.ts";
import { formatOptions } from "../unit/tokenize_unit.ts";
import { checkUnit, openPlan } from "./inspect.ts";
import { expectedCounts } from "./unit_check.ts";

/** A document of a corpus, or a row if documents are packed. */
export interface CorpusDocument {
  /** The plan of the corpus. */
  readonly plan: Plan;
  /** The unit that has it, from 0. */
  readonly unit: number;
  /** Its number in the shard, from 0. */
  readonly index: number;
  /** All of its ids. */
  readonly ids: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  /** The ids without the end token. Rows have all ids, as end tokens are anywhere in them. */
  readonly text: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

/**
 * Reads document `n`, counted from 0 over the whole corpus.
 *
 * @param out The folder.
 * @param unit If given, `n` is counted from the beginning of this unit.
 * @throws {SluiceError} `SLUICE_CORPUS_NO_PLAN`, `SLUICE_CORPUS_DAMAGED`, or `SLUICE_CORPUS_INCOMPLETE` if the shard,
 * or one before it, is not committed.
 * @throws {RangeError} If there is no such document or unit.
 * @throws {FormatError} If the files are damaged.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { readDocument, tokenizeCorpus } from "sluice/corpus";
 *
 * writeFileSync("in.jsonl", '{"text":"Hello, world!"}\n');
 * await tokenizeCorpus(["in.jsonl"], "shown", { model: "gpt-5" });
 * const { ids } = await readDocument("shown", 0);
 * console.log([...ids]); // [ 13225, 11, 2375, 0, 199999 ]
 * ```
 */
export async function readDocument(
  out: string,
  n: number,
  unit?: number,
): Promise<CorpusDocument> {
  const plan = openPlan(out);
  checkUnit(plan, unit);
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`document ${n} is no number from 0`);
  const place = find(out, plan, n, unit);
  const { options, units } = plan;
  const name = shardName(place.unit, units.length);
  const read = formatOf(options.format).read;
  const pathOf = (suffix: string) => path.join(out, name + suffix);
  const ids = await read(pathOf, place.index, formatOptions(options));
  if (ids === undefined) {
    throw new SluiceError(
      "SLUICE_CORPUS_DAMAGED",
      `${pathOf("")} has no document ${place.index}, and its record says that it has`,
    );
  }
  return { plan, ...place, ids, text: withoutEnd(ids, plan) };
}

function find(
  out: string,
  plan: Plan,
  n: number,
  only: number | undefined,
): { readonly unit: number; readonly index: number } {
  const units = only === undefined ? plan.units.keys() : [only];
  let first = 0;
  for (const unit of units) {
    const commit = readCommit(out, plan, unit);
    if (commit === undefined) throw missing(out, plan, unit, n, only);
    const { documents } = expectedCounts(plan, commit as Commit);
    if (n < first + documents) return { unit, index: n - first };
    first += documents;
  }
  const where = only === undefined ? out : shardName(only, plan.units.length);
  throw new RangeError(
    `there is no ${
      plan.options.pack === null ? "document" : "row"
    } ${n}: ${where} has ${first}, from 0`,
  );
}

function missing(
  out: string,
  { units }: Plan,
  unit: number,
  n: number,
  only: number | undefined,
): SluiceError {
  const counted = only === undefined ? `, and document ${n} is counted over it or is in it` : "";
  return new SluiceError(
    "SLUICE_CORPUS_INCOMPLETE",
    `${out} is not complete: ${shardName(unit, units.length)} is missing or damaged${counted}`,
  );
}

function withoutEnd(
  ids: CorpusDocument["ids"],
  { options: { eos, pack } }: Plan,
): CorpusDocument["ids"] {
  if (eos === null || pack !== null) return ids;
  if (eos.at === "append" && ids.at(-1) === eos.id) return ids.subarray(0, -1);
  return eos.at === "prepend" && ids[0] === eos.id ? ids.subarray(1) : ids;
}
