/**
 * Finds import cycles among the TypeScript modules and among the modules of each Rust crate, and imports that run
 * against the layers of the project. Type-only imports count.
 *
 * Usage: `bun scripts/import_cycles.ts [root]`. Exits with code 1 if it finds any.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { cyclicGroups, describeCycle, type ImportGraph, shortestCycle } from "./imports/graph.ts";
import { readCrate } from "./imports/rust.ts";
import { readTypeScript } from "./imports/typescript.ts";

/** A cycle that is allowed. */
interface Exception {
  readonly modules: RegExp;
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    modules: /^rust\/limiter\/src\/(?:limiter|(?:reservations\/)?book)\.rs$/,
    reason: "a limiter holds the book of its reservations, which refer to it by a Weak",
  },
];

/** An import that runs against the layers, by the start of the paths. */
interface Forbidden {
  readonly from: RegExp;
  readonly to: RegExp;
  readonly reason: string;
}

const FORBIDDEN: readonly Forbidden[] = [
  { from: /^src\//, to: /^mod\.ts$/, reason: "sources import the parts and not mod.ts" },
  { from: /^src\/(?!cli\/)/, to: /^src\/cli\//, reason: "the command line is no library" },
  {
    from: /^src\/files\//,
    to: /^src\/(?!files\/)/,
    reason: "src/files is below the parts",
  },
  {
    from: /^src\/ffi\//,
    to: /^src\/(?:tokenizer|limiter|pool|http)\//,
    reason: "src/ffi is below the parts",
  },
  {
    from: /^src\/(?:tokenizer|limiter)\//,
    to: /^src\/(?:pool|http)\//,
    reason: "tokenizer and limiter are below pool and http",
  },
  {
    from: /^(?:mod\.ts|src\/)/,
    to: /^(?:bench|tests|scripts|examples)\//,
    reason: "not published",
  },
  { from: /^bench\//, to: /^scripts\//, reason: "benchmarks run without the scripts" },
];

/** Everything that is wrong with the imports of the repository at `root`, as texts. */
export function findProblems(root: string, files: readonly string[]): string[] {
  const typescript = readTypeScript(root, files.filter((file) => file.endsWith(".ts")));
  const crates = files.flatMap((file) => /^(rust\/[^/]+)\/Cargo\.toml$/.exec(file)?.[1] ?? [])
    .map((crate) => path.posix.join(crate, "src"))
    .filter((src) => fs.existsSync(path.join(root, src)));
  const graphs = [typescript, ...crates.map((src) => readCrate(root, src))];
  return [...graphs.flatMap(cyclesOf), ...upwardImports(typescript)];
}

function cyclesOf(graph: ImportGraph): string[] {
  return cyclicGroups(graph).filter((group) => !isAllowed(group)).map((group) => {
    const cycle = shortestCycle(graph, group);
    return `Import cycle among ${group.join(", ")}:\n${describeCycle(graph, cycle)}`;
  });
}

function isAllowed(group: readonly string[]): boolean {
  return EXCEPTIONS.some(({ modules }) => group.every((module) => modules.test(module)));
}

function upwardImports(graph: ImportGraph): string[] {
  return [...graph].flatMap(([from, imports]) =>
    [...imports.keys()].flatMap((to) =>
      FORBIDDEN.filter((rule) => rule.from.test(from) && rule.to.test(to))
        .map(({ reason }) => `${from} must not import ${to}: ${reason}`)
    )
  );
}

if (import.meta.main) {
  const root = process.argv[2] ?? ".";
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  }).split("\n").filter((file) => file !== "" && fs.existsSync(path.join(root, file)));
  const problems = findProblems(root, files);
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) console.log("No import cycles.");
  process.exitCode = problems.length === 0 ? 0 : 1;
}
