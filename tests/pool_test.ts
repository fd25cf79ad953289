import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Lease, type PoolEvent, type PoolOptions, SluiceError, UpstreamPool } from "../mod.ts";
import { open } from "./fixtures/pools.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

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

  it("counts what is in use, of each upstream and in total", () => {
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

  it("takes a lease back once, and says so of every other try", () => {
    using pool = open([{ id: "a", maxInFlight: 1 }], { leaseTtlMs: 1 });
    const lease = pool.tryAcquire()!;
    assert.equal(lease.released, false);
    assert.equal(lease.release(), "released");
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

  it("serves who waited long before who has more priority", async () => {
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

  it("hands over without a place for a third to squeeze in", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const first = await pool.acquire();
    const next = pool.acquire();
    first.release();
    assert.equal(pool.tryAcquire(), null, "it is the waiter's already");
    assert.equal((await next).release(), "released");
  });

  it("bounds the line and the wait, by default too", async () => {
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
    plain.close();
    await Promise.all(many);
  });

  it("gives a place up when the signal aborts, at any time", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    await assert.rejects(pool.acquire({ signal: AbortSignal.abort("early") }), /early/);
    const lease = pool.tryAcquire()!;
    const aborter = new AbortController();
    const dead = pool.acquire({ signal: aborter.signal });
    const next = pool.acquire();
    aborter.abort(new Error("changed my mind"));
    await assert.rejects(dead, /changed my mind/);
    assert.equal(pool.stats().waiting, 1);
    // Handed over and aborted in the same turn: one of both wins, and nothing is lost.
    const racer = new AbortController();
    const race = pool.acquire({ signal: racer.signal });
    lease.release();
    const second = await next;
    second.release();
    racer.abort(new Error("too late"));
    await race.then((lease) => lease.release(), () => {});
    assert.equal(pool.stats().inFlight, 0);
  });

  it("serves 10,000 who wait, in order, some of whom give up", async () => {
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

  it("refuses who waits when it is closed, and keeps leases good until they are back", async () => {
    const pool = open([{ id: "a", maxInFlight: 1 }]);
    const lease = await pool.acquire();
    const wait = pool.acquire();
    pool.close();
    pool.close();
    await rejects(wait, "SLUICE_POOL_CLOSED");
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    assert.throws(() => pool.tryAcquire(), { code: "SLUICE_POOL_CLOSED" });
    assert.throws(() => pool.acquireBatch(1), { code: "SLUICE_POOL_CLOSED" });
    assert.equal(lease.renew(), true);
    assert.equal(lease.release(), "released");
    assert.throws(() => pool.stats(), { code: "SLUICE_POOL_CLOSED" });
    using again = new UpstreamPool({ name: pool.name, upstreams: [{ id: "b", maxInFlight: 1 }] });
    assert.equal(again.stats().members, 1, "the last one took the pool along");
  });

  it("drains: serves who is in line, and ends when the last lease is back", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const first = await pool.acquire();
    const second = pool.acquire();
    const drained = pool.drain();
    await rejects(pool.acquire(), "SLUICE_POOL_CLOSED");
    first.release();
    (await second).release();
    await drained;
    const hurry = open([{ id: "a", maxInFlight: 1 }]);
    hurry.tryAcquire();
    await assert.rejects(hurry.drain({ signal: AbortSignal.timeout(30) }), {
      name: "TimeoutError",
    });
    hurry.close();
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

  it("leaves a pool that nobody closed", async () => {
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

  it("refuses other options under the same name, and says what differs", () => {
    const upstreams = [{ id: "a", maxInFlight: 1 }];
    using pool = open(upstreams);
    const { name } = pool;
    using same = new UpstreamPool({ name, upstreams });
    assert.equal(same.stats().members, 2);
    const mismatch = (options: Partial<PoolOptions>, message: RegExp): void => {
      assert.throws(
        () => new UpstreamPool({ name, upstreams, ...options }),
        (error) => {
          assert.ok(error instanceof SluiceError);
          assert.equal(error.code, "SLUICE_POOL_MISMATCH");
          assert.match(error.message, message);
          return true;
        },
      );
    };
    mismatch({ queue: { max: 7 } }, /queue\.max is 1000 there and 7 here/);
    mismatch({ leaseTtlMs: 5 }, /leaseTtlMs is 600000 there and 5 here/);
    mismatch({ upstreams: [{ id: "b", maxInFlight: 1 }] }, /upstreams/);
  });

  it("refuses what it cannot mean", async () => {
    const upstream = { id: "a", maxInFlight: 1 };
    const cases: [unknown, RegExp][] = [
      [undefined, /TypeError: options must be an object, not undefined/],
      [{ name: 1, upstreams: [] }, /TypeError: name must be a string, not 1/],
      [{ name: "", upstreams: [] }, /RangeError: name must be 1 to 255 bytes/],
      [{ name: "x" }, /TypeError: upstreams must be an array/],
      [{ name: "x", upstreams: [1] }, /TypeError: upstreams\[0\] must be an object, not 1/],
      [{ name: "x", upstreams: [{ id: "a" }] }, /upstreams\[0\]\.maxInFlight must be a number/],
      [
        { name: "x", upstreams: [{ ...upstream, maxInFlight: 0 }] },
        /must be from 1 to 131072, not 0/,
      ],
      [{ name: "x", upstreams: [{ ...upstream, maxInFlight: 1.5 }] }, /a whole number, not 1\.5/],
      [
        { name: "x", upstreams: [{ ...upstream, weight: NaN }] },
        /upstreams\[0\]\.weight .* not NaN/,
      ],
      [
        { name: "x", upstreams: [upstream, upstream] },
        /upstreams\[1\]\.id is "a", which another has/,
      ],
      [{ name: "x", upstreams: [], queue: { max: -1 } }, /queue\.max must be from 0/],
      [
        { name: "x", upstreams: [], health: { maxEjected: 2 } },
        /health\.maxEjected must be from 0 to 1/,
      ],
      [{ name: "x", upstreams: [], adaptive: 3 }, /adaptive must be an object, not 3/],
      [{ name: "x", upstreams: [], onEvent: 3 }, /onEvent must be a function, not 3/],
    ];
    for (const [options, message] of cases) {
      assert.throws(() => new UpstreamPool(any(options)), (error) => message.test(String(error)));
    }
    using pool = open([upstream]);
    await assert.rejects(pool.acquire({ priority: any("1") }), TypeError);
    await assert.rejects(pool.acquire({ priority: 1001 }), RangeError);
    await assert.rejects(pool.acquire({ timeoutMs: -1 }), RangeError);
    await assert.rejects(pool.acquire({ signal: any({}) }), /signal must be an AbortSignal/);
    await assert.rejects(pool.acquire(any(null)), TypeError);
    assert.throws(() => pool.tryAcquire({ prefer: any(1) }), /prefer must be a string, not 1/);
    assert.throws(() => pool.acquireBatch(-1), RangeError);
    assert.throws(() => pool.releaseBatch(any([1])), /leases\[0\] must be a Lease, not 1/);
    const lease = pool.tryAcquire()!;
    assert.throws(() => lease.fail({ status: 9 }), RangeError);
    assert.throws(() => lease.fail({ retryAfterMs: any("1") }), TypeError);
    assert.throws(() => lease.release(any("good")), TypeError);
    assert.equal(lease.release(), "released", "a refused call changed nothing");
    assert.equal(new Lease(any({ settle: () => "expired" }), 5, "x").release(), "expired");
  });
});
