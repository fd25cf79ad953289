/** What a shared limiter decides while its store is out of reach, and how it comes back. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrency, type OnOutage, quota, rate } from "../mod.ts";
import { eventually, Shared } from "./support/shared.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";

const TIMEOUT_MS = 150;

describe("an outage of the store", { skip: NO_STORE }, () => {
  let server: StoreServer;
  before(async () => server = await StoreServer.start());
  after(() => server[Symbol.asyncDispose]());

  const open = (onOutage?: OnOutage) =>
    Shared.open(server, {
      rps: rate({ limit: 100, per: "second", burst: 10, ...(onOutage && { onOutage }) }),
    }, { mode: "exact", timeoutMs: TIMEOUT_MS, processes: 4 });

  it("refuses, admits all, or admits a share, as each limit says", async () => {
    const [closed, everything, share] = await Promise.all([open("closed"), open("open"), open()]);
    await using _ = closed;
    await using __ = everything;
    await using ___ = share;
    for (const { limiter } of [closed, everything, share]) {
      assert.equal((await limiter.takeShared("k")).source, "store");
    }
    server.pause();
    try {
      const start = performance.now();
      const first = await Promise.all(
        [closed, everything, share].map(({ limiter }) => limiter.takeShared("k")),
      );
      const waited = performance.now() - start;
      assert.ok(waited >= TIMEOUT_MS - 20 && waited < 3000, `${waited} ms`);
      assert.deepEqual(first.map(({ source }) => source), ["outage", "outage", "outage"]);
      assert.deepEqual(first.slice(0, 2).map(({ allowed }) => allowed), [false, true]);
      assert.equal(first[0]!.reason, "outage");
      let allowed = 0;
      const end = performance.now() + 1000;
      while (performance.now() < end) {
        const decision = await share.limiter.takeShared("k");
        assert.equal(decision.source, "outage");
        allowed += Number(decision.allowed);
        await sleep(5);
      }
      // A quarter of 100 a second.
      assert.ok(allowed >= 15 && allowed <= 26, `${allowed}`);
      const stats = share.limiter.stats().shared!;
      assert.equal(stats.state, "out");
      assert.match(stats.lastError!, /no answer within 150 ms/);
    } finally {
      server.resume();
    }
    await eventually("an answer of the store", async () => {
      return (await share.limiter.takeShared("k")).source === "store";
    });
    assert.equal(share.limiter.stats().shared!.state, "connected");
  });

  it("ends a call at its own time limit, and says so", async () => {
    await using shared = await Shared.open(server, {
      day: quota({ limit: 10, per: "day" }),
      live: concurrency({ limit: 2 }),
    }, { mode: "exact", timeoutMs: 20_000 });
    const { limiter } = shared;
    server.pause();
    try {
      const start = performance.now();
      const denied = await limiter.reserveShared("k", {}, { timeoutMs: 60 });
      const waited = performance.now() - start;
      assert.ok(waited >= 59 && waited < 5000, `${waited} ms`);
      assert.deepEqual([denied.allowed, denied.source], [false, "outage"]);
    } finally {
      server.resume();
    }
    const reserved = await limiter.reserveShared("k");
    assert.ok(reserved.allowed && reserved.source === "store");
    reserved.cancel();
  });

  it("lets credit last to its end", async () => {
    await using shared = await Shared.open(server, {
      rps: rate({ limit: 10_000, per: "second" }),
    }, { mode: "leased", timeoutMs: TIMEOUT_MS, leaseMs: 3000, onOutage: "closed" });
    const { limiter } = shared;
    await eventually("credit", async () => {
      for (let i = 0; i < 20; i++) await limiter.takeShared("k");
      return (await limiter.takeShared("k")).source === "credit";
    });
    server.pause();
    try {
      const sources = [];
      for (let i = 0; i < 3; i++) sources.push((await limiter.takeShared("k")).source);
      assert.deepEqual(sources, ["credit", "credit", "credit"]);
      await sleep(3100);
      const { allowed, source } = await limiter.takeShared("k");
      assert.deepEqual({ allowed, source }, { allowed: false, source: "outage" });
    } finally {
      server.resume();
    }
  });

  it("is over after a restart with lost data, and the script is sent again", async () => {
    await using shared = await open("closed");
    const { limiter } = shared;
    assert.equal((await limiter.takeShared("k")).source, "store");
    await server.kill();
    const { allowed, source } = await limiter.takeShared("k");
    assert.deepEqual({ allowed, source }, { allowed: false, source: "outage" });
    await server.restart();
    await eventually("an answer of the store", async () => {
      return (await limiter.takeShared("k")).source === "store";
    });
    assert.equal(limiter.stats().shared!.lostEpochs, 1);
  });
});
