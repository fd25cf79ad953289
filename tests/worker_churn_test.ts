/** Hundreds of Workers that are started and terminated at any point: they leave nothing behind. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { native } from "../src/ffi/load.ts";
import type { Kind, Opened } from "./fixtures/churn_worker.ts";
import { churned } from "./support/churn.ts";
import { RUNTIME } from "./support/runtime.ts";
import "./support/web_worker.ts";

const SCRIPT = new URL("./fixtures/churn_worker.ts", import.meta.url);
/** A Worker of Node.js takes four times as long to start. */
const WORKERS = RUNTIME === "node" ? 60 : 100;
/** How many live at a time. */
const LANES = 4;

const { tokenizer, limiter, pool } = churned();
const text = new TextEncoder().encode("x");

/** Starts a Worker, lets it work for up to 6 ms, and terminates it. */
async function live(kind: Kind, at: number): Promise<Opened> {
  const worker = new Worker(SCRIPT, { type: "module" });
  const failed = Promise.withResolvers<never>();
  worker.onerror = (event) => failed.reject(new Error(event.message));
  const opened = new Promise<Opened>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Opened>) => resolve(data);
  });
  worker.postMessage(kind);
  try {
    // A Worker that fails at its work fails the test.
    await Promise.race([failed.promise, opened]);
    if (kind !== "idle") await Promise.race([failed.promise, sleep(at % 7)]);
    return await opened;
  } finally {
    worker.terminate();
  }
}

/** The number of open file descriptors, if the system has it. */
function descriptors(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
}

/** What is left of the Workers. */
function left(opened: readonly Opened[]): Record<string, number> {
  const { sluice_tokenizer_count, sluice_counter_push, sluice_job_stop } = native();
  const { inFlight, waiting, members } = pool.stats();
  const dead = -3;
  return {
    inFlight,
    waiting,
    otherMembers: members - 1,
    reservations: limiter.stats().reservations,
    tokenizers:
      opened.filter(({ tokenizer }) => sluice_tokenizer_count(tokenizer, text, 1, 0) !== dead)
        .length,
    counters: opened.filter(({ counter }) => sluice_counter_push(counter, text, 1, 0) !== dead)
      .length,
    jobs: opened.filter(({ job }) => sluice_job_stop(job) !== dead).length,
  };
}

describe("Workers that are started and terminated", () => {
  after(() => {
    limiter.close();
    tokenizer[Symbol.dispose]();
  });

  for (const kind of ["idle", "jobs", "acquire", "batch"] as const) {
    it(`leave nothing behind when they are terminated (${kind})`, async () => {
      const opened: Opened[] = [];
      let started = 0;
      let before = 0;
      await Promise.all(Array.from({ length: LANES }, async () => {
        while (started < WORKERS) {
          const at = started++;
          opened.push(await live(kind, at));
          // Those of the runtime itself are open by then.
          if (opened.length === 30) before = descriptors();
        }
      }));
      assert.equal(opened.length, WORKERS);
      assert.ok(opened.every((handles) => Object.values(handles).every((handle) => handle > 0)));
      const nothing = Object.fromEntries(Object.keys(left([])).map((name) => [name, 0]));
      const deadline = Date.now() + 20_000;
      while (Object.values(left(opened)).some((n) => n > 0) && Date.now() < deadline) {
        await sleep(20);
      }
      assert.deepEqual(left(opened), nothing);
      const more = descriptors() - before;
      assert.ok(more < 16, `${more} more descriptors are open after ${WORKERS - 30} more Workers`);
      // The library is still usable.
      assert.equal(tokenizer.count("Hello, world!"), 4);
      assert.equal(limiter.take("x", { tokens: 1, concurrent: 0 }).allowed, true);
      (await pool.acquire()).release();
    });
  }
});
