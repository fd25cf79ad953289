/**
 * A corpus tokenized by a fleet of workers that take its units from a BullMQ queue, while one of them is killed with -9
 * in the middle of a unit. Another takes the unit over, and the token files are those of an undisturbed run.
 *
 *     bun examples/bullmq_tokenize.ts
 *     deno run -A examples/bullmq_tokenize.ts
 *
 * A queue pays where machines are of uneven speed, or come and go. Elsewhere `sluice tokenize --shard i/n` needs none. The
 * example starts `valkey-server` or `redis-server`, which must be on the path, and listens on 127.0.0.1 only. The workers
 * need a folder that all of them see; here they are processes of one machine.
 *
 * @module
 */
import { FlowProducer, QueueEvents } from "bullmq";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { planCorpus, type PlanCorpusOptions, tokenizeCorpus } from "../src/corpus/mod.ts";
import { endWithThisProcess } from "../tests/support/end_with_this_process.ts";
import { NO_STORE, StoreServer } from "../tests/support/store_server.ts";
import { writeCorpus } from "./bullmq_tokenize/corpus.ts";
import { connectionTo, type CorpusJob, QUEUE } from "./bullmq_tokenize/jobs.ts";

type Runtime = "bun" | "deno" | "node";
const HERE: Runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const THERE = HERE === "bun" ? "deno" : "bun";

if (NO_STORE) process.exit(1);

await using store = await StoreServer.start();
const folder = mkdtempSync(join(tmpdir(), "sluice-bullmq-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const input = join(folder, "corpus.jsonl");
const lines = writeCorpus(input, 6_000_000);
const options: PlanCorpusOptions = { encoding: "o200k_base", unitBytes: 500_000 };

const { manifest: alone } = await tokenizeCorpus([input], join(folder, "alone"), options);

// The producer: one job for each unit, and one that completes the corpus when all units are done.
const out = join(folder, "fleet");
const { units } = await planCorpus([input], out, options);
const connection = connectionTo(store.port);
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();
let commits = 0;
let documents = 0;
let bad = 0;
events.on("completed", ({ returnvalue }) => {
  const counts = returnvalue as unknown as { documents?: number; bad: number };
  if (counts.documents === undefined) return;
  commits++;
  documents += counts.documents;
  bad += counts.bad;
});
let takenOver = 0;
events.on("stalled", ({ jobId }) => {
  takenOver++;
  console.log(`${jobId} has lost its worker and goes to another`);
});
const producer = new FlowProducer({ connection });
const { job: finish } = await producer.add({
  name: "finish",
  queueName: QUEUE,
  data: { kind: "finish", out } satisfies CorpusJob,
  children: [...units.keys()].map((unit) => ({
    name: "unit",
    queueName: QUEUE,
    data: { kind: "unit", out, unit } satisfies CorpusJob,
    // A unit that has failed for good fails the whole at once.
    opts: { jobId: `unit-${unit}`, attempts: 3, failParentOnFailure: true },
  })),
});
console.log(`${units.length} units of ${lines} lines wait in ${store.kind}`);

const doomed = startWorker(HERE, "dies");
const [, signal] = await doomed.ended as [number | null, string | null];
console.log(`a worker in ${HERE} has done ${commits} and was killed with ${signal} in the next`);
const fleet = [startWorker(HERE), startWorker(THERE)];
const tree = await finish.waitUntilFinished(events, 30_000) as string;
for (const worker of fleet) await worker.stop();
await Promise.all([producer.close(), events.close()]);

console.log(`${commits} units, ${documents} documents, ${bad} bad; tree ${tree}`);
const promises: readonly [string, boolean][] = [
  ["a worker was killed in the middle of a unit", signal === "SIGKILL" && takenOver >= 1],
  ["each unit was done", commits === units.length],
  ["no line was lost: lines are documents or bad", documents + bad === lines && bad === 1],
  ["the files are those of an undisturbed run", tree === alone?.tree],
  ["and nothing else is left", readdirSync(out).every((name) => !name.includes(".tmp"))],
];
for (const [promise, isKept] of promises) {
  console.log(`${isKept ? "kept  " : "BROKEN"}  ${promise}`);
}
process.exitCode = promises.every(([, isKept]) => isKept) ? 0 : 1;

/** Starts a worker in a runtime, as a process that ends with this one. */
function startWorker(runtime: Runtime, fate = "lives") {
  const program = runtime === HERE
    ? process.execPath
    : fileURLToPath(new URL(`../node_modules/.bin/${runtime}`, import.meta.url));
  const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const path = fileURLToPath(new URL("bullmq_tokenize/worker.ts", import.meta.url));
  const child = spawn(program, [...flags, path, String(store.port), fate], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  endWithThisProcess(child);
  const ended = once(child, "exit");
  return {
    ended,
    /** Ends it as a deployment would: it finishes its unit first. */
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
