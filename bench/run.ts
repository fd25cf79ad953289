/**
 * Runs the benches in the runtimes, writes a dated record of each, and updates the tables and plots.
 *
 *     bun bench/run.ts                      # all benches: about 90 minutes
 *     bun bench/run.ts --only batch,load    # some benches
 *     bun bench/run.ts --brief              # all benches once and briefly, as a test; writes nothing
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
import { recordName, type RuntimeResult, writeRecord } from "./record.ts";
import { executable, runArguments } from "./runtimes.ts";
import { updateTables } from "./tables.ts";
import { recordTables } from "./tables/render.ts";

/** Every bench, the shortest first, so that a mistake shows early. */
const BENCHES = ["router", "crossing", "batch", "async", "streamed", "cache", "worst", "load"]
  .concat("limiter", "pool", "shared", "gateway", "tokenizer");

/** Benches that run only by name, since they fetch packages from registries. */
const NAMED_BENCHES = ["held_out", "corpus"];

/** A brief run of this one fetches nothing. */
const BRIEF_BENCHES = [...BENCHES, "corpus"];

const RUNTIMES: readonly RuntimeName[] = ["bun", "deno", "node"];
/** The benches that run in Node too: what a call costs there. All of them would take half as long again. */
const IN_NODE: readonly string[] = ["crossing"];

/** Runs a bench in a runtime; undefined if it failed. */
async function runBench(
  bench: string,
  runtime: RuntimeName,
  folder: string,
  isBrief: boolean,
): Promise<RuntimeResult | undefined> {
  const out = join(folder, `${bench}-${runtime}.json`);
  const args = ["--out", out, ...(isBrief ? ["--brief"] : [])];
  const file = new URL(`${bench}.ts`, import.meta.url);
  const child = spawn(executable(runtime), runArguments(runtime, file, args), {
    stdio: "inherit",
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return code === 0 ? JSON.parse(readFileSync(out, "utf8")) as RuntimeResult : undefined;
}

/** Runs all benches briefly in one runtime; true if none failed. */
async function runBriefly(
  runtime: RuntimeName,
  benches: readonly string[],
  folder: string,
): Promise<boolean> {
  let isGood = true;
  for (const bench of benches) {
    const result = await runBench(bench, runtime, folder, true);
    isGood &&= result !== undefined;
    const outcome = result === undefined ? "FAILED" : `ok, ${result.seconds} s`;
    console.log(`${bench}, ${runtime}: ${outcome}`);
  }
  return isGood;
}

/** Runs a bench in the runtimes and records it; true if it did not fail. */
async function runAndRecord(
  bench: string,
  runtimes: readonly RuntimeName[],
  folder: string,
): Promise<boolean> {
  // Before the run, since its header has the load average.
  const header = {
    bench,
    date: new Date().toISOString().slice(0, 10),
    command: ["bench/run.ts", ...process.argv.slice(2)].join(" "),
    machine: machine(),
  };
  const results: { [R in RuntimeName]?: RuntimeResult } = {};
  for (const runtime of runtimes) {
    const result = await runBench(bench, runtime, folder, false);
    if (result === undefined) {
      console.error(`${bench} failed in ${runtime}: no record of it is written`);
      return false;
    }
    results[runtime] = result;
  }
  const record = { ...header, runtimes: results };
  const tables = recordTables(record);
  console.log(tables.join("\n"));
  writeRecord(record, tables);
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
  const unnamed = values.brief ? BRIEF_BENCHES : BENCHES;
  const named = values.only === undefined ? unnamed : [...BENCHES, ...NAMED_BENCHES];
  const benches = chosen(values.only, named, "bench");
  const runtimesOf = (bench: string): RuntimeName[] =>
    values.runtimes === undefined
      ? RUNTIMES.filter((name) => name !== "node" || IN_NODE.includes(bench))
      : chosen<RuntimeName>(values.runtimes, RUNTIMES, "runtime");
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  let isGood = true;
  if (values.brief) {
    // At the same time: this tests the benches, not speed.
    const all = await Promise.all(RUNTIMES.map((name) => {
      const all = benches.filter((bench) => runtimesOf(bench).includes(name));
      return runBriefly(name, all, folder);
    }));
    isGood = all.every(Boolean);
  } else {
    for (const bench of benches) {
      isGood = await runAndRecord(bench, runtimesOf(bench), folder) && isGood;
    }
    updateTables(true);
    writePlots();
  }
  rmSync(folder, { recursive: true });
  process.exit(isGood ? 0 : 1);
}
