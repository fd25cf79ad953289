/**
 * The package `sluice`: JavaScript with types, the command, the guides and the binding for Python.
 *
 * Bun would take the TypeScript as it is; Deno and Node.js do not read TypeScript inside `node_modules`.
 *
 * @module
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npmLicences } from "../licences.ts";
import { EXTERNAL, writeBundle } from "./bundle.ts";
import { writeDeclarations } from "./declarations.ts";
import { writeDocuments } from "./documents.ts";
import { checkout, commonFields, LICENCES, ROOT, type Strings, writePackage } from "./manifest.ts";

/** The command, and the program that it imports when it runs. */
const COMMAND = "src/cli/bin.ts";
const PROGRAM = "src/cli/main.ts";

/** The script of Workers, which is found by its path (`src/corpus/worker_url.ts`). */
const CORPUS_WORKER = "src/corpus/worker.ts";

/** It finds the platform package next to `sluice` in `node_modules`. */
const PYTHON = ["sluice_arrow.py", "README.md", "ray_tokenize.py", "spark_tokenize.py"];

/** Writes the package into `folder`, with the packages of `platforms` as optional dependencies. */
export async function writeMainPackage(folder: string, platforms: Strings): Promise<void> {
  const modules = Object.values(checkout.exports);
  await writeBundle([...modules, COMMAND, PROGRAM, CORPUS_WORKER], folder);
  writeDeclarations(modules, folder);
  writeDocuments(["README.md", "CHANGELOG.md", "SECURITY.md"], folder);
  mkdirSync(join(folder, "python"), { recursive: true });
  for (const file of PYTHON) {
    copyFileSync(join(ROOT, "python", file), join(folder, "python", file));
  }
  const dependencies = Object.entries(checkout.dependencies);
  const isExternal = ([name]: readonly [string, string]) => EXTERNAL.includes(name);
  const bundled = dependencies.filter((it) => !isExternal(it)).map(([name]) => name);
  writeFileSync(join(folder, LICENCES), npmLicences(join(ROOT, "node_modules"), bundled));
  const { name, description, keywords, engines, sideEffects } = checkout;
  writePackage(folder, {
    name,
    description,
    keywords,
    ...commonFields(),
    engines,
    sideEffects,
    exports: exportsOf(checkout.exports),
    bin: { [name]: `./${COMMAND.replace(/ts$/, "js")}` },
    dependencies: Object.fromEntries(dependencies.filter(isExternal)),
    optionalDependencies: platforms,
  }, ["LICENSE"]);
}

/** The exports of the package, from the sources' own. */
function exportsOf(sources: Strings): Record<string, unknown> {
  const compiled = Object.entries(sources).map(([entry, source]) => {
    const path = source.slice(0, -".ts".length);
    return [entry, { types: `${path}.d.ts`, default: `${path}.js` }];
  });
  return { ...Object.fromEntries(compiled), "./package.json": "./package.json" };
}
