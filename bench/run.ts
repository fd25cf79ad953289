/**
 * Runs the benches in both runtimes, writes one dated record for each, and makes the tables (of the
 * README, `docs/benchmarks.md` and `bench/README.md`) and the plots anew from them.
 *
 *     bun bench/run.ts                      # everything: about 75 minutes
 *     bun bench/run.ts --only batch,load    # some benches
 *     bun bench/run.ts --brief              # all of it once and tiny, as a test; writes nothing
 *
 * `deno run -A bench/run.ts` does the same.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { machine, type RuntimeName } from "./machine.ts";
import { writePlots } from "./plots.ts";
import type { RuntimeResult } from "./program.ts";
import { recordName, writeRecord } from "./record.ts";
import { executable, runArguments } from "./runtimes.ts";
import { updateTables } from "./tables.ts";

/** Every bench, quickest first: a mistake shows early. */
const BENCHES = [
  "crossing",
  "batch",
  "async",
  "streamed",
  "cache",
  "limiter",
  "pool",
  "worst",
  "load",
  "gateway",
  "tokenizer",
];

/** Those that run only when they are named: they fetch what they need from package registries. */
const NAMED_BENCHES = ["held_out"];

interface Outcome {
  readonly result?: RuntimeResult<readonly unknown[]>;
  readonly output: string;
  readonly code: number | null;
}

/** Runs one bench in one runtime and returns its result and what it printed. */
async function runBench(
  bench: string,
  runtime: RuntimeName,
  folder: string,
  brief: boolean,
): Promise<Outcome> {
  const out = join(folder, `${bench}-${runtime}.json`);
  const args = ["--out", out, ...(brief ? ["--brief"] : [])];
  const file = new URL(`${bench}.ts`, import.meta.url);
  const child = spawn(executable(runtime), runArguments(runtime, file, args), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => output += chunk);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) return { output, code };
  const result = JSON.parse(readFileSync(out, "utf8")) as Outcome["result"];
  return { output, code, result: result! };
}

/** All benches in one runtime, one after the other; true if none failed. */
async function runBriefly(
  runtime: RuntimeName,
  benches: readonly string[],
  folder: string,
): Promise<boolean> {
  let passed = true;
  for (const bench of benches) {
    const start = performance.now();
    const { code } = await runBench(bench, runtime, folder, true);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${code === 0 ? "ok  " : "FAIL"}  ${bench}, ${runtime}, ${seconds} s`);
    passed &&= code === 0;
  }
  return passed;
}

async function runAndRecord(
  bench: string,
  runtimes: readonly RuntimeName[],
  folder: string,
): Promise<boolean> {
  const results: { [R in RuntimeName]?: RuntimeResult<readonly unknown[]> } = {};
  const described: string[] = [];
  for (const runtime of runtimes) {
    const { code, output, result } = await runBench(bench, runtime, folder, false);
    console.log(output);
    if (code !== 0) console.error(`${bench} failed in ${runtime}: no record of it is written`);
    if (code !== 0 || result === undefined) return false;
    results[runtime] = result;
    described.push(...output.trim().split("\n"), "");
  }
  const record = {
    bench,
    date: new Date().toISOString().slice(0, 10),
    command: ["bench/run.ts", ...process.argv.slice(2)].join(" "),
    machine: machine(),
    runtimes: results,
  };
  writeRecord(record, described.slice(0, -1));
  console.log(`wrote bench/record/${recordName(record)}.json and .md`);
  return true;
}

function chosen<T extends string>(list: string | undefined, all: readonly T[], what: string): T[] {
  if (list === undefined) return all.slice();
  return list.split(",").map((name) => {
    const found = all.find((known) => known === name);
    if (found === undefined) throw new Error(`No ${what} "${name}"; there are ${all.join(", ")}`);
    return found;
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      brief: { type: "boolean", default: false },
      only: { type: "string" },
      runtimes: { type: "string" },
    },
  });
  const named = values.only === undefined ? BENCHES : [...BENCHES, ...NAMED_BENCHES];
  const benches = chosen(values.only, named, "bench");
  const runtimes = chosen<RuntimeName>(values.runtimes, ["bun", "deno"], "runtime");
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  let passed = true;
  if (values.brief) {
    // Side by side: a test of the benches, not of speed.
    const all = await Promise.all(runtimes.map((name) => runBriefly(name, benches, folder)));
    passed = all.every(Boolean);
  } else {
    for (const bench of benches) passed = await runAndRecord(bench, runtimes, folder) && passed;
    updateTables(true);
    writePlots();
  }
  rmSync(folder, { recursive: true });
  process.exit(passed ? 0 : 1);
}
