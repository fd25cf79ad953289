/**
 * How long an engine takes from its import to its first count, and how much memory it keeps: each
 * in a process of its own.
 *
 *     bun bench/load.ts [--brief] [--out FILE]
 *     deno run -A bench/load.ts [--brief] [--out FILE]
 *
 * @module
 */
import {
  BENCHED_ENCODINGS,
  type BenchedEncoding,
  IMPORT_NAMES,
  type ImportName,
  INSTALLED_NAMES,
} from "./engines.ts";
import { Project } from "./installed.ts";
import type { Loaded } from "./load_child.ts";
import { rounded, type Spread, spread } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { runSelf } from "./runtimes.ts";
import { alignRight } from "./text_table.ts";

/** One engine and encoding. */
export interface LoadCell {
  readonly engine: ImportName;
  readonly encoding: BenchedEncoding;
  /** Milliseconds from import to first count. */
  readonly ms: Spread;
  /** Megabytes of resident memory added. */
  readonly rss: Spread;
}

const ROUNDS = 7;

const bench: Bench<LoadCell[]> = {
  name: "load",

  async run(brief) {
    const encodings = brief ? ["o200k_base"] as const : BENCHED_ENCODINGS;
    const engines = brief ? ["sluice/tokenizer", "sluice", "hypertok"] as const : IMPORT_NAMES;
    using project = new Project();
    const importers = INSTALLED_NAMES.map((name) => [name, project.importer(name)] as const);
    const importerOf = new Map<ImportName, string>(importers);
    const jobs = encodings.flatMap((encoding) =>
      engines.map((engine) => ({ engine, encoding, runs: [] as Loaded[] }))
    );
    // Round by round, so that a busy moment of the machine hits all alike.
    for (let round = 0; round < (brief ? 1 : ROUNDS); round++) {
      for (const { engine, encoding, runs } of jobs) {
        progress(`load: round ${round + 1}, ${engine}, ${encoding}`);
        const importer = importerOf.get(engine);
        const args = [engine, encoding, ...(importer === undefined ? [] : [importer])];
        runs.push(JSON.parse(await runSelf("load_child.ts", args)) as Loaded);
      }
    }
    return jobs.map(({ engine, encoding, runs }) => {
      expect(runs.every(({ tokens }) => tokens === 10), `${engine} counts ten tokens`);
      return {
        engine,
        encoding,
        ms: roundedSpread(runs.map(({ ms }) => ms)),
        rss: roundedSpread(runs.map(({ rss }) => rss)),
      };
    });
  },

  check(cells) {
    for (const { engine, ms } of cells) expect(ms.low > 0, `${engine} takes time to load`);
  },

  describe(cells) {
    const rows = cells.map(({ engine, encoding, ms, rss }) => [
      engine,
      encoding,
      ms.median.toPrecision(3),
      `${ms.low.toPrecision(3)} to ${ms.high.toPrecision(3)}`,
      rss.median.toPrecision(3),
    ]);
    return alignRight([["engine", "encoding", "ms to first count", "low to high", "MB"], ...rows]);
  },
};

function roundedSpread(values: number[]): Spread {
  const { median, low, high } = spread(values);
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}

if (import.meta.main) await program(bench);
