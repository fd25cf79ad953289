/**
 * The import graph of the modules of a Rust crate, from all paths that start with `crate`, `super`, `self` or a
 * child module.
 *
 * A re-exported name counts as an import from the module that defines it. Imports from a module that contains the
 * importing one do not count: a parent declares what its children implement. Neither do unit tests.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import { type ImportGraph, ImportGraphBuilder } from "./graph.ts";

/** A module of a crate: one file. */
interface Module {
  readonly file: string;
  /** Its path from the root of the crate, which is the empty path. */
  readonly path: readonly string[];
  readonly code: string;
  /** The paths of its `use` declarations, with `self` and `super` unresolved. */
  readonly uses: readonly Use[];
}

/** One path of a `use` declaration. */
interface Use {
  readonly path: readonly string[];
  readonly isPublic: boolean;
  /** The name that it gets in this module. */
  readonly alias: string;
}

/** Comments, and literals of characters and strings. */
const NO_CODE =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\[^']+|[^'\\])'|r(#*)"[\s\S]*?"\1|"(?:[^"\\]|\\[\s\S])*"/g;

const USE = /(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);/g;

/** A path in code, such as `crate::a::b` or `child::f`. */
const PATH = /(?<![\w:])(?:[a-z_]\w*)(?:::[A-Za-z_]\w*)+/g;

/** Reads a crate. @param src The folder of its sources, relative to `root`. */
export function readCrate(root: string, src: string): ImportGraph {
  const modules = new Map<string, Module>();
  for (const file of rustFiles(path.join(root, src))) {
    const own = modulePath(file);
    const code = withoutTests(
      fs.readFileSync(path.join(root, src, file), "utf8").replace(NO_CODE, " "),
    );
    const uses = [...code.matchAll(USE)].flatMap(([, visibility, tree]) =>
      pathsOf(tree!.replace(/\s+/g, " ").trim()).map((use) => ({
        ...use,
        isPublic: visibility !== undefined,
      }))
    );
    modules.set(own.join("::"), { file: path.posix.join(src, file), path: own, code, uses });
  }
  const graph = new ImportGraphBuilder();
  for (const module of modules.values()) {
    graph.module(module.file);
    const paths = module.uses.map(({ path }) => path);
    for (const [found] of module.code.replace(USE, ";").matchAll(PATH)) {
      paths.push(found.split("::"));
    }
    for (const used of paths) {
      const target = resolve(modules, module, used);
      if (target === undefined || contains(target, module)) continue;
      graph.add(module.file, target.file, used.at(-1)!);
    }
  }
  return graph.edges;
}

/** The module that defines the item at `used`, as `from` sees it. Undefined for items of other crates. */
function resolve(
  modules: ReadonlyMap<string, Module>,
  from: Module,
  used: readonly string[],
  depth = 0,
): Module | undefined {
  const [first, ...rest] = used;
  let at: readonly string[];
  if (first === "crate") at = [];
  else if (first === "self") at = from.path;
  else if (first === "super") at = from.path.slice(0, -1);
  else if (modules.has([...from.path, first!].join("::"))) {
    at = from.path;
    rest.unshift(first!);
  } else return undefined;
  while (rest[0] === "super") {
    at = at.slice(0, -1);
    rest.shift();
  }
  while (rest.length > 0 && modules.has([...at, rest[0]!].join("::"))) at = [...at, rest.shift()!];
  const found = modules.get(at.join("::"));
  if (found === undefined || depth > 8) return found;
  const [name] = rest;
  const reexport = found.uses.find(({ isPublic, alias }) => isPublic && alias === name);
  if (name === undefined || reexport === undefined) return found;
  return resolve(modules, found, reexport.path, depth + 1) ?? found;
}

function contains(outer: Module, inner: Module): boolean {
  return outer.path.every((segment, i) => inner.path[i] === segment);
}

/** The paths of a use tree such as `crate::{a::B, c::{D as E, F}}`. */
function pathsOf(tree: string, prefix: readonly string[] = []): Omit<Use, "isPublic">[] {
  const brace = tree.indexOf("{");
  if (brace < 0) {
    const [path = "", alias] = tree.split(/ as /).map((part) => part.trim());
    const segments = [...prefix, ...path.split("::").filter((segment) => segment !== "")];
    if (segments.at(-1) === "self" && segments.length > 1) segments.pop();
    return [{ path: segments, alias: alias ?? segments.at(-1) ?? "" }];
  }
  const own = [...prefix, ...tree.slice(0, brace).split("::").map((s) => s.trim())]
    .filter((segment) => segment !== "");
  return splitList(tree.slice(brace + 1, tree.lastIndexOf("}"))).flatMap((one) =>
    pathsOf(one, own)
  );
}

/** The parts of a list between commas that are not inside braces. */
function splitList(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= list.length; i++) {
    const char = list[i];
    if (char === "{") depth++;
    else if (char === "}") depth--;
    else if (char === undefined || char === "," && depth === 0) {
      parts.push(list.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts.filter((part) => part !== "");
}

/** Removes modules and items under `#[cfg(test)]`. */
function withoutTests(code: string): string {
  for (let from = 0;;) {
    const start = code.indexOf("#[cfg(test)]", from);
    if (start < 0) return code;
    const brace = code.indexOf("{", start);
    const semicolon = code.indexOf(";", start);
    let end = semicolon < 0 ? code.length : semicolon + 1;
    if (brace >= 0 && (semicolon < 0 || brace < semicolon)) {
      let depth = 0;
      for (end = brace; end < code.length; end++) {
        if (code[end] === "{") depth++;
        else if (code[end] === "}" && --depth === 0) break;
      }
      end++;
    }
    code = code.slice(0, start) + code.slice(end);
    from = start;
  }
}

function rustFiles(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".rs")).sort();
}

function modulePath(file: string): string[] {
  const segments = file.replace(/\.rs$/, "").split("/");
  const last = segments.at(-1);
  if (last === "mod" || segments.length === 1 && (last === "lib" || last === "main")) {
    segments.pop();
  }
  return segments;
}
