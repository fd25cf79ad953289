/**
 * Runs over whole corpora, and the work on single units.
 *
 * @module
 */
import { show, SluiceError } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { dropDamaged, madeAgain } from "./damaged.ts";
import {
  claimFolder,
  clearFolder,
  clearOwnTemporary,
  clearTemporary,
  needPlan,
  refuseForeign,
  removeManifest,
  Writer,
} from "./folder.ts";
import { Lock, otherLocks } from "./lock.ts";
import { damagedOf, type Manifest, readCommits, writeManifest } from "./manifest.ts";
import { PLAN_OPTIONS, type PlanCorpusOptions, planFor, refuseOthers } from "./plan_corpus.ts";
import { isStreamed } from "./plan/make_plan.ts";
import type { Commit, Plan } from "./plan/plan_types.ts";
import type { CorpusEvent, FailedEvent } from "./run/events.ts";
import { runUnits } from "./run/run_units.ts";
import { checkShard, parseShard, type Shard, unitsOf, WHOLE } from "./shards.ts";
import { readCommit } from "./unit/commit.ts";
import { addTotals, noTotals, type Totals } from "./unit/totals.ts";
import { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type WorkOptions, Workshop } from "./unit/tokenize_unit.ts";

/** Options of {@linkcode tokenizeCorpus}. */
export interface TokenizeCorpusOptions extends PlanCorpusOptions {
  /** Which of several runs this is: `"i/n"`, `"auto"` for the environment of the scheduler, or numbers. @default All */
  readonly shard?: Shard | string | undefined;
  /** How many threads work. With 1 it is the calling thread. @default One for each CPU */
  readonly threads?: number | undefined;
  /** Whether committed units are kept only if their files have the sums of their records. @default false */
  readonly verify?: boolean | undefined;
  /** How many bad lines are allowed. With more the run ends. With 0 the unit of the first is not committed. @default Infinity */
  readonly maxBadLines?: number | undefined;
  /** Ends the work. Committed units stay, and nothing else. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with what happens. */
  readonly onEvent?: ((event: CorpusEvent) => void) | undefined;
}

const TOKENIZE_OPTIONS: Known<TokenizeCorpusOptions> = {
  ...PLAN_OPTIONS,
  shard: true,
  threads: true,
  verify: true,
  maxBadLines: true,
  signal: true,
  onEvent: true,
};

const WORK_OPTIONS: Known<WorkOptions> = { onProgress: true, onBadLine: true, signal: true };

/** What a run did. */
export interface CorpusResult {
  /** The plan of the corpus. */
  readonly plan: Plan;
  /** Over the committed units of this run, those from before included. */
  readonly totals: Readonly<Totals>;
  /** The units that could not be done. */
  readonly failed: readonly FailedEvent[];
  /** Whether the run ended because there were more bad lines than allowed. */
  readonly isOverBad: boolean;
  /** If the corpus is complete, and not only the share of this run. */
  readonly manifest: Manifest | undefined;
}

/**
 * Does one unit of a corpus that has a plan, in the calling thread, and returns its record. If the unit is committed,
 * its record is returned at once. This is for queues: to do a unit twice, even at the same time, does no harm.
 *
 * @param out The folder, with the plan of {@linkcode planCorpus}.
 * @param unit From 0.
 * @throws {SourceError} If an input cannot be read or has changed since the plan was made.
 * @throws {OutputError} If the folder cannot be written.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { planCorpus, tokenizeUnit } from "sluice/corpus";
 *
 * writeFileSync("in.jsonl", '{"text":"Hello, world!"}\n{"text":');
 * await planCorpus(["in.jsonl"], "queued", { model: "gpt-5" });
 * const { lines, documents, bad } = await tokenizeUnit("queued", 0);
 * console.log(lines, documents, bad); // 2 1 1
 * ```
 */
export async function tokenizeUnit(
  out: string,
  unit: number,
  options: WorkOptions = {},
): Promise<Commit> {
  checkKnown<WorkOptions>("options", options, WORK_OPTIONS);
  const plan = needPlan(out);
  if (!Number.isInteger(unit) || unit < 0 || unit >= plan.units.length) {
    throw new RangeError(
      `unit must be an integer from 0 to ${plan.units.length - 1}, not ${show(unit)}`,
    );
  }
  const done = readCommit(out, plan, unit);
  if (done !== undefined) return done;
  using _writer = new Writer(out);
  using workshop = new Workshop(out, plan);
  return await workshop.do(unit, options);
}

