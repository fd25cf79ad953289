/**
 * Writes the tables and figures of the newest records into the README and guides, between markers such as
 * `<!-- bench:tokenizer.leads -->` and `<!-- /bench:tokenizer.leads -->`.
 *
 *     bun bench/tables.ts            # writes them
 *     bun bench/tables.ts --check    # exits with 1 if they differ from the newest records
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { platformTables } from "./tables/platforms.ts";
import { rendered } from "./tables/render.ts";

const ROOT = new URL("../", import.meta.url);
/** This document shows everything; the other ones show parts. */
const WHOLE = "docs/benchmarks.md";
const DOCUMENTS = ["README.md", WHOLE, "docs/whole-corpora.md", "docs/platforms.md"];
const PAIR = /<!-- bench:([\w.]+) -->[^]*?<!-- \/bench:\1 -->/g;

/** Puts what the newest records say into the documents. Returns those that this changes. */
export function updateTables(writes: boolean): string[] {
  const texts = new Map([...rendered(), ...platformTables()]);
  return DOCUMENTS.filter((path) => {
    const file = new URL(path, ROOT);
    const before = readFileSync(file, "utf8");
    const after = filled(before, path, texts);
    if (writes && after !== before) writeFileSync(file, after);
    return after !== before;
  });
}

/** A document with every pair of markers filled. Throws if it lacks a table or has an unknown marker. */
export function filled(
  document: string,
  path: string,
  texts: ReadonlyMap<string, readonly string[] | string>,
): string {
  const shown = new Set<string>();
  const result = document.replace(PAIR, (_, name: string) => {
    const text = texts.get(name);
    if (text === undefined) throw new Error(`${path}: nothing is measured under ${name}`);
    shown.add(name);
    const between = typeof text === "string" ? text : `\n\n${text.join("\n")}\n\n`;
    return `<!-- bench:${name} -->${linked(between, path)}<!-- /bench:${name} -->`;
  });
  const missing = [...texts].filter(([name, text]) =>
    !shown.has(name) && (typeof text !== "string" || name.endsWith(".source"))
  );
  // The README's table is a part of another one, and platforms have a guide of their own.
  const lacking = missing.map(([name]) => name).filter((name) =>
    name !== "tokenizer.counts" && !name.startsWith("platforms.")
  );
  if (path === WHOLE && lacking.length > 0) {
    throw new Error(`${path} does not show ${lacking.join(", ")}`);
  }
  return result;
}

/** Links in the tables are relative to the top of the checkout. */
function linked(text: string, path: string): string {
  return path.startsWith("docs/") ? text.replaceAll("](bench/", "](../bench/") : text;
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
    console.error(`The tables of ${changed} differ from the newest records: bun bench/tables.ts`);
    process.exitCode = 1;
  }
}
