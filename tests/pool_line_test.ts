/** The queue of a pool: its order, its bounds, and how requests leave it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "./fixtures/pools.ts";

function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(promise, { name: "SluiceError", code });
}

describe("the queue of a pool", () => {
  it("serves first come, first served within a priority", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const order: string[] = [];
    const first = await pool.acquire();
    const served = ["a0", "b1", "c0", "d1", "e-1", "f0"].map(async (name) => {
      const lease = await pool.acquire({ priority: Number(name.slice(1)) });
      order.push(name);
      lease.release();
    });
    assert.equal(pool.stats().waiting, 6);
    assert.equal(pool.tryAcquire(), null);
    first.release();
    await Promise.all(served);
    assert.deepEqual(order, ["b1", "d1", "a0", "c0", "f0", "e-1"]);
    assert.equal(pool.stats().handedOver, 6);
  });

  it("serves an old request before one of higher priority", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }], { queue: { agingMs: 20 } });
    const order: number[] = [];
    const first = await pool.acquire();
    const serve = async (priority: number): Promise<void> => {
      const lease = await pool.acquire({ priority });
      order.push(priority);
      lease.release();
    };
    const old = serve(0);
    await sleep(100);
    const young = serve(2);
    first.release();
    await Promise.all([old, young]);
    assert.deepEqual(order, [0, 2]);
  });

  it("hands over without letting a third request overtake", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const first = await pool.acquire();
    const next = pool.acquire();
    first.release();
    assert.equal(pool.tryAcquire(), null, "it is the waiter's already");
    assert.equal((await next).release(), "released");
  });

  it("bounds the queue and the wait, also by default", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }], { queue: { max: 2, timeoutMs: 500 } });
    const lease = pool.tryAcquire()!;
    const started = performance.now();
    const waits = [pool.acquire(), pool.acquire({ timeoutMs: 5 })];
    await rejects(pool.acquire(), "SLUICE_QUEUE_FULL");
    await rejects(waits[1]!, "SLUICE_ACQUIRE_TIMEOUT");
    assert.ok(performance.now() - started < 400, "a short wait is not rounded up to a long one");
    await rejects(waits[0]!, "SLUICE_ACQUIRE_TIMEOUT");
    await rejects(pool.acquire({ timeoutMs: 0 }), "SLUICE_ACQUIRE_TIMEOUT");
    lease.release();
    const { timedOut, refused, waiting } = pool.stats();
    assert.deepEqual({ timedOut, refused, waiting }, { timedOut: 3, refused: 1, waiting: 0 });
    assert.equal((await pool.acquire()).upstream, "a");

    using plain = open([{ id: "a", maxInFlight: 1 }]);
    plain.tryAcquire();
    const many = Array.from({ length: 1000 }, () => plain.acquire().catch(() => {}));
    await rejects(plain.acquire(), "SLUICE_QUEUE_FULL");
    plain.destroy();
    await Promise.all(many);
  });

  it("leaves the queue when the signal aborts, at any time", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    await assert.rejects(pool.acquire({ signal: AbortSignal.abort("early") }), /early/);
    const lease = pool.tryAcquire()!;
    const aborter = new AbortController();
    const dead = pool.acquire({ signal: aborter.signal });
    const next = pool.acquire();
    aborter.abort(new Error("changed my mind"));
    await assert.rejects(dead, /changed my mind/);
    assert.equal(pool.stats().waiting, 1);
    // Granted and aborted in the same turn: one of the two wins, and no lease is lost.
    const racer = new AbortController();
    const race = pool.acquire({ signal: racer.signal });
    lease.release();
    const second = await next;
    second.release();
    racer.abort(new Error("too late"));
    await race.then((lease) => lease.release(), () => {});
    assert.equal(pool.stats().inFlight, 0);
  });

  it("serves 10,000 queued requests in order, some of which are aborted", async () => {
    using pool = open([{ id: "a", maxInFlight: 7 }], { queue: { max: 10_000 } });
    const blockers = pool.acquireBatch(7);
    const served: number[] = [];
    let gaveUp = 0;
    const waits = Array.from({ length: 10_000 }, async (_, i) => {
      const aborter = new AbortController();
      const wait = pool.acquire(i % 10 === 3 ? { signal: aborter.signal } : {});
      if (i % 10 === 3) queueMicrotask(() => aborter.abort());
      try {
        const lease = await wait;
        served.push(i);
        lease.release();
      } catch {
        gaveUp++;
      }
    });
    await sleep(1);
    assert.equal(pool.stats().waiting, 9000);
    pool.releaseBatch(blockers);
    await Promise.all(waits);
    assert.equal(gaveUp, 1000);
    assert.deepEqual(
      served,
      Array.from({ length: 10_000 }, (_, i) => i).filter((i) => i % 10 !== 3),
    );
    assert.equal(pool.stats().inFlight, 0);
  });
});
