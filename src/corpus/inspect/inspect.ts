/**
 * Checks of a corpus: its plan, the record and files of each unit, and its manifest.
 *
 * @module
 */
import { checkKnown, type Known } from "../../known_options.ts";
import fs from "node:fs";
import path from "node:path";
import { SluiceError } from "../../errors.ts";
import { codeOf } from "../durable.ts";
import { needPlan } from "../folder.ts";
import { FORMAT_NAMES } from "../formats/mod.ts";
import { type Manifest, manifestOf, manifestText } from "../manifest.ts";
import type { Commit, Plan } from "../plan/plan_types.ts";
import { VOCABULARIES } from "../plan/vocabularies.ts";
import {
  BAD_FOLDER,
  MANIFEST_NAME,
  parseShardName,
  parseTemporary,
  PLAN_NAME,
} from "../unit/names.ts";
import { addTotals, noTotals, type Totals } from "../unit/totals.ts";
import { checkFiles, checkRecord, type CorpusProblem } from "./unit_check.ts";

/** What a corpus is, and what is wrong with it. */
export interface Inspection extends Readonly<Totals> {
  /** Whether all units are committed and `manifest.json` is there. */
  readonly isComplete: boolean;
  /** The plan of the corpus. */
  readonly plan: Plan;
  /** The committed units among those that were inspected. */
  readonly committed: number;
  /** The units that were inspected. */
  readonly inspected: number;
  /** The number of files of committed units. */
  readonly files: number;
  /** The bytes of these files. */
  readonly bytes: number;
  /** The hash over all files, if all units are committed. */
  readonly tree: string | undefined;
  /** Temporary files, and files of units that are not committed. They are replaced when the corpus is completed. */
  readonly unfinished: readonly string[];
  /** What is wrong, in the order of the units. */
  readonly problems: readonly CorpusProblem[];
}

