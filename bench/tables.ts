/**
 * The tables of the README, made from the newest record of each bench and put between markers such
 * as `<!-- bench:tokenizer -->` and `<!-- /bench:tokenizer -->`.
 *
 *     bun bench/tables.ts            # writes them
 *     bun bench/tables.ts --check    # exits with 1 if the README does not say what the records say
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { asyncTable } from "./tables/async.ts";
import { batchTable } from "./tables/batch.ts";
import { cacheTable } from "./tables/cache.ts";
import { crossingTable } from "./tables/crossing.ts";
import { gatewayTable } from "./tables/gateway.ts";
import { limiterTable } from "./tables/limiter.ts";
import { loadTable } from "./tables/load.ts";
import { poolTable } from "./tables/pool.ts";
import { rustTable } from "./tables/rust.ts";
import { streamedTable } from "./tables/streamed.ts";
import { tokenizerTable } from "./tables/tokenizer.ts";
import { worstTable } from "./tables/worst.ts";
import { type BenchRecord, machineLine, newestRecord, recordName } from "./record.ts";

const README = new URL("../README.md", import.meta.url);

/** A section for each bench; `never` because each reads rows of its own. */
const SECTIONS: { readonly [bench: string]: (record: BenchRecord<never>) => string[] } = {
  crossing: crossingTable,
  tokenizer: tokenizerTable,
  load: loadTable,
  batch: batchTable,
  async: asyncTable,
  cache: cacheTable,
  streamed: streamedTable,
  worst: worstTable,
  limiter: limiterTable,
  pool: poolTable,
  gateway: gatewayTable,
};

/** Puts the newest tables into the README. Returns whether that changed it. */
export function writeTables(): boolean {
  const before = readme();
  const after = withTables(before);
  if (after !== before) writeFileSync(README, after);
  return after !== before;
}

function withTables(text: string): string {
  for (const [bench, section] of Object.entries(SECTIONS)) {
    const record = newestRecord<never>(bench);
    if (record === undefined) continue;
    text = withSection(text, bench, [...section(record), "", source(record)]);
  }
  return withSection(text, "rust", rustTable());
}

function withSection(text: string, name: string, lines: readonly string[]): string {
  const [start, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return text;
  const section = [start, "", ...lines].join("\n").trimEnd();
  return text.slice(0, from) + section + "\n\n" + text.slice(to);
}

/** Where the numbers come from. */
function source(record: BenchRecord<unknown>): string {
  const runtimes = Object.values(record.runtimes).map(({ runtime }) => runtime).join(", ");
  return `<sub>[Record](bench/record/${recordName(record)}.md) of ${record.date}: ` +
    `${machineLine(record.machine)}; ${runtimes}.</sub>`;
}

function readme(): string {
  try {
    return readFileSync(README, "utf8");
  } catch {
    // No README has no markers.
    return "";
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { check: { type: "boolean", default: false } },
  });
  if (values.check) {
    const text = readme();
    if (withTables(text) !== text) {
      console.error("The README's tables are not those of the newest records: bun bench/tables.ts");
      process.exitCode = 1;
    }
  } else {
    console.log(writeTables() ? "README.md: new tables" : "README.md: nothing to change");
  }
}
