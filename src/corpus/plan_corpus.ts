/**
 * The plan of a corpus, and the claim on its folder.
 *
 * @module
 */
import { show, SluiceError } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { findCorpus } from "./find_corpus.ts";
import { claimFolder, clearFolder, refuseForeign } from "./folder.ts";
import { otherLocks } from "./lock.ts";
import { makePlan } from "./plan/make_plan.ts";
import { CORPUS_OPTIONS, type CorpusOptions, planOptions } from "./plan/options.ts";
import type { Plan } from "./plan/plan_types.ts";
import type { Shard } from "./shards.ts";
import type { FileKind } from "./sources/source.ts";

/** Options of {@linkcode planCorpus}. */
export interface PlanCorpusOptions extends CorpusOptions {
  /** Patterns of the files of folders to read, instead of those with a known suffix. */
  readonly include?: readonly string[] | undefined;
  /** Patterns of files and folders in folders to leave out. */
  readonly exclude?: readonly string[] | undefined;
  /** Whether names in folders that begin with a dot are read. @default false */
  readonly hidden?: boolean | undefined;
  /** How all files are read. @default By the suffix of each; standard input is JSON Lines */
  readonly kind?: FileKind | undefined;
  /** Whether to delete what this program wrote into the folder, and to start anew. @default false */
  readonly fresh?: boolean | undefined;
}

/** The names of the options. */
export const PLAN_OPTIONS: Known<PlanCorpusOptions> = {
  ...CORPUS_OPTIONS,
  include: true,
  exclude: true,
  hidden: true,
  kind: true,
  fresh: true,
};
/**
 * Makes the plan of a corpus and writes it into its folder; or compares it with the plan that is there.
 *
 * It depends on the files and the options alone. So each of several machines can make it, and finds the same.
 *
 * @param inputs Files, folders and patterns. `-` is standard input.
 * @param out The folder of the token files. It is made if there is none.
 * @throws {SourceError} If an input cannot be read.
 * @throws {SluiceError} `SLUICE_CORPUS_OTHER_PLAN`, `SLUICE_CORPUS_FOREIGN_FILES`, or `SLUICE_CORPUS_IN_USE` with
 * `fresh` while another run works there.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { planCorpus } from "sluice/corpus";
 *
 * writeFileSync("in.jsonl", '{"text":"Hello, world!"}\n');
 * const plan = await planCorpus(["in.jsonl"], "planned", { model: "gpt-5" });
 * console.log(plan.units.length, plan.options.dtype); // 1 u32
 * ```
 */
export async function planCorpus(
  inputs: readonly string[],
  out: string,
  options: PlanCorpusOptions,
): Promise<Plan> {
  checkKnown<PlanCorpusOptions>("options", options, PLAN_OPTIONS);
  const { fresh = false } = options;
  const plan = await planFor(inputs, out, options);
  refuseForeign(out);
  if (fresh) {
    refuseOthers(out, undefined);
    clearFolder(out);
  }
  return claimFolder(out, plan);
}

/** Refuses to go on while runs with other shares than `own` work in the folder. */
export function refuseOthers(out: string, own: Shard | undefined): void {
  const [other] = otherLocks(out, own ?? { index: -1, count: 0 });
  if (other === undefined) return;
  throw new SluiceError(
    "SLUICE_CORPUS_IN_USE",
    `process ${other.pid} on ${show(other.host)} works in ${out}, so it is not deleted`,
  );
}

/** The plan of the files as they are. Nothing is written. */
export async function planFor(
  inputs: readonly string[],
  out: string,
  options: PlanCorpusOptions,
): Promise<Plan> {
  // Wrong options are told before files are looked for.
  const resolved = planOptions(options);
  const { include = [], exclude = [], hidden = false, kind } = options;
  const files = await findCorpus(inputs, out, {
    include,
    exclude,
    hidden,
    ...kind === undefined ? {} : { kind },
  });
  return await makePlan(files, resolved);
}
