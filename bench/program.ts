/**
 * What every bench program shares: its flags, where its result goes, and the form of a record.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { runtimeName, runtimeVersion } from "./machine.ts";

/** The result of one bench in one runtime. */
export interface RuntimeResult<T> {
  /** "Bun 1.4.5", "Deno 2.9.6". */
  readonly runtime: string;
  readonly seconds: number;
  readonly result: T;
}

/** What a bench program is. */
export interface Bench<T> {
  /** The name of its file and of its record. */
  readonly name: string;
  /** Measures. With `brief` it does everything once and tiny, as a test of itself. */
  run(brief: boolean): Promise<T>;
  /** Throws if the result cannot be right: counts differ, a cell is missing. */
  check(result: T): void;
  /** The result as lines for people. */
  describe(result: T): string[];
}

/**
 * Runs a bench with the flags of the command line: `--brief` and `--out FILE`, which also writes
 * the result as JSON.
 */
export async function program<T>(bench: Bench<T>): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { brief: { type: "boolean", default: false }, out: { type: "string" } },
  });
  const start = performance.now();
  progress(`${bench.name}: measuring in ${runtimeName()}${values.brief ? ", briefly" : ""}`);
  const result = await bench.run(values.brief);
  bench.check(result);
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  console.log(`\n${bench.name}, ${runtimeVersion()}, ${seconds} s`);
  for (const line of bench.describe(result)) console.log(line);
  if (values.out !== undefined) {
    const record: RuntimeResult<T> = { runtime: runtimeVersion(), seconds, result };
    writeFileSync(values.out, JSON.stringify(record));
  }
  process.exit(0);
}

/** A line on stderr, so that results stay alone on stdout. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
}

/** Throws unless `condition`; for {@linkcode Bench.check}. */
export function expect(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new Error(`Bench result is not sane: ${claim}`);
}
