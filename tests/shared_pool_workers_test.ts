/** The Workers of a process share its permits, and make calls to the store for each other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { open, type Order } from "./fixtures/shared_pool_worker.ts";
import { CLIENTS } from "./support/shared.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";
import "./support/web_worker.ts";

function start(order: Order) {
  const url = new URL("./fixtures/shared_pool_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  let waits = (): void => {};
  const waiting = new Promise<void>((resolve) => waits = resolve);
  const upstream = new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<string>) => {
      if (data === "waits") waits();
      else resolve(data);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(order);
  });
  return { worker, waiting, upstream };
}

describe("a shared pool and Workers", { skip: NO_STORE }, () => {
  it("takes back the lease of a Worker that is terminated", async () => {
    await using server = await StoreServer.start();
    const { client, end } = await CLIENTS["ioredis"]!(server);
    const name = crypto.randomUUID();
    await using pool = open(name, client);
    const { worker, upstream } = start({ name, url: server.url, hangs: false });
    assert.equal(await upstream, "a");
    using _mine = await pool.acquire();
    assert.equal(pool.tryAcquire(), null);
    const next = pool.acquire({ timeoutMs: 10_000 });
    worker.terminate();
    using lease = await next;
    assert.equal(lease.upstream, "a");
    assert.equal(pool.stats().shared?.heldByAll, 2);
    end();
  });

  it("makes the call of a Worker whose client hangs, or that has died meanwhile", async () => {
    await using server = await StoreServer.start();
    const { client, end } = await CLIENTS["ioredis"]!(server);
    for (const dies of [false, true]) {
      const name = crypto.randomUUID();
      await using pool = open(name, client);
      const { worker, waiting, upstream } = start({ name, url: server.url, hangs: true });
      await waiting;
      if (dies) worker.terminate();
      using _mine = await pool.acquire({ timeoutMs: 10_000 });
      if (!dies) assert.equal(await upstream, "a", "by the call of this Worker");
      worker.terminate();
    }
    end();
  });
});
