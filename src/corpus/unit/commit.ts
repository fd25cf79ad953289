/**
 * The commit of a unit: all files get their names, and then its record, which makes it exist, gets its own.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import { codeOf, syncFolder, writeDurably } from "../durable.ts";
import { sumOfFile } from "../formats/mod.ts";
import type { Commit, Plan, ShardFile } from "../plan/plan_types.ts";
import { BAD_FOLDER, shardName } from "./names.ts";

/** The path of the record of a unit. */
export function commitPath(out: string, unit: number, units: number): string {
  return path.join(out, `${shardName(unit, units)}.json`);
}

/** Writes the record, when all files that it names have their names. */
export function writeCommit(out: string, { units }: Plan, commit: Commit): void {
  // The names must be stored before the record is.
  if (commit.bad > 0) syncFolder(path.join(out, BAD_FOLDER));
  syncFolder(out);
  writeDurably(commitPath(out, commit.unit, units.length), `${JSON.stringify(commit)}\n`);
}

/**
 * The record of a unit, or undefined if it is not committed: there is no record, or a file that it names is gone or has
 * another size.
 */
export function readCommit(out: string, { units }: Plan, unit: number): Commit | undefined {
  let text: string;
  try {
    text = fs.readFileSync(commitPath(out, unit, units.length), "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const commit = parseCommit(text);
  if (commit === undefined || commit.unit !== unit) return undefined;
  for (const { name, bytes } of commit.files) {
    const stats = fs.statSync(path.join(out, name), { throwIfNoEntry: false });
    if (stats?.size !== bytes) return undefined;
  }
  return commit;
}

/** Whether the files of a committed unit have the sums of its record. O(bytes). */
export async function isIntact(out: string, { files }: Commit): Promise<boolean> {
  for (const { name, sha256 } of files) {
    if ((await sumOfFile(path.join(out, name))).sha256 !== sha256) return false;
  }
  return true;
}

const COUNTS = [
  "unit",
  "lines",
  "documents",
  "empty",
  "bad",
  "blank",
  "tokens",
  "inputBytes",
] as const;

/** The record in a text, or undefined if the text is none. */
export function parseCommit(text: string): Commit | undefined {
  let commit: Commit | null;
  try {
    commit = JSON.parse(text) as Commit | null;
  } catch {
    return undefined;
  }
  if (typeof commit !== "object" || commit === null || !Array.isArray(commit.files)) {
    return undefined;
  }
  if (COUNTS.some((name) => !Number.isSafeInteger(commit[name]) || commit[name] < 0)) {
    return undefined;
  }
  return Number.isSafeInteger(commit.maxId) && commit.files.every(isFile) ? commit : undefined;
}

function isFile(file: ShardFile | null): boolean {
  return typeof file?.name === "string" && typeof file.bytes === "number" &&
    typeof file.sha256 === "string";
}
