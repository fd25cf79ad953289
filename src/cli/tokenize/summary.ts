/**
 * The summary of a run of `sluice tokenize`: sums, what is bad or failed, and the exit code.
 *
 * @module
 */
import type { BadLine, CorpusResult, Manifest } from "../../corpus/mod.ts";
import { printable } from "../../files/file_path.ts";
import { EXIT } from "../report.ts";
import type { Session } from "../session.ts";
import type { Reporter } from "./reporter.ts";
import { showCount, showDuration, showSize } from "./sizes.ts";

/** The options that decide what is told. */
interface Told {
  readonly out: string;
  readonly badLines?: number;
  readonly json?: true;
}

/** What is remembered of the events of a run. */
export interface Seen {
  bytes: number;
  /** The first bad line of the first unit that has one. */
  firstBad: { readonly unit: number; readonly line: BadLine } | undefined;
}

/** Tells what a run did, and returns its exit code. */
export function summarize(
  { plan, totals, failed, isOverBad, manifest }: CorpusResult,
  options: Told,
  { out, report }: Session,
  reporter: Reporter,
  { seconds, bytes, firstBad }: Seen & { readonly seconds: number },
): number {
  const { badLines: most = Infinity } = options;
  const accepted = most === Infinity ? 0 : most;
  const isBad = failed.length > 0 || isOverBad || totals.bad > accepted;
  const exitCode = isBad ? EXIT.failure : EXIT.ok;
  const status = isOverBad
    ? "bad-lines"
    : failed.length > 0
    ? "failed"
    : manifest === undefined
    ? "share"
    : "complete";
  if (options.json) {
    const { inputBytes: _, ...counts } = totals;
    const tree = manifest === undefined ? {} : { tree: manifest.tree };
    const timing = { bytes, seconds: Math.round(seconds * 1000) / 1000 };
    reporter.event({ event: "finished", status, exitCode, ...counts, ...timing, ...tree });
    return exitCode;
  }
  const where = printable(options.out);
  // Of those from before this run only the number is known.
  const first = firstBad === undefined
    ? ""
    : `, the first is ${showPlace(firstBad.line, plan.options.field)}`;
  if (isOverBad) {
    report.error(`stopped at more than ${showCount(accepted)} bad lines${first}`);
    return exitCode;
  }
  const speed = bytes > 0 ? ` (${showSize(bytes / seconds)}/s)` : "";
  out.text(
    `${of(totals.documents, "document")}, ${of(totals.tokens, "token")}, ` +
      `${of(totals.bad, "bad line")} in ${showDuration(seconds)}${speed}\n`,
  );
  const { format, dtype } = plan.options;
  if (manifest !== undefined) {
    out.text(
      `${where}: ${of(plan.units.length, "shard")} of ${format} ${dtype}, tree ${manifest.tree}\n`,
    );
  }
  if (totals.bad > 0) {
    const message = `${of(totals.bad, "bad line")} in ${where}/bad${first}`;
    if (totals.bad > accepted) report.error(message);
    else report.note(message);
  }
  if (failed.length > 0) {
    const again = failed.length === 1 ? "it" : "them";
    report.error(`${of(failed.length, "shard")} failed; the same command tries ${again} again`);
  }
  return exitCode;
}

/** Tells that a corpus is complete. */
export function finished(
  { documents, tokens, tree, shards }: Manifest,
  { json, out: folder }: Told,
  { out }: Session,
  reporter: Reporter,
): number {
  if (json) {
    const status = "complete";
    reporter.event({ event: "finished", status, exitCode: EXIT.ok, documents, tokens, tree });
  } else {
    out.text(`${of(documents, "document")}, ${of(tokens, "token")}\n`);
    out.text(`${printable(folder)}: ${of(shards.length, "shard")}, tree ${tree}\n`);
  }
  return EXIT.ok;
}

function showPlace({ file, line, row, reason }: BadLine, field: string): string {
  const place = row === undefined ? `line ${line}` : `row ${row}`;
  const where = reason === "no-field" ? `, nothing at --field ${printable(field)}` : "";
  return `${printable(file)}, ${place}: ${reason}${where}`;
}

function of(count: number, what: string): string {
  return `${showCount(count)} ${what}${count === 1 ? "" : "s"}`;
}
