/** A pool in one Worker: leases, their counts and ends, closing and draining, leaks. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Lease, type PoolEvent, UpstreamPool } from "../mod.ts";
import { collectUntil } from "./fixtures/garbage.ts";
import { open } from "./fixtures/pools.ts";

function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(promise, { name: "SluiceError", code });
}

describe("upstream pool", () => {
  it("does what its documentation shows", async () => {
    using pool = open([{ id: "key-a", maxInFlight: 2, weight: 2 }, {
      id: "key-b",
      maxInFlight: 1,
    }]);
    {
      await using lease = await pool.acquire({ prefer: "key-a" });
      assert.equal(lease.upstream, "key-a");
      assert.equal(pool.stats().inFlight, 1);
    }
    assert.equal(pool.stats().inFlight, 0);
  });

  it("counts the leases in use, of each upstream and in total", () => {
    using pool = open(
      [{ id: "a", maxInFlight: 2 }, { id: "b", maxInFlight: 2 }],
      { maxInFlight: 3 },
    );
    const leases = [pool.tryAcquire()!, pool.tryAcquire()!, pool.tryAcquire()!];
    assert.equal(pool.tryAcquire(), null);
    assert.deepEqual(leases.map(({ upstream }) => upstream).sort(), ["a", "a", "b"]);
    leases[1]!.release();
    assert.equal(pool.tryAcquire()?.upstream, "b");
    pool.setMaxInFlight(4);
    assert.equal(pool.tryAcquire()?.upstream, "b");
    assert.equal(pool.tryAcquire(), null);
  });

  it("takes a lease back once, and reports every other call", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }], { leaseTtlMs: 300 });
    const lease = pool.tryAcquire()!;
    assert.equal(lease.released, false);
    assert.equal(lease.release(), "released");
    // Also after its time to live.
    await sleep(400);
    assert.equal(lease.released, true);
    assert.equal(lease.release(), "already-released");
    assert.equal(lease.fail({ status: 500 }), "already-released");
    assert.equal(lease.renew(), false);
    lease[Symbol.dispose]();
    assert.equal(pool.stats().inFlight, 0);
    assert.equal(pool.stats().upstreams[0]!.failed, 0);
  });

  it("lets a lease expire unless it is renewed", async () => {
    const events: PoolEvent[] = [];
    using pool = open([{ id: "a", maxInFlight: 2 }], {
      leaseTtlMs: 600,
      onEvent: (event) => events.push(event),
    });
    const stream = pool.tryAcquire()!;
    const lost = pool.tryAcquire()!;
    for (let i = 0; i < 8; i++) {
      await sleep(100);
      assert.equal(stream.renew(), true);
    }
    assert.equal(pool.stats().inFlight, 1);
    assert.equal(lost.renew(), false);
    assert.equal(lost.release(), "expired");
    assert.equal(stream.release(), "released");
    assert.equal(pool.stats().expired, 1);
    await sleep(300);
    assert.deepEqual(events, [{ type: "expired", upstream: "a" }]);
  });

  it("rejects queued requests when it is destroyed, and keeps leases valid until they are back", async () => {
    const pool = open([{ id: "a", maxInFlight: 1 }]);
    const lease = await pool.acquire();
    const wait = pool.acquire();
    pool.destroy();
    pool.destroy();
    await rejects(wait, "SLUICE_POOL_CLOSED");
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    assert.throws(() => pool.tryAcquire(), { code: "SLUICE_POOL_CLOSED" });
    assert.throws(() => pool.acquireBatch(1), { code: "SLUICE_POOL_CLOSED" });
    assert.equal(lease.renew(), true);
    assert.equal(lease.release(), "released");
    assert.throws(() => pool.stats(), { code: "SLUICE_POOL_CLOSED" });
    using again = new UpstreamPool({ name: pool.name, upstreams: [{ id: "b", maxInFlight: 1 }] });
    assert.equal(again.stats().members, 1, "the last one took the pool with it");
  });

  it("drains: serves queued requests, and resolves when the last lease is back", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const first = await pool.acquire();
    const second = pool.acquire();
    const drained = pool.drain();
    const refused = (): void => {
      assert.throws(() => pool.tryAcquire(), { code: "SLUICE_POOL_CLOSED" });
      assert.throws(() => pool.acquireBatch(1), { code: "SLUICE_POOL_CLOSED" });
    };
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    refused();
    first.release();
    (await second).release();
    await drained;
    refused();
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    assert.equal(pool.stats().inFlight, 0, "it is still open");
    using hurry = open([{ id: "a", maxInFlight: 1 }]);
    hurry.tryAcquire();
    await assert.rejects(hurry.drain({ signal: AbortSignal.timeout(30) }), {
      name: "TimeoutError",
    });
  });

  it("closes gracefully: serves queued requests, waits for the last lease, then leaves", async () => {
    const pool = open([{ id: "a", maxInFlight: 1 }]);
    const first = await pool.acquire();
    const second = pool.acquire();
    let isClosed = false;
    const closed = pool.close().then(() => isClosed = true);
    const again = pool.close();
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    first.release();
    const lease = await second;
    await sleep(50);
    assert.equal(isClosed, false, "a lease is still in use");
    assert.equal(pool.stats().inFlight, 1, "it is open until the last lease is back");
    lease.release();
    await closed;
    await again;
    assert.throws(() => pool.stats(), { code: "SLUICE_POOL_CLOSED" });
    await pool.close();
    using next = new UpstreamPool({ name: pool.name, upstreams: [{ id: "b", maxInFlight: 1 }] });
    assert.equal(next.stats().members, 1, "the pool is gone");
  });

  it("is closed when close returns, if nothing is in use or queued", () => {
    const pool = open([{ id: "a", maxInFlight: 1 }]);
    pool.tryAcquire()!.release();
    void pool.close();
    assert.throws(() => pool.stats(), { code: "SLUICE_POOL_CLOSED" });
  });

  it("ends a close early: by a signal, which leaves it draining, and by destroy", async () => {
    const pool = open([{ id: "a", maxInFlight: 1 }]);
    const lease = await pool.acquire();
    const rejected = rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    await assert.rejects(pool.close({ signal: AbortSignal.timeout(30) }), { name: "TimeoutError" });
    assert.equal(pool.stats().inFlight, 1);
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    const closed = pool.close();
    pool.destroy();
    await closed;
    await rejected;
    assert.equal(lease.release(), "released");
  });

  it("waits for its leases at the end of await using, and not of using", async () => {
    let lease: Lease;
    {
      using pool = open([{ id: "a", maxInFlight: 1 }]);
      lease = await pool.acquire();
    }
    assert.equal(lease.release(), "released");
    const order: string[] = [];
    {
      await using pool = open([{ id: "a", maxInFlight: 1 }]);
      lease = await pool.acquire();
      setTimeout(() => {
        order.push("released");
        lease.release();
      }, 30);
    }
    order.push("disposed");
    assert.deepEqual(order, ["released", "disposed"]);
  });

  it("reports leases that are lost to the garbage collector, with who acquired them", async () => {
    const events: PoolEvent[] = [];
    using pool = open([{ id: "a", maxInFlight: 200 }], {
      trackLeaks: true,
      onEvent: (event) => events.push(event),
    });
    function leaky(): void {
      for (let i = 0; i < 100; i++) pool.tryAcquire();
    }
    leaky();
    pool.tryAcquire()!.release();
    const junk: unknown[] = [];
    for (let i = 0; i < 200 && events.length === 0; i++) {
      junk.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
      if (junk.length > 5) junk.length = 0;
      await sleep(5);
    }
    const leak = events.find(({ type }) => type === "leaked");
    assert.ok(leak?.type === "leaked", "nothing was collected");
    assert.match(leak.stack, /leaky/);
    assert.ok(pool.stats().inFlight < 100);
  });

  it("warns of lost leases if there is no listener", async () => {
    const warnings: (Error & { code?: string })[] = [];
    const listen = (warning: Error) => void warnings.push(warning);
    process.on("warning", listen);
    using pool = open([{ id: "a", maxInFlight: 20 }], { trackLeaks: true });
    function leaky(): void {
      for (let i = 0; i < 20; i++) pool.tryAcquire();
    }
    leaky();
    const leaks = () => warnings.filter(({ code }) => code === "SLUICE_LEASE_LEAKED");
    assert.ok(await collectUntil(() => leaks().length > 0), "not collected within 20 s");
    process.off("warning", listen);
    assert.equal(leaks()[0]!.name, "SluiceWarning");
    assert.match(leaks()[0]!.message, /A lease of a in pool .*leaky/s);
  });

  it("leaves a pool that was collected", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const upstreams = [{ id: "a", maxInFlight: 1 }];
    function drop(): void {
      for (let i = 0; i < 100; i++) new UpstreamPool({ name: pool.name, upstreams });
    }
    drop();
    assert.equal(pool.stats().members, 101);
    const junk: unknown[] = [];
    for (let i = 0; i < 200 && pool.stats().members > 50; i++) {
      junk.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
      if (junk.length > 5) junk.length = 0;
      await sleep(5);
    }
    assert.ok(pool.stats().members <= 50, "nothing was collected");
  });

  it("survives a listener that throws", () => {
    using pool = open([{ id: "a", maxInFlight: 1 }], {
      onEvent: () => {
        throw new Error("broken metric");
      },
    });
    assert.equal(pool.tryAcquire()!.fail({ retryAfterMs: 10 }), "released");
  });
});
