/** `pool.fetch` of abandoned requests: bodies that are not read, requests that are never made. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolEvent, type PoolOptions, UpstreamPool } from "../mod.ts";
import { leasedFetch } from "../src/pool/leased_fetch.ts";
import { RequestHold } from "../src/pool/request_hold.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { until } from "./fixtures/fetching.ts";

function open(options: Partial<PoolOptions>): UpstreamPool {
  const upstreams = [{ id: "a", maxInFlight: 2 }];
  return new UpstreamPool({ name: crypto.randomUUID(), upstreams, ...options });
}

const GONE = { name: "SluiceError", code: "SLUICE_STALE_LEASE" };

describe("an abandoned pool.fetch", () => {
  it("ends a request with its lease: the upstream never has more than its cap", async () => {
    await using upstream = await FlakyServer.start();
    const events: PoolEvent[] = [];
    using pool = open({
      leaseTtlMs: 300,
      trackLeaks: true,
      onEvent: (event) => void events.push(event),
    });
    const unread: Response[] = [];
    for (let i = 0; i < 6; i++) {
      unread.push(await pool.fetch(() => upstream.url("/events")));
      // Requests that are ended are gone at once, not when they are collected.
      await until(() => upstream.inFlight <= 2, 150);
    }
    await until(() => upstream.inFlight === 0);
    for (const response of unread) {
      await assert.rejects(response.text(), { ...GONE, message: /the body was not read/ });
    }
    await until(() => pool.stats().inFlight === 0);
    const { expired, upstreams: [a] } = pool.stats();
    assert.deepEqual([expired, a!.failed, a!.state], [6, 0, "healthy"]);
    await until(() => events.length === 12);
    const leaks = events.filter((event) => event.type === "leaked");
    assert.equal(leaks.length, 6, "each is told once");
    assert.match(leaks[0]!.stack, /pool_fetch_loss_test|leased_fetch/);
  });

  it("ignores the failure of a request that was lost before", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      using pool = open({});
      const controller = new AbortController();
      const { signal } = controller;
      const given = pool.fetch(async () => {
        controller.abort(new Error("gone"));
        await sleep(1);
        throw new Error("too late to be heard");
      }, { signal });
      await assert.rejects(given, /gone/);
      await sleep(20);
      assert.deepEqual(unhandled, []);
      assert.equal(pool.stats().inFlight, 0);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  it("ends it when the lease expires, not earlier and not a third of its time later", async () => {
    await using upstream = await FlakyServer.start();
    const pool = new CountingPool({ leaseTtlMs: 600 });
    const aborted: number[] = [];
    const unread = await leasedFetch(pool, () => upstream.url("/events"), {
      fetch(request, init) {
        init.signal!.addEventListener("abort", () => aborted.push(performance.now()));
        return fetch(request as string, init);
      },
    });
    let renewedAt = performance.now();
    for (let renewed = pool.renewed; aborted.length === 0; await sleep(1)) {
      if (pool.renewed > renewed) [renewed, renewedAt] = [pool.renewed, performance.now()];
      assert.ok(performance.now() - renewedAt < 5000, "never");
    }
    const after = aborted[0]! - renewedAt;
    assert.ok(after > 590 && after < 700, `${after} ms after the last renewal`);
    await until(() => pool.endings.length === 1);
    assert.deepEqual(pool.endings, ["unknown"]);
    await unread.body!.cancel();
  });

  it("continues if the caller reads on in time, however late", async () => {
    await using upstream = await FlakyServer.start();
    using pool = open({ leaseTtlMs: 200 });
    const response = await pool.fetch(() => upstream.url("/events"));
    const reader = response.body!.getReader();
    for (let i = 0; i < 8; i++) {
      await sleep(150);
      assert.equal((await reader.read()).done, false);
    }
    await reader.cancel();
    assert.deepEqual([pool.stats().inFlight, pool.stats().expired], [0, 0]);
  });

  it("ends a request whose lease is gone although the caller waits for it", async () => {
    await using upstream = await FlakyServer.start();
    const pool = new CountingPool({ leaseTtlMs: 60 });
    const leaked: string[] = [];
    const make = () => upstream.url("/stalls");
    const response = await leasedFetch(pool, make, {}, (id) => void leaked.push(id));
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    pool.isGone = true;
    await assert.rejects(pending, { ...GONE, message: /not renewed in time/ });
    await assert.rejects(
      leasedFetch(pool, () => upstream.url("/silent")),
      { ...GONE, message: /not renewed in time/ },
    );
    await until(() => upstream.inFlight === 0);
    assert.deepEqual(leaked, [], "it was read");
  });

  it("cancels a lost body without an error", async () => {
    await using upstream = await FlakyServer.start();
    using pool = open({ leaseTtlMs: 60 });
    const response = await pool.fetch(() => upstream.url("/events"));
    await until(() => upstream.inFlight === 0);
    await response.body!.cancel();
  });

  it("obeys its signal while the request is being made", async () => {
    const pool = new CountingPool();
    for (const reason of [new Error("client left"), new DOMException("late", "TimeoutError")]) {
      const controller = new AbortController();
      const hangs = new Promise<Request>(() => {});
      const pending = leasedFetch(pool, () => hangs, { signal: controller.signal });
      await until(() => pool.inFlight === 1);
      controller.abort(reason);
      await assert.rejects(pending, (error) => error === reason);
      assert.equal(pool.inFlight, 0);
    }
    assert.deepEqual(pool.endings, ["unknown", "unknown"], "no fault of the upstream's");
  });

  it("does not send a request that was made too late", async () => {
    await using upstream = await FlakyServer.start();
    const pool = new CountingPool();
    const controller = new AbortController();
    const pending = leasedFetch(pool, async () => {
      await sleep(30);
      return new Request(upstream.url("/text"));
    }, { signal: controller.signal });
    await until(() => pool.inFlight === 1);
    controller.abort();
    await assert.rejects(pending, { name: "AbortError" });
    await sleep(60);
    assert.equal(upstream.served, 0);
  });

  it("does not keep the lease for a request that is never made", async () => {
    using pool = open({ leaseTtlMs: 60 });
    const pending = pool.fetch(() => new Promise<Request>(() => {}));
    const awake = setInterval(() => {}, 1000);
    await assert.rejects(pending, { ...GONE, message: /makeRequest did not settle/ });
    clearInterval(awake);
    await until(() => pool.stats().inFlight === 0);
  });

  it("times the headers from when the request is sent", async () => {
    await using upstream = await FlakyServer.start();
    const pool = new CountingPool();
    const response = await leasedFetch(pool, async () => {
      await sleep(150);
      return new Request(upstream.url("/text"));
    }, { headersTimeoutMs: 100 });
    assert.equal(await response.text(), "hello");
    assert.deepEqual(pool.endings, ["ok"]);
  });

  it("keeps no timer for leases that never end", () => {
    const pool = new CountingPool({ leaseTtlMs: Infinity });
    const hold = new RequestHold(pool.tryAcquire()!, Infinity, {}, undefined, "");
    hold.send();
    hold.end("answered");
    assert.deepEqual(pool.endings, ["ok"]);
  });
});
