/**
 * What Deno loads when it is first named costs a program milliseconds: 20 for the first of Node's modules,
 * 3 for the streams. The library names none of that before it is of use.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The module of each part, and the lazy globals that it names as it is imported: all of them cheap. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": ["Response", "TextDecoder", "TextEncoder"],
  "src/tokenizer/mod.ts": ["TextDecoder", "TextEncoder"],
  "src/limiter/mod.ts": ["TextEncoder"],
  "src/pool/mod.ts": ["Response", "TextDecoder", "TextEncoder"],
};

/** Imports a module and prints which of the globals that Deno makes by a getter were got. */
const WATCH = `
const [file] = Deno.args;
const named = new Set();
for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
  if (property.get === undefined || !property.configurable) continue;
  const get = () => (named.add(name), property.get.call(globalThis));
  Object.defineProperty(globalThis, name, { ...property, get });
}
const { Tokenizer } = await import(file);
if (Tokenizer !== undefined) new Tokenizer("o200k_base").count("Hello, world!");
console.log(JSON.stringify([...named].sort()));
`;

function deno(...args: string[]): unknown {
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" }));
}

/** A module in the graph of `deno info`. `code` is what it imports more than the types of. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
}

/** All modules that a module imports, directly or not. */
function graph(file: string): string[] {
  const { roots, modules } = deno("info", "--json", file) as {
    roots: string[];
    modules: Module[];
  };
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const found = new Set(roots);
  for (const specifier of found) {
    for (const { code } of byName.get(specifier)?.dependencies ?? []) {
      // One that cannot be resolved, as a platform package, has no specifier.
      if (code?.specifier !== undefined) found.add(code.specifier);
    }
  }
  return [...found];
}

describe("the modules of Node", () => {
  for (const file of Object.keys(PARTS)) {
    it(`are not imported by ${file}`, () => {
      const modules = graph(file);
      assert.ok(modules.some((specifier) => specifier.endsWith("/src/ffi/load.ts")));
      // Loaded when strings of megabytes have been seen.
      const early = modules.filter((specifier) => specifier.startsWith("node:"));
      assert.deepEqual(early.filter((specifier) => specifier !== "node:v8"), []);
    });
  }
});

describe("globals that Deno loads lazily", () => {
  for (const [file, named] of Object.entries(PARTS)) {
    it(`are not named by ${file}, but for cheap ones`, () => {
      const url = new URL(`../../../${file}`, import.meta.url).href;
      assert.deepEqual(deno("eval", WATCH, url), named);
    });
  }
});
