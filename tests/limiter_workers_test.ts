import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { concurrency, RateLimiter } from "../mod.ts";
import { open, type Order } from "./fixtures/limiter_worker.ts";
import "./support/web_worker.ts";

type Answer = { taken: number; reserved: number };

function start(order: Order): { answer: Promise<Answer>; worker: Worker } {
  const url = new URL("./fixtures/limiter_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(order);
  });
  return { answer, worker };
}

describe("a limiter and Workers", () => {
  it("admits exactly as many as it allows over all Workers", async () => {
    using limiter = open("workers: exact");
    const name = limiter.name;
    const started = [1, 2, 3].map(() => start({ name, key: "hot", take: 800, reserve: 0 }));
    const answers = await Promise.all(started.map(({ answer }) => answer));
    let taken = answers.reduce((sum, { taken }) => sum + taken, 0);
    while (limiter.take("hot", { concurrent: 0 }).allowed) taken++;
    for (const { worker } of started) worker.terminate();
    assert.equal(taken, 1000);
  });

  it("admits exactly as many when 32 Workers open it at once", async () => {
    const count = 32;
    const name = "workers: 32 at once";
    const gate = new SharedArrayBuffer(8);
    const words = new Int32Array(gate);
    const order = { name, key: "hot", take: 100, reserve: 0, gate };
    const started = Array.from({ length: count }, () => start(order));
    // All Workers wait, and none has opened the limiter: making it is part of the race.
    for (let i = 0; Atomics.load(words, 0) < count; i++) {
      assert.ok(i < 3000, `${words[0]} of ${count} Workers started within 30 s`);
      await setTimeout(10);
    }
    Atomics.store(words, 1, 1);
    Atomics.notify(words, 1);
    const answers = await Promise.all(started.map(({ answer }) => answer));
    using limiter = open(name);
    const { keys, reservations } = limiter.stats();
    for (const { worker } of started) worker.terminate();
    assert.equal(answers.reduce((sum, { taken }) => sum + taken, 0), 1000);
    assert.deepEqual({ keys, reservations }, { keys: 1, reservations: 0 });
    assert.equal(limiter.take("hot", { concurrent: 0 }).allowed, false);
  });

  it("gives back what a terminated Worker held, and charges it", async () => {
    using limiter = open("workers: terminated");
    const { answer, worker } = start({ name: limiter.name, key: "k", take: 0, reserve: 9 });
    assert.deepEqual(await answer, { taken: 0, reserved: 3 });
    const denied = limiter.reserve("k");
    assert.ok(!denied.allowed && denied.limit === "live" && denied.reason === "held");
    assert.equal(limiter.inspect("k").live.outstanding, 3);
    worker.terminate();
    for (let i = 0; limiter.inspect("k").live.outstanding > 0; i++) {
      assert.ok(i < 500, "not given back within 5 s");
      await setTimeout(10);
    }
    const { rate } = limiter.inspect("k");
    assert.ok(rate.used > 2.9 && rate.used <= 3 && rate.outstanding === 0, JSON.stringify(rate));
    assert.equal(limiter.stats().reservations, 0);
  });

  it("keeps the counts of a limiter whose Workers are all gone", async () => {
    const order = { name: "workers: restarted", key: "k", reserve: 0 };
    for (const [take, taken] of [[600, 600], [600, 400]] as const) {
      const { answer, worker } = start({ ...order, take });
      assert.equal((await answer).taken, taken);
      worker.terminate();
      await setTimeout(100);
      // The counts also survive another object that opens it in between and is the last to close it.
      using looked = open(order.name);
      assert.ok(looked.inspect("k").rate.used > 599);
    }
  });

  it("refuses other limits under a name that is open", () => {
    using limiter = open("workers: mismatch");
    assert.throws(
      () => new RateLimiter({ name: limiter.name, limits: { live: concurrency({ limit: 3 }) } }),
      { code: "SLUICE_LIMITER_MISMATCH" },
    );
    assert.throws(
      () =>
        new RateLimiter({
          name: limiter.name,
          limits: { rate: limiter.limits.rate, live: concurrency({ limit: 4 }) },
        }),
      /it has `live: 3 concurrent at a time`, not `live: 4 concurrent at a time`/,
    );
    using again = open("workers: mismatch");
    again.take("k", { concurrent: 0 });
    assert.ok(limiter.inspect("k").rate.used > 0.9);
  });
});