/** Options of {@linkcode inspectCorpus}. */
export interface InspectOptions {
  /** Only this unit, from 0. @default All units, the manifest, and the names of all files. */
  readonly unit?: number | undefined;
  /** Is called once with the number of bytes that will be read. */
  readonly onStart?: ((bytes: number) => void) | undefined;
  /** Is called with the number of bytes of each piece that was read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

const INSPECT_OPTIONS: Known<InspectOptions> = { unit: true, onStart: true, onRead: true };

/**
 * Checks the files of a corpus against its records, and the records against each other. O(bytes).
 *
 * A corpus that is not complete can be inspected too, also while it is written.
 *
 * @param out The folder.
 * @throws {SluiceError} `SLUICE_CORPUS_NO_PLAN`; `SLUICE_CORPUS_DAMAGED` if the plan cannot be read.
 * @throws {RangeError} If there is no such unit.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { inspectCorpus, tokenizeCorpus } from "sluice/corpus";
 *
 * writeFileSync("in.jsonl", '{"text":"Hello, world!"}\n');
 * await tokenizeCorpus(["in.jsonl"], "inspected", { model: "gpt-5" });
 * const { isComplete, documents, problems } = await inspectCorpus("inspected");
 * console.log(isComplete, documents, problems); // true 1 []
 * ```
 */
export async function inspectCorpus(
  out: string,
  options: InspectOptions = {},
): Promise<Inspection> {
  checkKnown<InspectOptions>("options", options, INSPECT_OPTIONS);
  const { unit, onStart, onRead = () => {} } = options;
  const plan = openPlan(out);
  checkUnit(plan, unit);
  const units = unit === undefined ? [...plan.units.keys()] : [unit];
  const problems: CorpusProblem[] = [...vocabularyProblems(plan)];
  const commits = new Map<number, Commit>();
  const damaged = new Set<number>();
  for (const each of units) {
    const { commit, problems: wrong } = checkRecord(out, plan, each);
    problems.push(...wrong);
    if (wrong.length > 0) damaged.add(each);
    if (commit !== undefined) commits.set(each, commit);
  }
  const totals = noTotals();
  const files = [...commits.values()].flatMap((commit) => commit.files);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  onStart?.(bytes);
  for (const [each, commit] of commits) {
    addTotals(totals, commit);
    if (!damaged.has(each)) problems.push(...await checkFiles(out, plan, commit, onRead));
  }
  const isAll = unit === undefined && commits.size === plan.units.length;
  const manifest = isAll ? manifestOf(plan, [...commits.values()]) : undefined;
  let hasManifest = false;
  let unfinished: readonly string[] = [];
  if (unit === undefined) {
    const found = readManifest(out);
    hasManifest = found !== undefined;
    if (found !== undefined) problems.push(...manifestProblems(found, manifest));
    const names = checkNames(out, plan, new Set([...commits.keys(), ...damaged]));
    problems.push(...names.problems);
    unfinished = names.unfinished;
  }
  return {
    ...totals,
    isComplete: isAll && hasManifest,
    plan,
    committed: commits.size,
    inspected: units.length,
    files: files.length,
    bytes,
    tree: manifest?.tree,
    unfinished,
    problems,
  };
}

/** The plan of a folder, of a format that this version knows. */
export function openPlan(out: string): Plan {
  const plan = needPlan(out);
  const { format } = plan.options;
  if (FORMAT_NAMES.includes(format) && Object.hasOwn(VOCABULARIES, plan.options.encoding)) {
    return plan;
  }
  throw new SluiceError(
    "SLUICE_CORPUS_DAMAGED",
    `${path.join(out, PLAN_NAME)} has the format ${JSON.stringify(format)} and the encoding ` +
      `${
        JSON.stringify(plan.options.encoding)
      }, of which this version of sluice does not know both`,
  );
}

/** @throws {RangeError} If there is no such unit. */
export function checkUnit({ units: { length } }: Plan, unit: number | undefined): void {
  if (unit === undefined || (Number.isInteger(unit) && unit >= 0 && unit < length)) return;
  throw new RangeError(`there is no shard ${unit}: there are ${length}, from 0`);
}

function vocabularyProblems({ options: { encoding, vocabulary } }: Plan): readonly CorpusProblem[] {
  const { sha256 } = VOCABULARIES[encoding];
  if (sha256 === vocabulary) return [];
  const message = `has another vocabulary of ${encoding} than this version of sluice`;
  return [{ file: PLAN_NAME, message }];
}

function readManifest(out: string): string | undefined {
  try {
    return fs.readFileSync(path.join(out, MANIFEST_NAME), "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** @param expected What follows from the records, if there are all. */
function manifestProblems(
  text: string,
  expected: Manifest | undefined,
): readonly CorpusProblem[] {
  const wrong = (message: string) => [{ file: MANIFEST_NAME, message }];
  if (expected === undefined) return wrong("is there, but not all shards are committed");
  if (text === manifestText(expected)) return [];
  let found: Partial<Manifest> | null;
  try {
    found = JSON.parse(text) as Partial<Manifest> | null;
  } catch {
    return wrong("is not JSON");
  }
  for (const [name, value] of Object.entries(expected)) {
    const [there, here] = [found?.[name as keyof Manifest], value].map((v) => JSON.stringify(v));
    if (there === here) continue;
    const told = name === "shards" ? "other shards" : `${name} ${there}`;
    const instead = name === "shards" ? "" : `, and the records make it ${here}`;
    return wrong(`has ${told}${instead}`);
  }
  return wrong("is not written as the records make it");
}

/** Names that this program gives, where the plan has none. Files of others are left alone. */
function checkNames(
  out: string,
  { units: { length } }: Plan,
  recorded: ReadonlySet<number>,
): { readonly problems: CorpusProblem[]; readonly unfinished: string[] } {
  const problems: CorpusProblem[] = [];
  const unfinished: string[] = [];
  for (const folder of ["", `${BAD_FOLDER}/`]) {
    for (const name of listed(path.join(out, folder))) {
      const file = folder + name;
      const shard = parseShardName(name);
      if (parseTemporary(name) !== undefined) unfinished.push(file);
      else if (shard === undefined) continue;
      else if (shard.units !== length || shard.unit >= length) {
        problems.push({ file, message: `is not of this plan, which has ${length} shards` });
      } else if (!recorded.has(shard.unit)) unfinished.push(file);
    }
  }
  return { problems, unfinished };
}

function listed(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
