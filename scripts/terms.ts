/**
 * Finds terms in documents and source files that the project has replaced by standard ones. The list, with the
 * replacements, is `scripts/prose/terms.json`.
 *
 *     bun scripts/terms.ts            # prints each occurrence; exits with 1 if there is one
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A replaced term where it still occurs. */
export interface Occurrence {
  readonly line: number;
  readonly term: string;
}

/** The replacement of each replaced term. */
export function readTerms(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(ROOT, "scripts/prose/terms.json"), "utf8"));
}

/** The occurrences of terms in a text, as whole words, in any case, also across the lines of a comment. */
export function occurrences(text: string, terms: readonly string[]): Occurrence[] {
  const gap = String.raw`(?: |\s*\n\s*(?:\*|\/\/[/!]?|#)?\s*)`;
  const words = terms.map((term) => term.replaceAll(" ", gap)).join("|");
  return [...text.matchAll(new RegExp(`\\b(?:${words})\\b`, "gi"))].map(({ 0: term, index }) => ({
    line: text.slice(0, index).split("\n").length,
    term: term.replace(/\s+(?:\*|\/\/[/!]?|#)?\s*/g, " ").toLowerCase(),
  }));
}

/** The files whose prose is checked: all but generated ones, data, and records of measurements. */
function checkedFiles(): string[] {
  const patterns = ["*.md", "*.rs", "*.ts", "*.toml", "Makefile"];
  const others = ["bench/record", "tests/conformance", "*.gen.ts", "tests/terms_test.ts"];
  const listed = ["ls-files", "--", ...patterns, ...others.map((path) => `:!${path}`)];
  return execFileSync("git", listed, { cwd: ROOT, encoding: "utf8" }).trimEnd().split("\n");
}

if (import.meta.main) {
  const terms = readTerms();
  let found = 0;
  for (const file of checkedFiles()) {
    const text = readFileSync(join(ROOT, file), "utf8");
    for (const { line, term } of occurrences(text, Object.keys(terms))) {
      console.log(`${file}:${line}: "${term}": say ${terms[term]}`);
      found++;
    }
  }
  console.log(`${found} replaced terms`);
  process.exitCode = found === 0 ? 0 : 1;
}