/**
 * Tokenizes a corpus, or a share of it: plans, does the units that are not committed yet, and writes the manifest when
 * all are. After any end, killed or not, the same call goes on with what is left.
 *
 * @param inputs Files, folders and patterns. `-` is standard input, which is one unit.
 * @param out The folder of the token files. It is made if there is none.
 * @throws {SourceError} If an input cannot be read when the plan is made. One that fails later fails its unit.
 * @throws {SluiceError} As {@linkcode planCorpus}, and `SLUICE_CORPUS_IN_USE` while another run does the same share.
 * @throws {OutputError} If the folder cannot be written, with the code of the system, such as `ENOSPC`.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { tokenizeCorpus } from "sluice/corpus";
 *
 * writeFileSync("in.jsonl", '{"text":"Hello, world!"}\n');
 * const { totals } = await tokenizeCorpus(["in.jsonl"], "tokens", {
 *   encoding: "o200k_base",
 *   threads: 1,
 * });
 * console.log(totals.documents, totals.tokens); // 1 5
 * ```
 */
export async function tokenizeCorpus(
  inputs: readonly string[],
  out: string,
  options: TokenizeCorpusOptions,
): Promise<CorpusResult> {
  checkKnown<TokenizeCorpusOptions>("options", options, TOKENIZE_OPTIONS);
  const { fresh = false, shard, threads, verify = false, maxBadLines = Infinity, signal, onEvent } =
    options;
  const share = shardOf(shard);
  if (fresh && share.count > 1) {
    throw new RangeError("fresh would delete the work of other shares: plan with it first");
  }
  const limit = threadLimit(threads);
  const mostBad = checkMost(maxBadLines);
  const emit = onEvent ?? (() => {});
  const note = (message: string) => emit({ event: "note", message });
  const planned = await planFor(inputs, out, options);
  if (isStreamed(planned) && share.count > 1) {
    throw new RangeError("standard input is one unit: a share of it cannot be told from another");
  }
  // If the library cannot be loaded, that is told once and not for each unit.
  new Tokenizer(planned.options.encoding).close();
  signal?.throwIfAborted();
  refuseForeign(out);
  using _lock = await Lock.take(out, share, { onWait: note, signal });
  const others = otherLocks(out, share);
  if (fresh) {
    refuseOthers(out, share);
    clearFolder(out);
  }
  for (const { name, pid, host } of others) {
    note(`process ${pid} on ${show(host)} works in ${out} too, at share ${name}`);
  }
  const isAlone = share.count === 1 && others.length === 0;
  const plan = claimFolder(
    out,
    planned,
    isAlone
      ? (differences) =>
        note(`planned anew, as no shard of what differs is done: ${differences.join("; ")}`)
      : undefined,
  );
  if (plan.sluice !== planned.sluice) {
    note(`the plan is by sluice ${plan.sluice}, and this is ${planned.sluice}`);
  }
  clearTemporary(out, others.map(({ pid }) => pid));
  const own = unitsOf(share, plan.units.length);
  const commits = readCommits(out, plan, own);
  const isStream = isStreamed(plan);
  if (isStream && commits.size > 0) {
    throw new SluiceError(
      "SLUICE_CORPUS_OTHER_PLAN",
      `${out} is complete, and standard input cannot be compared with what was read then: ` +
        "give --fresh or another folder",
    );
  }
  for (const name of damagedOf(out, plan, own, commits)) note(madeAgain(name));
  if (isStream) note("standard input is one unit, so a run that is killed begins again");
  if (verify) await dropDamaged(out, plan, commits, { note, signal });
  const pending = own.filter((unit) => !commits.has(unit));
  if (pending.length > 0) removeManifest(out);
  const bad = [...commits.values()].reduce((sum, commit) => sum + commit.bad, 0);
  const used = isStream ? 1 : Math.max(Math.min(limit, pending.length), 1);
  emit({
    event: "started",
    plan,
    units: own.length,
    committed: commits.size,
    bytes: pending.reduce((sum, unit) => sum + plan.units[unit]!.bytes, 0),
    threads: used,
  });
  const writer = new Writer(out);
  try {
    const left = await runUnits({
      out,
      plan,
      pending,
      committed: commits.size,
      bad,
      mostBad,
      threads: used,
      signal,
      emit,
      onCommit: (commit) => commits.set(commit.unit, commit),
    });
    const totals = noTotals();
    for (const commit of commits.values()) addTotals(totals, commit);
    const isShareDone = own.every((unit) => commits.has(unit));
    if (isShareDone) readCommits(out, plan, plan.units.keys(), commits);
    const manifest = commits.size === plan.units.length && !left.isOverBad
      ? writeManifest(out, plan, commits)
      : undefined;
    return { plan, totals, ...left, manifest };
  } finally {
    writer[Symbol.dispose]();
    clearOwnTemporary(out);
  }
}

function shardOf(shard: Shard | string | undefined): Shard {
  if (shard === undefined) return WHOLE;
  return typeof shard === "string" ? parseShard(shard) : checkShard(shard);
}

function threadLimit(threads: number = navigator.hardwareConcurrency): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= 1024) return threads;
  throw new RangeError(`threads must be an integer from 1 to 1024, not ${show(threads)}`);
}

function checkMost(most: number): number {
  if (most === Infinity || Number.isSafeInteger(most) && most >= 0) return most;
  throw new RangeError(
    `maxBadLines must be a non-negative integer or Infinity, not ${show(most)}`,
  );
}
