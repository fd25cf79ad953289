/** Many Workers and one library: each can use it, all share its state, and none leaks when it ends. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Tokenizer } from "../mod.ts";
import { native } from "../src/ffi/load.ts";
import type { Job, Reply } from "./fixtures/worker.ts";
import "./support/web_worker.ts";

const SCRIPT = new URL("./fixtures/worker.ts", import.meta.url);

function start(): Worker {
  return new Worker(SCRIPT, { type: "module" });
}

function ask(worker: Worker, job: Job): Promise<Reply> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(job);
  });
}

function count(handle: number, text: string): number {
  const bytes = new TextEncoder().encode(text);
  return native().sluice_tokenizer_count(handle, bytes, bytes.length, 0);
}

describe("Workers", () => {
  it("count concurrently with equal results", async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `text ${i} — 中文 ${"word ".repeat(i)}`);
    using tokenizer = new Tokenizer("o200k_base");
    const expected = [...tokenizer.countBatch(texts)];
    const workers = Array.from({ length: 6 }, start);
    const replies = await Promise.all(
      workers.map((worker) => ask(worker, { kind: "count", encoding: "o200k_base", texts })),
    );
    workers.forEach((worker) => worker.terminate());
    for (const reply of replies) assert.deepEqual(reply, { kind: "counts", counts: expected });
  });

  it("share state: a handle of one is valid in another", async () => {
    const worker = start();
    const reply = await ask(worker, { kind: "open", encoding: "cl100k_base" });
    assert.equal(reply.kind, "handle");
    const { handle } = reply as Extract<Reply, { kind: "handle" }>;
    assert.equal(count(handle, "Hello, world!"), 4);
    assert.equal(native().sluice_tokenizer_close(handle), 0);
    const again = await ask(worker, { kind: "close", handle });
    assert.deepEqual(again, { kind: "status", status: -3 });
    worker.terminate();
  });

  it("leave nothing open when they are terminated", async () => {
    const worker = start();
    const reply = await ask(worker, { kind: "open", encoding: "o200k_base" });
    const { handle } = reply as Extract<Reply, { kind: "handle" }>;
    assert.equal(count(handle, "x"), 1);
    worker.terminate();
    const deadline = Date.now() + 10_000;
    while (count(handle, "x") >= 0 && Date.now() < deadline) await sleep(10);
    assert.equal(count(handle, "x"), -3, "the handle outlived its Worker by ten seconds");
  });

  it("can be killed during a call without harm to others", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    const workers = Array.from({ length: 8 }, start);
    for (const worker of workers) {
      await ask(worker, { kind: "spin", encoding: "o200k_base" });
    }
    workers.forEach((worker) => worker.terminate());
    for (let i = 0; i < 100; i++) assert.equal(tokenizer.count("Hello, world!"), 4);
  });

  it("can be killed during jobs without harm to others", async () => {
    using tokenizer = new Tokenizer("o200k_base");
    const workers = Array.from({ length: 4 }, start);
    for (const worker of workers) await ask(worker, { kind: "job", encoding: "o200k_base" });
    await sleep(20);
    workers.forEach((worker) => worker.terminate());
    // Their jobs are closed with their threads, so new jobs start soon.
    const text = "ours ".repeat(100_000);
    assert.equal(await tokenizer.countAsync(text), tokenizer.count(text));
  });
});
