/**
 * What an estimate finds wrong, with the exit code of it: bad lines and identifiers, and limits that are exceeded.
 *
 * @module
 */
import type { Estimate } from "../../corpus/estimate/estimate_types.ts";
import { printable } from "../../files/file_path.ts";
import { EXIT, type Report } from "../report.ts";

/** Prices older than this many days are reported. */
const OLD_DAYS = 90;

const DAY_MS = 86_400_000;

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What the caller allows. */
export interface Allowed {
  readonly max?: number;
  readonly maxCost?: number;
  /** Limits that must be kept. Others are only shown. */
  readonly limits?: readonly string[];
  readonly hasOwnPrices: boolean;
}

/** Reports everything that is wrong. */
export function findings(estimate: Estimate, allowed: Allowed, report: Report): void {
  noteOldPrices(estimate, allowed.hasOwnPrices, report);
  reportLines(estimate, report);
  const { max, maxCost } = allowed;
  const { tokens } = estimate;
  if (max !== undefined && tokens > max) {
    report.verdict(`${tokens} tokens are more than ${max}`, EXIT.overLimit);
  }
  if (maxCost !== undefined) compareCost(estimate, maxCost, report);
  if (allowed.limits === undefined) return;
  for (const { name, fits, files, tooLarge } of estimate.limits) {
    if (fits) continue;
    const takes = files > 1 ? `: it takes ${files} files` : tooLarge > 0 ? "" : ": models";
    report.verdict(`over the limits of ${name}${takes}`, EXIT.overLimit);
  }
}

function reportLines(estimate: Estimate, report: Report): void {
  const { bad, firstBad, ids, training } = estimate;
  if (bad > 0) {
    const { path, line, error } = firstBad[0]!;
    const more = bad === 1 ? "" : `${bad} bad lines, the first is `;
    report.error(`${path === "-" ? "stdin" : printable(path)}: ${more}line ${line}: ${error}`);
  }
  if (ids !== undefined) {
    if (ids.missing > 0) report.error(`without custom_id: ${many(ids.missing, "request")}`);
    if (ids.duplicates > 0) {
      report.error(`custom_id not unique: ${many(ids.duplicates, "request")}`);
    }
    if (ids.refused > 0) report.error(`custom_id not allowed: ${many(ids.refused, "request")}`);
  }
  const errors = Object.values(training?.errors ?? {}).reduce((sum, count) => sum + count, 0);
  if (errors > 0) report.error(`${many(errors, "error")} in chats`);
}

/** A cost is only compared if it is the whole cost. */
function compareCost(estimate: Estimate, most: number, report: Report): void {
  const { kind, cost, batchCost, training, unpriced, unbounded, uncounted } = estimate;
  const total = kind === "batch" ? batchCost.total : kind === "text" ? cost.total : training?.cost;
  if (total !== undefined && total > most) {
    report.verdict(`a cost of $${total.toFixed(2)} is more than $${most}`, EXIT.overLimit);
  } else if (total === undefined || (unpriced.requests > 0 && kind !== "chat")) {
    const models = kind === "chat" ? "training" : unpriced.models.slice(0, 5).join(", ");
    report.error(`the cost cannot be compared with --max-cost: no price is known for ${models}`);
  } else if (unbounded > 0) {
    report.error(
      `the cost cannot be compared with --max-cost: ${
        many(unbounded, "request")
      } without a maximum ` +
        "of the reply; --output-tokens N or ratio=R says how long replies are",
    );
  } else if (uncounted > 0) {
    const have = uncounted === 1 ? "has" : "have";
    report.error(
      `the cost cannot be compared with --max-cost: ${many(uncounted, "request")} ${have} parts ` +
        "that are not counted",
    );
  }
}

function noteOldPrices({ models }: Estimate, isOwn: boolean, report: Report): void {
  const priced = models.filter(({ cost }) => cost !== undefined);
  const dates = priced.flatMap(({ priceDate }) => priceDate ?? []).sort();
  const [oldest] = dates;
  if (dates.length < priced.length && isOwn) report.note("the prices have no date");
  if (oldest === undefined) return;
  const days = Math.floor((Date.now() - Date.parse(oldest)) / DAY_MS);
  if (days > OLD_DAYS) {
    report.note(`prices are of ${oldest}, ${days} days old; --prices FILE gives others`);
  }
}
