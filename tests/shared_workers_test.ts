/** The Workers of a process have one credit, and wait for each other's calls to the store. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, open, type Order } from "./fixtures/shared_worker.ts";
import { CLIENTS, type Connected, eventually } from "./support/shared.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";
import "./support/web_worker.ts";

function start(order: Order) {
  const url = new URL("./fixtures/shared_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  let begin = (): void => {};
  const started = new Promise<void>((resolve) => begin = resolve);
  const done = new Promise<Exclude<Answer, string>>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data === "started") begin();
      else resolve(data);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(order);
  });
  return { worker, started, done };
}

describe("a shared limiter and Workers", { skip: NO_STORE }, () => {
  let server: StoreServer;
  let connected: Connected;
  before(async () => {
    server = await StoreServer.start();
    connected = await CLIENTS["ioredis"]!(server);
  });
  after(async () => {
    connected.end();
    await server[Symbol.asyncDispose]();
  });

  it("admits exactly as many as it allows over all Workers", async () => {
    for (const mode of ["exact", "leased"] as const) {
      const name = `workers: ${mode}`;
      await using limiter = open(name, connected.client, mode);
      const order = { name, url: server.url, key: "hot", mode, takes: 400 };
      const workers = [1, 2, 3].map(() => start(order));
      const answers = await Promise.all(workers.map(({ done }) => done));
      let allowed = answers.reduce((sum, { allowed }) => sum + allowed, 0);
      for (const { worker } of workers) worker.terminate();
      // What the Workers left of their common credit.
      for (let i = 0; i < 300; i++) allowed += Number((await limiter.takeShared("hot")).allowed);
      assert.equal(allowed, 1000, mode);
    }
  });

  it("lets a Worker spend what another one was granted", async () => {
    const name = "workers: credit";
    await using limiter = open(name, connected.client, "leased");
    const order: Order = { name, url: server.url, key: "k", mode: "leased", takes: 5 };
    // Credit may expire before a Worker has started on a busy machine.
    await eventually("a Worker that spends the credit of the process", async () => {
      await eventually("credit", async () => {
        for (let i = 0; i < 5; i++) await limiter.takeShared("k");
        return (await limiter.takeShared("k")).source === "credit";
      });
      const { worker, done } = start({ ...order, isFromCredit: true });
      const { allowed } = await done;
      worker.terminate();
      return allowed > 0;
    });
  });

  it("sends the call again of a Worker that was terminated during it", async () => {
    const name = "workers: terminated";
    const url = server.url;
    await using limiter = open(name, connected.client, "exact");
    const { worker, started } = start({
      name,
      url,
      key: "k",
      mode: "exact",
      takes: 1,
      hangs: true,
    });
    await started;
    // It waits in the same line, whose call is in the hands of the Worker.
    const waiting = limiter.takeShared("k");
    let isDecided = false;
    waiting.then(() => isDecided = true);
    await sleep(50);
    assert.equal(isDecided, false);
    worker.terminate();
    const { allowed, source } = await waiting;
    assert.deepEqual({ allowed, source }, { allowed: true, source: "store" });
  });

  it("wakes a Worker whose answer came to another one", async () => {
    const name = "workers: woken";
    // A Worker may take long to start.
    const timeoutMs = 20_000;
    await using limiter = open(name, connected.client, "exact", timeoutMs);
    // The first call waits until all of them are in line.
    let release = (): void => {};
    const held = new Promise<void>((resolve) => release = resolve);
    let calls = 0;
    const client = {
      run: async (
        _sha: string,
        source: string,
        keys: readonly string[],
        args: readonly string[],
      ) => {
        if (calls++ === 0) await held;
        const io = connected.client as { eval(...args: unknown[]): Promise<string> };
        return await io.eval(source, keys.length, ...keys, ...args);
      },
    };
    await using carrier = open(name, client, "exact", timeoutMs);
    const first = carrier.takeShared("k");
    const { worker, started, done } = start({
      name,
      url: server.url,
      key: "k",
      mode: "exact",
      takes: 20,
      timeoutMs,
    });
    await started;
    release();
    assert.equal((await first).allowed, true);
    const { allowed, bySource } = await done;
    worker.terminate();
    assert.equal(allowed, 20);
    assert.deepEqual(bySource, { credit: 0, store: 20, outage: 0 });
    assert.ok(limiter.name === carrier.name);
  });
});
