/**
 * The import graph of TypeScript modules, from their import and export declarations. Type-only ones count too.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import { type ImportGraph, ImportGraphBuilder } from "./graph.ts";

/**
 * An import or export with a relative specifier. Formatted declarations start at the first column, which no
 * example in a comment does.
 */
const DECLARATION = /^(?:(?:import|export)\s+([^"'`;()=]*?)\s+from|import)\s+"(\.[^"]+)"/gm;

/** An import expression with a constant, relative specifier. */
const EXPRESSION = /^(?!\s*(?:\*|\/\/)).*\bimport\(\s*"(\.[^"]+)"/gm;

/** Reads the modules of a repository. @param files Paths relative to `root`. */
export function readTypeScript(root: string, files: readonly string[]): ImportGraph {
  const graph = new ImportGraphBuilder();
  const known = new Set(files);
  for (const file of files) {
    graph.module(file);
    const source = fs.readFileSync(path.join(root, file), "utf8");
    const add = (specifier: string, names: readonly string[]): void => {
      const target = path.posix.join(path.posix.dirname(file), specifier);
      if (known.has(target)) { for (const name of names) graph.add(file, target, name); }
    };
    for (const [, clause, specifier] of source.matchAll(DECLARATION)) {
      add(specifier!, namesOf(clause ?? ""));
    }
    for (const [, specifier] of source.matchAll(EXPRESSION)) add(specifier!, ["import()"]);
  }
  return graph.edges;
}

/** The names of an import clause, as the other module exports them. */
function namesOf(clause: string): string[] {
  const names = clause.replace(/^type\s+(?=[{*\w])/, "").replace(/[{}]/g, ",").split(",")
    .map((name) => name.trim().replace(/^type\s+/, "").replace(/\s+as\s+\S+$/, ""))
    .filter((name) => name !== "");
  return names.length === 0 ? ["its side effects"] : names;
}
