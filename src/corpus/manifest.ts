/**
 * `manifest.json`: the sums over all units, and a hash over the hashes of their files. It appears when all units are
 * committed, and its absence is the sign that the corpus is not complete.
 *
 * @module
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { SluiceError } from "../errors.ts";
import { writeDurably } from "./durable.ts";
import { clearTemporary, needPlan } from "./folder.ts";
import type { Commit, Plan, PlanOptions } from "./plan/plan_types.ts";
import { commitPath, readCommit } from "./unit/commit.ts";
import { MANIFEST_NAME, shardName } from "./unit/names.ts";
import { addTotals, noTotals, type Totals } from "./unit/totals.ts";

/** Missing units that are named. */
const MOST_NAMED = 5;

/** `manifest.json`. */
export interface Manifest extends Readonly<Totals> {
  /** The version of this file. */
  readonly version: 1;
  /** The encoding. */
  readonly encoding: PlanOptions["encoding"];
  /** The format of the token files. */
  readonly format: PlanOptions["format"];
  /** The type of the ids. */
  readonly dtype: PlanOptions["dtype"];
  /** The end token, and where it stands. */
  readonly eos: PlanOptions["eos"];
  /** The length of rows, if documents are packed. */
  readonly pack: PlanOptions["pack"];
  /** The names of the shards in order, with what is in each. */
  readonly shards: readonly {
    readonly name: string;
    readonly documents: number;
    readonly tokens: number;
  }[];
  /** SHA-256 over a line `name sha256` for each file, in the order of shards. In hexadecimal. */
  readonly tree: string;
}

/** Reads the records of those of `units` that are committed and not yet in `commits`. */
export function readCommits(
  out: string,
  plan: Plan,
  units: Iterable<number>,
  commits: Map<number, Commit> = new Map(),
): Map<number, Commit> {
  for (const unit of units) {
    if (commits.has(unit)) continue;
    const commit = readCommit(out, plan, unit);
    if (commit !== undefined) commits.set(unit, commit);
  }
  return commits;
}

/** The names of shards that have a record and are not committed: it is damaged, or a file has another size. */
export function damagedOf(
  out: string,
  { units }: Plan,
  own: readonly number[],
  commits: ReadonlyMap<number, Commit>,
): string[] {
  return own
    .filter((unit) => !commits.has(unit) && fs.existsSync(commitPath(out, unit, units.length)))
    .map((unit) => shardName(unit, units.length));
}

/**
 * Completes a corpus of which all units are committed: writes `manifest.json`. To do it again writes the same.
 *
 * @param out The folder.
 * @throws {SluiceError} `SLUICE_CORPUS_INCOMPLETE`, and the message names the missing shards; `SLUICE_CORPUS_NO_PLAN`.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { finishCorpus, planCorpus, tokenizeUnit } from "sluice/corpus";
 *
 * writeFileSync("in.jsonl", '{"text":"Hello, world!"}\n');
 * const plan = await planCorpus(["in.jsonl"], "finished", { model: "gpt-5" });
 * for (const unit of plan.units.keys()) await tokenizeUnit("finished", unit);
 * const { documents, tokens } = finishCorpus("finished");
 * console.log(documents, tokens); // 1 5
 * ```
 */
export function finishCorpus(out: string): Manifest {
  const plan = needPlan(out);
  const commits = readCommits(out, plan, plan.units.keys());
  const missing = [...plan.units.keys()].filter((unit) => !commits.has(unit));
  if (missing.length > 0) throw incomplete(out, plan, missing);
  // Workers of a queue take no lock, and one that was killed leaves its files.
  clearTemporary(out, []);
  return writeManifest(out, plan, commits);
}

/** @param commits Those of all units. */
export function writeManifest(
  out: string,
  plan: Plan,
  commits: ReadonlyMap<number, Commit>,
): Manifest {
  const manifest = manifestOf(plan, [...plan.units.keys()].map((unit) => commits.get(unit)!));
  const at = path.join(out, MANIFEST_NAME);
  const text = manifestText(manifest);
  if (!fs.existsSync(at) || fs.readFileSync(at, "utf8") !== text) writeDurably(at, text);
  return manifest;
}

/** @param commits Those of all units, in order. */
export function manifestOf({ options, units }: Plan, commits: readonly Commit[]): Manifest {
  const totals = noTotals();
  const hash = createHash("sha256");
  for (const commit of commits) {
    addTotals(totals, commit);
    for (const { name, sha256 } of commit.files) hash.update(`${name} ${sha256}\n`);
  }
  const { encoding, format, dtype, eos, pack } = options;
  const shards = commits.map(({ unit, documents, tokens }) => ({
    name: shardName(unit, units.length),
    documents,
    tokens,
  }));
  return {
    version: 1,
    encoding,
    format,
    dtype,
    eos,
    pack,
    ...totals,
    shards,
    tree: hash.digest("hex"),
  };
}

/** The text of the file, with a line for each shard. */
export function manifestText({ shards, tree, ...rest }: Manifest): string {
  const lines = shards.map((shard) => JSON.stringify(shard)).join(",\n");
  const list = lines === "" ? "[]" : `[\n${lines}\n]`;
  return `${JSON.stringify(rest).slice(0, -1)},\n"shards":${list},\n"tree":"${tree}"}\n`;
}

function incomplete(out: string, { units }: Plan, missing: readonly number[]): SluiceError {
  const named = missing.slice(0, MOST_NAMED).map((unit) => shardName(unit, units.length));
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : "";
  return new SluiceError(
    "SLUICE_CORPUS_INCOMPLETE",
    `${out} is not complete: ${missing.length} of ${units.length} shards are missing: ${
      named.join(", ")
    }${more}`,
  );
}
