/**
 * The tables of the README, of `docs/benchmarks.md` and of `bench/README.md`, made from the newest
 * record of each bench and put between markers such as `<!-- bench:tokenizer -->` and `<!-- /bench:tokenizer -->`.
 *
 *     bun bench/tables.ts            # writes them
 *     bun bench/tables.ts --check    # exits with 1 if they do not say what the records say
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { ASYNC } from "./tables/async.ts";
import { BATCH } from "./tables/batch.ts";
import { CACHE } from "./tables/cache.ts";
import { CROSSING } from "./tables/crossing.ts";
import { GATEWAY } from "./tables/gateway.ts";
import { missedTable } from "./tables/goals.ts";
import { HELD_OUT } from "./tables/held_out.ts";
import { LIMITER } from "./tables/limiter.ts";
import { LOAD } from "./tables/load.ts";
import { POOL } from "./tables/pool.ts";
import { rustMissed, rustTable } from "./tables/rust.ts";
import type { Section } from "./tables/section.ts";
import { STREAMED } from "./tables/streamed.ts";
import { TOKENIZER } from "./tables/tokenizer.ts";
import { WORST } from "./tables/worst.ts";
import { type BenchRecord, machineLine, newestRecord, recordName } from "./record.ts";

const ROOT = new URL("../", import.meta.url);

/** A section for each bench; `never` because each reads rows of its own. */
const SECTIONS: { readonly [bench: string]: Section<never> } = {
  tokenizer: TOKENIZER,
  held_out: HELD_OUT,
  load: LOAD,
  gateway: GATEWAY,
  batch: BATCH,
  async: ASYNC,
  streamed: STREAMED,
  cache: CACHE,
  limiter: LIMITER,
  pool: POOL,
  worst: WORST,
  crossing: CROSSING,
};

/** What stands between the markers of each document. */
const DOCUMENTS: { readonly [path: string]: () => { readonly [marker: string]: string[] } } = {
  "README.md": () => sections(({ brief }, record) => brief?.(record)),
  "docs/benchmarks.md": () => ({
    ...sections(({ head }, record) => head?.(record)),
    missed: [...missedTable(measured()), "", rustMissed()],
  }),
  "bench/README.md": () => ({ ...sections(({ all }, record) => all(record)), rust: rustTable() }),
};

/** Each bench that has a record, with that and its section. */
function measured(): { bench: string; section: Section<never>; record: BenchRecord<never> }[] {
  return Object.entries(SECTIONS).flatMap(([bench, section]) => {
    const record = newestRecord<never>(bench);
    return record === undefined ? [] : [{ bench, section, record }];
  });
}

function sections(
  lines: (section: Section<never>, record: BenchRecord<never>) => string[] | undefined,
): Record<string, string[]> {
  const all = measured().flatMap(({ bench, section, record }) => {
    const shown = lines(section, record);
    return shown === undefined ? [] : [{ bench, lines: [...shown, "", source(record)] }];
  });
  return Object.fromEntries(all.map(({ bench, lines }) => [bench, lines]));
}

/** Where the numbers come from. */
function source(record: BenchRecord<unknown>): string {
  const runtimes = Object.values(record.runtimes).map(({ runtime }) => runtime).join(", ");
  return `<sub>[Record](bench/record/${recordName(record)}.md) of ${record.date}: ` +
    `${machineLine(record.machine)}; ${runtimes}.</sub>`;
}

/** Puts the newest tables into the documents. Returns those that this changes, and writes them if told to. */
export function updateTables(writes: boolean): string[] {
  return Object.entries(DOCUMENTS).flatMap(([path, tables]) => {
    const file = new URL(path, ROOT);
    const before = readFileSync(file, "utf8");
    let after = before;
    for (const [marker, lines] of Object.entries(tables())) {
      after = withTable(after, marker, lines.map((line) => linked(line, path)));
    }
    if (after === before) return [];
    if (writes) writeFileSync(file, after);
    return [path];
  });
}

/** A line whose links are relative to the top of the checkout, as `path` has to write them. */
function linked(line: string, path: string): string {
  if (path.startsWith("bench/")) return line.replaceAll("](bench/", "](");
  return path.startsWith("docs/") ? line.replaceAll("](bench/", "](../bench/") : line;
}

function withTable(text: string, marker: string, lines: readonly string[]): string {
  const [start, end] = [`<!-- bench:${marker} -->`, `<!-- /bench:${marker} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the markers of ${marker} are missing`);
  const table = [start, "", ...lines].join("\n").trimEnd();
  return text.slice(0, from) + table + "\n\n" + text.slice(to);
}

if (import.meta.main) {
  const { values: { check } } = parseArgs({
    args: process.argv.slice(2),
    options: { check: { type: "boolean", default: false } },
  });
  const changed = updateTables(!check).join(", ");
  if (changed === "") console.log("all tables say what the newest records say");
  else if (!check) console.log(`new tables: ${changed}`);
  else {
    console.error(
      `The tables of ${changed} are not those of the newest records: bun bench/tables.ts`,
    );
    process.exitCode = 1;
  }
}
