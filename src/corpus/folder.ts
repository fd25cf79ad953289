/**
 * The folder of a corpus: whose files are in it, and of which plan.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { SluiceError } from "../errors.ts";
import { codeOf, createDurably, makeFolder, syncFolder, writeDurably } from "./durable.ts";
import { keepsUnits } from "./plan/keeps_units.ts";
import { isSamePlan, parsePlan, planDifferences, planText } from "./plan/plan_text.ts";
import type { Plan } from "./plan/plan_types.ts";
import { isRunning } from "./processes.ts";
import { commitPath, readCommit } from "./unit/commit.ts";
import {
  BAD_FOLDER,
  isOwnName,
  LOCK_FOLDER,
  MANIFEST_NAME,
  parseShardName,
  parseTemporary,
  PLAN_NAME,
} from "./unit/names.ts";

/** A temporary file of a process that is not known is kept for so long after its last write. */
const ABANDONED_MS = 600_000;

/** Foreign files that are named. */
const MOST_NAMED = 3;

/** The plan of a folder, or undefined if there is none. */
export function readPlan(out: string): Plan | undefined {
  const at = path.join(out, PLAN_NAME);
  try {
    return parsePlan(fs.readFileSync(at, "utf8"), at);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The plan of a folder. @throws {SluiceError} `SLUICE_CORPUS_NO_PLAN` if there is none. */
export function needPlan(out: string): Plan {
  const plan = readPlan(out);
  if (plan !== undefined) return plan;
  throw new SluiceError("SLUICE_CORPUS_NO_PLAN", `${out} has no plan.json: it is not a corpus`);
}

/**
 * Makes the folder one of this plan. Of several processes, the first writes the plan and the others compare theirs.
 *
 * @param onReplace Is called with what differs when the plan of the folder is replaced, since no shard of it is done that
 * the new one has not. Without it, that is refused too: others may work by the old plan.
 * @returns The plan that is in the folder, which may be by another version of sluice.
 * @throws {SluiceError} `SLUICE_CORPUS_OTHER_PLAN`.
 */
export function claimFolder(
  out: string,
  plan: Plan,
  onReplace?: (differences: readonly string[]) => void,
): Plan {
  makeFolder(out);
  let there = readPlan(out);
  if (there === undefined) {
    if (createDurably(path.join(out, PLAN_NAME), planText(plan))) return plan;
    there = needPlan(out);
  }
  if (isSamePlan(there, plan)) return there;
  const old = there;
  if (onReplace !== undefined) {
    const done = [...old.units.keys()].filter((unit) => readCommit(out, old, unit) !== undefined);
    if (done.length > 0 && keepsUnits(old, plan, done)) {
      onReplace(planDifferences(old, plan));
      writeDurably(path.join(out, PLAN_NAME), planText(plan));
      return plan;
    }
  }
  throw new SluiceError(
    "SLUICE_CORPUS_OTHER_PLAN",
    `${out} has another plan: ${planDifferences(there, plan).join("; ")}. Give --fresh to delete ` +
      "what is there and to start anew, or another folder",
  );
}

/** Deletes what this program wrote into the folder, and nothing else. The plan goes last. */
export function clearFolder(out: string): void {
  const remove = (...names: string[]) => fs.rmSync(path.join(out, ...names), { force: true });
  const own = listed(out).filter(isOwnName);
  const isCommit = (name: string) => parseShardName(name)?.suffix === ".json";
  remove(MANIFEST_NAME);
  for (const name of own.filter(isCommit)) remove(name);
  if (own.length > 0) syncFolder(out);
  for (const name of own) if (name !== PLAN_NAME) remove(name);
  const bad = path.join(out, BAD_FOLDER);
  for (const name of listed(bad)) if (isOwnName(name)) remove(BAD_FOLDER, name);
  try {
    fs.rmdirSync(bad);
  } catch {
    // There is none, or something else is in it.
  }
  remove(PLAN_NAME);
}

/**
 * Deletes temporary files whose process is gone.
 *
 * @param live The processes of other runs in the folder.
 */
export function clearTemporary(out: string, live: readonly number[]): void {
  for (const folder of foldersOf(out)) {
    for (const name of listed(folder)) {
      const writer = parseTemporary(name);
      if (writer === undefined || live.includes(writer.pid)) continue;
      const at = path.join(folder, name);
      if (isAtWork(writer, out) ?? !isAbandoned(at)) continue;
      fs.rmSync(at, { force: true });
    }
  }
}

/** Removes `manifest.json`, whose absence says that a unit is not committed. */
export function removeManifest(out: string): void {
  fs.rmSync(path.join(out, MANIFEST_NAME), { force: true });
}

/** Makes a committed unit one that is not, because a file of it is damaged. */
export function removeCommit(out: string, { units }: Plan, unit: number): void {
  removeManifest(out);
  fs.rmSync(commitPath(out, unit, units.length), { force: true });
  syncFolder(out);
}

/** How many calls of this process write units into a folder, by its whole path. */
const writers = new Map<string, number>();

/** A call of this process that writes units into a folder, until it is disposed. */
export class Writer implements Disposable {
  readonly #folder: string;

  constructor(out: string) {
    this.#folder = path.resolve(out);
    writers.set(this.#folder, writersIn(out) + 1);
  }

  [Symbol.dispose](): void {
    const left = writersIn(this.#folder) - 1;
    if (left > 0) writers.set(this.#folder, left);
    else writers.delete(this.#folder);
  }
}

function writersIn(out: string): number {
  return writers.get(path.resolve(out)) ?? 0;
}

/** Deletes the temporary files of this process, unless a call of it works in the folder. */
export function clearOwnTemporary(out: string): void {
  if (writersIn(out) > 0) return;
  for (const folder of foldersOf(out)) {
    for (const name of listed(folder)) {
      const writer = parseTemporary(name);
      if (writer?.isHere && writer.pid === process.pid) {
        fs.rmSync(path.join(folder, name), { force: true });
      }
    }
  }
}

function foldersOf(out: string): readonly string[] {
  return [out, path.join(out, BAD_FOLDER), path.join(out, LOCK_FOLDER)];
}

/**
 * Refuses a folder in which something might be overwritten.
 *
 * @throws {SluiceError} `SLUICE_CORPUS_FOREIGN_FILES` if there is no plan, and something that is not ours.
 */
export function refuseForeign(out: string): void {
  if (isOther(out)) {
    throw new SluiceError("SLUICE_CORPUS_FOREIGN_FILES", `${out} is not a folder`);
  }
  const isOurs = (name: string) => name === LOCK_FOLDER || parseTemporary(name) !== undefined;
  const names = listed(out);
  const foreign = names.filter((name) => !isOurs(name));
  if (foreign.length === 0 || names.includes(PLAN_NAME)) return;
  const more = foreign.length > MOST_NAMED ? ` and ${foreign.length - MOST_NAMED} more` : "";
  throw new SluiceError(
    "SLUICE_CORPUS_FOREIGN_FILES",
    `${out} is not empty and has no plan.json: ${
      foreign.slice(0, MOST_NAMED).join(", ")
    }${more}. Give an empty folder, so that nothing is overwritten`,
  );
}

/** Whether something is there that is not a folder. */
function isOther(out: string): boolean {
  try {
    return !fs.statSync(out).isDirectory();
  } catch {
    return false; // There is nothing, or it is told when it is written.
  }
}

/** Undefined if that is not to be found out. */
function isAtWork(
  { pid, isHere }: { pid: number; isHere: boolean },
  out: string,
): boolean | undefined {
  if (!isHere) return undefined;
  // A container that starts again has the same name and numbers, so its files may be of an earlier life.
  return pid === process.pid ? writersIn(out) > 0 : isRunning(pid);
}

function isAbandoned(at: string): boolean {
  const stats = fs.statSync(at, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_MS;
}

function listed(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
