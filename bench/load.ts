/**
 * First use: the time from the import of an engine to its first count, and the memory that this takes, each in a process
 * of its own.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BENCHED_ENCODINGS, ENGINE_NAMES } from "./engines.ts";
import type { Loaded } from "./load_child.ts";
import { spread } from "./measure.ts";
import { expect, program, progress } from "./program.ts";
import type { Cell } from "./record.ts";
import { executable, runSelf } from "./runtimes.ts";

const ROUNDS = 7;
/** What is imported of sluice, from the installed packages and from this checkout. */
const ENTRIES = { "sluice/tokenizer": "../src/tokenizer/mod.ts", "sluice": "../mod.ts" } as const;
const INSTALLER = fileURLToPath(new URL("../scripts/install_packed.ts", import.meta.url));

/** What each engine is loaded from: a module that imports it, or its adapter. */
function sources(project: string, isInstalled: boolean): [engine: string, importer: string][] {
  const importer = (name: string, target: string) => {
    const file = join(project, `${name.replaceAll(/\W/g, "_")}.js`);
    writeFileSync(file, `export default () => import(${JSON.stringify(target)});\n`);
    return pathToFileURL(file).href;
  };
  const entries = Object.entries(ENTRIES);
  return [
    ...(isInstalled ? entries : []).map(([name]): [string, string] => [name, importer(name, name)]),
    ...entries.map(([name, path]): [string, string] => {
      const target = new URL(path, import.meta.url).href;
      return [`${name}, checkout`, importer(`${name}, checkout`, target)];
    }),
    ...ENGINE_NAMES.slice(1).map((name): [string, string] => [name, ""]),
  ];
}

async function run(brief: boolean): Promise<Cell[]> {
  const project = mkdtempSync(join(tmpdir(), "sluice-load-"));
  try {
    // Packing takes seconds; tests/package_test.ts loads the installed packages.
    if (!brief) execFileSync(executable("bun"), [INSTALLER, project]);
    writeFileSync(join(project, "package.json"), `{ "type": "module" }`);
    const jobs = (brief ? ["o200k_base"] : BENCHED_ENCODINGS).flatMap((encoding) =>
      sources(project, !brief).map(([engine, importer]) => ({
        engine,
        encoding,
        args: [engine, encoding, importer],
        runs: [] as Loaded[],
      }))
    );
    // In rounds, so that a busy moment of the machine affects all alike.
    for (let round = 0; round < (brief ? 1 : ROUNDS); round++) {
      for (const { engine, args, runs } of brief ? jobs.slice(0, 3) : jobs) {
        progress(`load: round ${round + 1}, ${engine}`);
        runs.push(JSON.parse(await runSelf("load_child.ts", args)) as Loaded);
      }
    }
    return jobs.filter(({ runs }) => runs.length > 0).map(({ engine, encoding, runs }) => {
      expect(runs.every(({ tokens }) => tokens === 10), `${engine} counts ten tokens`);
      const ms = spread(runs.map(({ ms }) => ms));
      return { engine, encoding, ms, rss: spread(runs.map(({ rss }) => rss)) };
    });
  } finally {
    rmSync(project, { recursive: true });
  }
}

if (import.meta.main) await program({ name: "load", run });
