/**
 * The long proof of corpora: kills processes at random points in every format, runtime and number of threads, and as three
 * shares at once, until `--kills` are done; and compares the memory of large inputs with its bound.
 *
 *     bun tests/corpus/proof.ts --kills 200 [--seed 1] [--megabytes 600]
 *
 * Fails if a resumed folder differs from an undisturbed one in a byte, or if an input takes more memory than promised.
 *
 * @module
 */
// cspell:ignore pyarrow
import { Buffer } from "node:buffer";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createGzip, createZstdCompress } from "node:zlib";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { RuntimeName } from "../../bench/machine.ts";
import { NO_PYTHON, python } from "../support/python.ts";
import { treeOf } from "./folder.ts";
import { FORMAT_RUNS } from "./formats.ts";
import { linesOf, makeCorpus, Random } from "./generator.ts";
import { killUntilDone } from "./killing.ts";
import { BASE_MEMORY, PARQUET_MEMORY, WORKER_MEMORY } from "./memory.ts";
import { peakOf, run, RUNTIMES } from "./program.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    megabytes: { type: "string", default: "600" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "sluice-proof-"));
const random = new Random(Number(values.seed));
const MIB = 2 ** 20;
let failures = 0;

function check(isRight: boolean, line: string): void {
  console.log(`${isRight ? "ok  " : "FAIL"} ${line}`);
  if (!isRight) failures++;
}

/** Each shape of a run, and how often it was killed. */
async function killAll(kills: number): Promise<void> {
  let done = 0;
  for (let round = 0; done < kills; round++) {
    const seed = random.below(1e9);
    makeCorpus(folder, seed, 400_000);
    for (const { name, args } of FORMAT_RUNS) {
      const tokenize = (
        out: string,
        ...rest: readonly string[]
      ) => ["tokenize", "in", "--out", out, "--unit", "32KB", "--quiet", ...args, ...rest];
      const whole = await run(folder, tokenize("whole"), { runtime: RUNTIMES[round % 2]! });
      const expected = treeOf(join(folder, "whole"));
      check(whole.code === 1, `undisturbed run of ${name}, seed ${seed}`);
      for (const shares of [1, 3]) {
        const runs = await Promise.all(Array.from({ length: shares }, (_, share) =>
          killUntilDone({
            runtime: RUNTIMES[(round + share) % 2]!,
            cwd: folder,
            args: tokenize(
              "killed",
              "--shard",
              `${share}/${shares}`,
              "--threads",
              `${1 + round % 2}`,
            ),
            out: "killed",
            kills: shares === 1 ? 4 : 2,
            waitMs: 12,
            random,
          })));
        const killed = runs.reduce((sum, one) => sum + one.killed, 0);
        done += killed;
        const codes = runs.map(({ last }) => last.code);
        const isSame = treeOf(join(folder, "killed")) === expected &&
          codes.every((code) => code === 1);
        check(isSame, `${name}, ${shares} processes, ${killed} kills`);
        rmSync(join(folder, "killed"), { recursive: true });
      }
      rmSync(join(folder, "whole"), { recursive: true });
    }
    rmSync(join(folder, "in"), { recursive: true });
  }
  console.log(`${done} kills`);
}

/** Inputs of hundreds of megabytes, each of them read by both runtimes. */
async function measureMemory(megabytes: number): Promise<void> {
  mkdirSync(join(folder, "large"));
  const path = join(folder, "large/in.jsonl");
  const file = openSync(path, "w");
  const { bytes } = linesOf(new Random(9), "", 4 * MIB, { isClean: true });
  for (let written = 0; written < megabytes * 1e6;) written += writeSync(file, bytes);
  closeSync(file);
  const line = openSync(join(folder, "large/line.jsonl"), "w");
  writeSync(line, '{"text": "');
  const words = Buffer.from("one long line of words, ".repeat(50_000));
  for (let written = 0; written < megabytes / 2 * 1e6;) written += writeSync(line, words);
  writeSync(line, '"}\n');
  closeSync(line);
  await pipeline(createReadStream(path), createGzip({ level: 1 }), createWriteStream(`${path}.gz`));
  await pipeline(createReadStream(path), createZstdCompress(), createWriteStream(`${path}.zst`));
  const inputs = ["in.jsonl", "in.jsonl.gz", "in.jsonl.zst"];
  if (NO_PYTHON === false) {
    await python(WRITE_PARQUET, path, join(folder, "large/in.parquet"));
    inputs.push("in.parquet");
  }
  for (const runtime of RUNTIMES) {
    const base = await measure(runtime, "small.jsonl", 1);
    for (const input of inputs) {
      for (const threads of [1, 2]) {
        const more = await measure(runtime, `large/${input}`, threads) - base;
        const own = input.endsWith(".parquet") ? PARQUET_MEMORY : 0;
        const bound = BASE_MEMORY + threads * WORKER_MEMORY + own;
        check(
          more < bound,
          `${runtime}, ${input} of ${megabytes} MB, ${threads} threads: ` +
            `${Math.round(more / MIB)} MiB above ${Math.round(base / MIB)} MiB, bound ${
              bound / MIB
            }`,
        );
      }
    }
    const peak = await measure(runtime, "large/line.jsonl", 1) - base;
    console.log(`     ${runtime}, a line of ${megabytes / 2} MB: ${Math.round(peak / MIB)} MiB`);
  }
}

async function measure(runtime: RuntimeName, input: string, threads: number): Promise<number> {
  const args = ["tokenize", input, "--out", "measured", "--threads", `${threads}`, "--quiet"];
  const { peak, ended } = await peakOf(folder, [...args, "--encoding", "o200k_base"], { runtime });
  if (ended.code !== 0) throw new Error(`${input}: ${ended.code}: ${ended.stderr}`);
  rmSync(join(folder, "measured"), { recursive: true });
  return peak;
}

const WRITE_PARQUET = `
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
schema = pa.schema([("text", pa.string())])
with pq.ParquetWriter(sys.argv[2], schema, compression="zstd", use_dictionary=False) as writer:
    rows = []
    for line in open(sys.argv[1], "rb"):
        text = json.loads(line)["text"].encode("utf-8", "replace").decode()
        rows.append(text)
        if len(rows) == 5000:
            writer.write_table(pa.table({"text": rows}, schema), row_group_size=5000)
            rows = []
    writer.write_table(pa.table({"text": rows}, schema))
`;

try {
  makeSmall();
  await killAll(Number(values.kills));
  if (Number(values.megabytes) > 0) await measureMemory(Number(values.megabytes));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures === 0 ? "all held" : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;

function makeSmall(): void {
  const small = openSync(join(folder, "small.jsonl"), "w");
  writeSync(small, '{"text": "a"}\n');
  closeSync(small);
}
