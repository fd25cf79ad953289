/**
 * How much resident memory Workers take that tokenize, little or much, in a process of its own for each number.
 *
 *     bun bench/workers_memory.ts [--checkout FOLDER]
 *
 * `little` is one text of 300 characters, `some` one of 16,000, `much` 8 MB of words that do not come back, each
 * counted and encoded. A Worker that only imports and opens is `idle`; what it takes is the runtime's.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { runtimeVersion } from "./machine.ts";
import { Random } from "./random.ts";
import { runSelf } from "./runtimes.ts";
import { alignRight } from "./text_table.ts";

const NUMBERS = [1, 16, 64];
const LOADS = { idle: 0, little: 300, some: 16_000, much: 8_000_000 } as const;

type Load = keyof typeof LOADS;

/** Words of letters in no order, between words of English. */
function words(length: number, seed: number): string {
  const random = new Random(seed);
  const parts: string[] = [];
  for (let used = 0; used < length;) {
    const letters = random.integer(2, 9);
    let word = "";
    for (let i = 0; i < letters; i++) word += String.fromCharCode(97 + random.integer(0, 26));
    parts.push(word);
    used += word.length + 1;
  }
  return parts.join(" ");
}

/** Resident bytes, of which those that huge pages and other anonymous memory are. */
function resident(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return 1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
}

interface Work {
  readonly checkout: string;
  readonly load: Load;
  readonly seed: number;
}

async function tokenize({ checkout, load, seed }: Work): Promise<void> {
  const { Tokenizer } = await import(checkout);
  const tokenizer = new Tokenizer("o200k_base");
  // By 4,000, so that no buffer of JavaScript's grows.
  for (let done = 0; done < LOADS[load]; done += 4_000) {
    const text = words(Math.min(4_000, LOADS[load] - done), seed + done);
    tokenizer.count(text);
    tokenizer.encode(text);
  }
  parentPort?.postMessage("done");
}

async function measure(checkout: string, load: Load, number: number): Promise<number> {
  const before = resident();
  const workers = Array.from(
    { length: number },
    (_, seed) =>
      new Worker(new URL(import.meta.url), { workerData: { checkout, load, seed } satisfies Work }),
  );
  await Promise.all(
    workers.map((worker) =>
      new Promise((done, failed) => worker.once("message", done).once("error", failed))
    ),
  );
  await sleep(500);
  const bytes = resident() - before;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return bytes;
}

if (!isMainThread) {
  await tokenize(workerData as Work);
  // Stays, as a Worker that serves does.
  parentPort!.on("message", () => {});
} else if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      checkout: { type: "string" },
      load: { type: "string" },
      number: { type: "string" },
    },
  });
  const folder = values.checkout === undefined
    ? new URL("../", import.meta.url)
    : new URL(`${pathToFileURL(values.checkout).href}/`);
  const checkout = new URL("mod.ts", folder).href;
  if (values.load !== undefined) {
    console.log(await measure(checkout, values.load as Load, Number(values.number)));
    process.exit(0);
  }
  const rows = [["MB", ...Object.keys(LOADS).slice(1), "beyond idle Workers"]];
  for (const number of NUMBERS) {
    const row = [number === 1 ? "1 Worker" : `${number} Workers`];
    let idle = 0;
    for (const load of Object.keys(LOADS)) {
      const args = ["--load", load, "--number", `${number}`];
      if (values.checkout !== undefined) args.push("--checkout", values.checkout);
      const bytes = Number(await runSelf("workers_memory.ts", args));
      if (load === "idle") idle = bytes;
      else row.push(((bytes - idle) / 1e6).toFixed(1));
    }
    rows.push(row);
  }
  console.log(runtimeVersion());
  for (const line of alignRight(rows)) console.log(line);
  process.exit(0);
}
