/** The life cycle of resources: made, kept and destroyed, by time, by closing and by errors. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ResourceEvent } from "../src/pool/resource_options.ts";
import { collectUntil } from "./fixtures/garbage.ts";
import { Factory, openPool, type Thing, until } from "./fixtures/things.ts";

describe("The resources of a ResourcePool", () => {
  it("destroys a resource if validate refuses it, throws or times out", async () => {
    const factory = new Factory();
    const events: ResourceEvent<Thing>[] = [];
    await using pool = openPool(factory, {
      validateTimeoutMs: 20,
      onEvent: (event) => events.push(event),
      validate({ number }) {
        if (number === 0) return false;
        if (number === 1) throw new Error("no answer");
        return number === 2 ? new Promise<boolean>(() => {}) : true;
      },
    });
    for (let i = 0; i < 5; i++) await pool.use(() => {});
    assert.deepEqual(factory.things.map(({ isDestroyed }) => isDestroyed), [
      true,
      true,
      true,
      false,
    ]);
    const failures = events.filter(({ type }) => type === "validate-failed");
    assert.equal(failures.length, 2);
  });

  it("passes on the error of create, and continues", async () => {
    let failing = true;
    const factory = new Factory();
    await using pool = openPool(factory, {
      max: 1,
      create() {
        if (failing) throw new Error("refused");
        return factory.create();
      },
    });
    for (let i = 0; i < 3; i++) await assert.rejects(pool.acquire(), /refused/);
    failing = false;
    assert.equal(await pool.use(({ number }) => number), 0);
  });

  it("times out a create, and destroys its late result", async () => {
    const factory = new Factory();
    let wasAborted = false;
    await using pool = openPool(factory, {
      createTimeoutMs: 20,
      async create(signal) {
        await sleep(60);
        wasAborted = signal.aborted;
        return factory.create();
      },
    });
    await assert.rejects(pool.acquire(), { name: "TimeoutError" });
    await until(() => factory.things[0]?.isDestroyed === true);
    assert.ok(wasAborted);
    assert.equal(pool.stats().inUse, 0);
  });

  it("keeps a resource for others if its request was aborted", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, {
      max: 1,
      async create() {
        await sleep(40);
        return factory.create();
      },
    });
    const controller = new AbortController();
    const aborted = pool.acquire({ signal: controller.signal });
    const timedOut = pool.acquire({ timeoutMs: 20 });
    const patient = pool.use(({ number }) => number);
    setTimeout(() => controller.abort(new Error("gone")), 10);
    await assert.rejects(aborted, /gone/);
    await assert.rejects(timedOut, { code: "SLUICE_ACQUIRE_TIMEOUT" });
    assert.equal(await patient, 0);
    assert.equal(factory.things.length, 1);
  });

  it("destroys resources that are idle for too long, down to min", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, { max: 4, min: 1, idleTimeoutMs: 60 });
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    for (const lease of leases) lease.release();
    assert.equal(pool.stats().idle, 4);
    await until(() => factory.open === 1);
    await sleep(150);
    assert.equal(factory.open, 1);
    assert.equal(factory.things.length, 4, "what is within min is kept, not made anew");
  });

  it("counts a resource until it is destroyed, so that max holds", async () => {
    const factory = new Factory();
    let isEnding = false;
    await using pool = openPool(factory, {
      max: 1,
      idleTimeoutMs: 30,
      async destroy(thing) {
        isEnding = true;
        await sleep(40);
        factory.destroy(thing);
      },
    });
    await pool.use(() => {});
    await until(() => isEnding);
    assert.equal(await pool.use(({ number }) => number), 1);
    assert.equal(factory.most, 1);
  });

  it("makes min in advance and keeps it", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, { max: 4, min: 3 });
    await until(() => pool.stats().idle === 3);
    const lease = await pool.acquire();
    await lease.destroy();
    await until(() => factory.open === 3);
    assert.equal(factory.most, 3);
  });

  it("ends lives with jitter, but never that of a resource in use", async () => {
    const factory = new Factory();
    const events: ResourceEvent<Thing>[] = [];
    await using pool = openPool(factory, {
      max: 20,
      maxLifetimeMs: 200,
      lifetimeJitter: 0.5,
      onEvent: (event) => events.push(event),
    });
    const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()));
    const held = leases.pop()!;
    for (const lease of leases) lease.release();
    const ends: number[] = [];
    const start = performance.now();
    await until(() => {
      while (ends.length < 20 - factory.open) ends.push(performance.now() - start);
      return factory.open === 1;
    });
    assert.ok(ends.at(-1)! - ends[0]! > 20, `all ended within ${ends.at(-1)! - ends[0]!} ms`);
    assert.equal(held.resource.isDestroyed, false);
    held.release();
    await until(() => factory.open === 0);
    const reasons = events.flatMap((event) => event.type === "destroyed" ? [event.reason] : []);
    assert.deepEqual(new Set(reasons), new Set(["lifetime"]));
  });

  it("rejects queued requests when it is destroyed, and destroys resources that come back", async () => {
    const factory = new Factory();
    const pool = openPool(factory, { max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    const refused = assert.rejects(waiting, { code: "SLUICE_POOL_CLOSED" });
    await sleep(5);
    await pool.destroy();
    await refused;
    assert.equal(factory.open, 1);
    lease.release();
    await until(() => factory.open === 0);
    await assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await pool.close();
    await pool.destroy();
  });

  it("closes gracefully: serves queued requests, waits for resources in use, destroys all", async () => {
    const factory = new Factory();
    const pool = openPool(factory, { max: 1 });
    const lease = await pool.acquire();
    const queued = pool.acquire();
    let isClosed = false;
    const closed = pool.close().then(() => isClosed = true);
    await assert.rejects(pool.acquire());
    lease.release();
    const second = await queued;
    await sleep(50);
    assert.equal(isClosed, false);
    assert.equal(second.resource, lease.resource, "it is not destroyed between the two");
    second.release();
    await closed;
    assert.equal(factory.open, 0);
    await assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await pool.close();
  });

  it("drains: lends no more and waits for resources in use, and keeps the idle ones", async () => {
    const factory = new Factory();
    const pool = openPool(factory);
    const lease = await pool.acquire();
    let isDrained = false;
    const drained = pool.drain().then(() => isDrained = true);
    await sleep(30);
    assert.equal(isDrained, false);
    await assert.rejects(pool.acquire());
    lease.release();
    await drained;
    assert.equal(factory.open, 1);
    await pool.close();
    assert.equal(factory.open, 0);
  });

  it("ends a close early: by a signal, which leaves it draining, and by destroy", async () => {
    const factory = new Factory();
    const pool = openPool(factory, { max: 1 });
    const lease = await pool.acquire();
    await assert.rejects(pool.close({ signal: AbortSignal.timeout(30) }), { name: "TimeoutError" });
    assert.equal(factory.open, 1);
    const closed = pool.close();
    await pool.destroy();
    await closed;
    lease.release();
    await until(() => factory.open === 0);
  });

  it("waits for resources in use at the end of await using", async () => {
    const factory = new Factory();
    {
      await using pool = openPool(factory);
      const lease = await pool.acquire();
      setTimeout(() => lease.release(), 30);
    }
    assert.equal(factory.open, 0);
  });

  it("is destroyed while resources are being made", async () => {
    const factory = new Factory();
    const pool = openPool(factory, {
      async create() {
        await sleep(30);
        return factory.create();
      },
    });
    const refused = assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await sleep(5);
    await pool.destroy();
    await refused;
    await until(() => factory.things.length === 1 && factory.open === 0);
  });

  it("does not wait for a create without an end when it is destroyed", async () => {
    const pool = openPool(new Factory(), { create: () => new Promise<Thing>(() => {}) });
    const refused = assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await sleep(5);
    await pool.destroy();
    await refused;
  });

  it("takes back leases that are garbage-collected, and reports them", async () => {
    const factory = new Factory();
    const events: ResourceEvent<Thing>[] = [];
    await using pool = openPool(factory, {
      trackLeaks: true,
      onEvent: (event) => events.push(event),
    });
    await (async function forgetful() {
      await pool.acquire();
    })();
    assert.ok(await collectUntil(() => pool.stats().leaked === 1), "not collected within 20 s");
    const leaked = events.find((event) => event.type === "leaked");
    assert.match(leaked?.stack ?? "", /forgetful/);
    await until(() => factory.open === 0);
    assert.equal(pool.stats().inUse, 0);
  });

  it("makes and destroys nothing in advance while it is closing, and does not fail", async () => {
    const factory = new Factory();
    const pool = openPool(factory, { min: 1, max: 3, idleTimeoutMs: 20 });
    const [kept, broken] = [await pool.acquire(), await pool.acquire()];
    (await pool.acquire()).release();
    const closed = pool.close();
    await broken.destroy();
    await sleep(100);
    assert.equal(factory.things.length, 3);
    kept.release();
    await closed;
    assert.equal(factory.open, 0);
  });
});
