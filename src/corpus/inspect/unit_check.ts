/**
 * Checks of a unit: its record, and the files that the record names, with their sizes and sums.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import { codeOf } from "../durable.ts";
import { countLines } from "../formats/jsonl_read.ts";
import { type Format, FormatError, formatOf, rowsOf, sumOfFile } from "../formats/mod.ts";
import type { Commit, Plan, ShardFile } from "../plan/plan_types.ts";
import { commitPath, parseCommit } from "../unit/commit.ts";
import { BAD_FOLDER, shardName } from "../unit/names.ts";
import { formatOptions } from "../unit/tokenize_unit.ts";

/** Something that is wrong with a corpus. */
export interface CorpusProblem {
  /** The path of the file in the folder, with `/` as separator. */
  readonly file: string;
  /** What is wrong with it, to be read behind its name. */
  readonly message: string;
}

/** What a record tells, and what is wrong with it. Neither if the unit is not committed. */
export interface RecordCheck {
  /** The record, if it can be read. */
  readonly commit: Commit | undefined;
  readonly problems: readonly CorpusProblem[];
}

/** Reads and checks the record of a unit, but not the files that it names. */
export function checkRecord(out: string, plan: Plan, unit: number): RecordCheck {
  const at = commitPath(out, unit, plan.units.length);
  let text: string;
  try {
    text = fs.readFileSync(at, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { commit: undefined, problems: [] };
    throw error;
  }
  const wrong = (message: string) => ({ file: path.basename(at), message });
  const commit = parseCommit(text);
  if (commit === undefined) {
    return { commit, problems: [wrong("is not the record of a shard")] };
  }
  const { lines, documents, empty, bad, blank } = commit;
  const problems: CorpusProblem[] = [];
  if (commit.unit !== unit) problems.push(wrong(`is the record of unit ${commit.unit}`));
  if (lines !== documents + bad + blank || empty > documents) {
    problems.push(
      wrong(
        `tells ${lines} lines, and ${documents} documents (${empty} empty), ${bad} bad and ${blank} blank ones`,
      ),
    );
  }
  const expected = namesOf(plan, unit, bad > 0).join(", ");
  const named = commit.files.map(({ name }) => name).join(", ");
  if (named !== expected) problems.push(wrong(`names ${named || "no files"} and not ${expected}`));
  return { commit, problems };
}

/**
 * Checks the files that a record names.
 *
 * @param onRead Is called with the number of bytes of each piece that was read for the sums.
 */
export async function checkFiles(
  out: string,
  plan: Plan,
  commit: Commit,
  onRead: (bytes: number) => void,
): Promise<readonly CorpusProblem[]> {
  const problems: CorpusProblem[] = [];
  for (const file of commit.files) {
    const message = await differenceOf(out, file, onRead);
    if (message !== undefined) problems.push({ file: file.name, message });
  }
  // A file that differs from its record says nothing about it.
  return problems.length > 0 ? problems : await checkCounts(out, plan, commit);
}

/** How a file differs from its record, or undefined. */
async function differenceOf(
  out: string,
  { name, bytes, sha256 }: ShardFile,
  onRead: (bytes: number) => void,
): Promise<string | undefined> {
  const at = path.join(out, name);
  const stats = fs.statSync(at, { throwIfNoEntry: false });
  if (stats === undefined) return "is missing";
  if (stats.size !== bytes) return `has ${stats.size} bytes, and its record says ${bytes}`;
  const sum = await sumOfFile(at, onRead);
  return sum.sha256 === sha256
    ? undefined
    : `has the SHA-256 ${sum.sha256}, and its record says ${sha256}`;
}

/** Whether the files have as many documents, ids and bad lines as the record tells. */
async function checkCounts(
  out: string,
  plan: Plan,
  commit: Commit,
): Promise<readonly CorpusProblem[]> {
  const { options, units } = plan;
  const name = shardName(commit.unit, units.length);
  const problems: CorpusProblem[] = [];
  const format: Format = formatOf(options.format);
  const data = name + format.suffixes[0];
  const { documents, ids } = expectedCounts(plan, commit);
  try {
    const counts = await format.count(
      (suffix) => path.join(out, name + suffix),
      formatOptions(options),
    );
    if (counts.documents !== documents) {
      problems.push({
        file: data,
        message: `has ${counts.documents} documents or rows, and its record says ${documents}`,
      });
    }
    if (counts.ids !== undefined && counts.ids !== ids) {
      problems.push({ file: data, message: `has ${counts.ids} ids, and its record says ${ids}` });
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.push({ file: data, message: `is damaged: ${error.message}` });
  }
  const bad = `${BAD_FOLDER}/${name}.jsonl`;
  if (commit.files.some((file) => file.name === bad)) {
    const lines = await countLines(path.join(out, bad));
    if (lines !== commit.bad) {
      problems.push({
        file: bad,
        message: `has ${lines} lines, and its record says ${commit.bad}`,
      });
    }
  }
  return problems;
}

/** Documents, or rows if documents are packed, and ids with padding. */
export function expectedCounts(
  { options: { pack } }: Plan,
  { documents, tokens }: Pick<Commit, "documents" | "tokens">,
): { readonly documents: number; readonly ids: number } {
  if (pack === null) return { documents, ids: tokens };
  const { rows, padding } = rowsOf(tokens, pack);
  return { documents: rows, ids: tokens + padding };
}

/** The names of the files of a shard, in the order of its record. */
export function namesOf({ options, units }: Plan, unit: number, hasBad: boolean): string[] {
  const name = shardName(unit, units.length);
  const data = formatOf(options.format).suffixes.map((suffix) => name + suffix);
  return hasBad ? [...data, `${BAD_FOLDER}/${name}.jsonl`] : data;
}
