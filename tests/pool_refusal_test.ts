/** The error messages of a pool: the state of the pool after a timeout, and unknown upstreams. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AcquireTimeoutError, ResourcePool, SluiceError } from "../mod.ts";
import { open } from "./fixtures/pools.ts";
import { until } from "./fixtures/fetching.ts";

describe("The errors of a pool", () => {
  it("has the wait, the leases in flight, the queue, and the rest of each upstream", async () => {
    using pool = open([
      { id: "a", maxInFlight: 1 },
      { id: "b", maxInFlight: 4 },
      { id: "c", maxInFlight: 2 },
    ], { health: { failures: 1, cooldownMs: 60_000 }, maxInFlight: 9 });
    pool.tryAcquire({ prefer: "b" })!.fail({ status: 500 });
    pool.tryAcquire({ prefer: "c" })!.fail({ status: 429, retryAfterMs: 30_000 });
    using _ = pool.tryAcquire({ prefer: "a" })!;
    const patient = pool.acquire({ timeoutMs: 60_000 });
    patient.catch(() => {});
    const error = await pool.acquire({ timeoutMs: 40 }).catch((error: unknown) => error);
    assert.ok(error instanceof AcquireTimeoutError && error instanceof SluiceError);
    assert.equal(error.code, "SLUICE_ACQUIRE_TIMEOUT");
    assert.equal(error.waitedMs, 40);
    assert.deepEqual(
      error.message
        .replace(JSON.stringify(pool.name), "P")
        .replace(/(59|60)\.\d s/, "60 s").replace(/(29|30)\.\d s/, "30 s"),
      "No lease of pool P was free within 40 ms: 1/9 in flight (1 of this Worker), 1 queued; " +
        "a 1/1 healthy, b 0/4 ejected for 60 s, c 0/2 cooling for 30 s",
    );
    assert.deepEqual(error.stats.upstreams.map(({ state }) => state), [
      "healthy",
      "ejected",
      "cooling",
    ]);
  });

  it("names the first of many upstreams, and says if there are none", async () => {
    using many = open(Array.from({ length: 20 }, (_, i) => ({ id: `u${i}`, maxInFlight: 1 })));
    many.acquireBatch(20);
    await assert.rejects(many.acquire({ timeoutMs: 5 }), /u7 1\/1 healthy, 12 more upstreams$/);
    using none = open([]);
    await assert.rejects(none.acquire({ timeoutMs: 5 }), /0 queued; it has no upstreams$/);
  });

  it("reads the pool once for all requests that time out together", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    using _ = pool.tryAcquire()!;
    const late = await Promise.all(
      Array.from({ length: 50 }, () => pool.acquire({ timeoutMs: 5 }).catch((error) => error)),
    ) as AcquireTimeoutError[];
    assert.ok(late.every((error) => error instanceof AcquireTimeoutError));
    assert.ok(new Set(late.map(({ stats }) => stats)).size < 25);
  });

  it("knows no upstream of that id", async () => {
    using pool = open([{ id: "a", maxInFlight: 9 }]);
    const unknown = {
      code: "SLUICE_UNKNOWN_UPSTREAM",
      message: `prefer is "zz", and pool "${pool.name}" has no upstream of that id`,
    };
    assert.throws(() => pool.tryAcquire({ prefer: "zz" }), unknown);
    assert.throws(() => pool.acquireBatch(1, { prefer: "zz" }), unknown);
    await assert.rejects(pool.acquire({ prefer: "zz" }), unknown);
    await assert.rejects(pool.fetch(() => "http://unused", { prefer: "zz" }), unknown);
    // Too long for an id, in units or in bytes.
    for (const prefer of ["", "a".repeat(5000), "ü".repeat(600)]) {
      assert.throws(() => pool.tryAcquire({ prefer }), { code: "SLUICE_UNKNOWN_UPSTREAM" });
    }
    assert.equal(pool.stats().inFlight, 0);
  });

  it("ignores the preference for a removed upstream, also if it was never used", () => {
    using pool = open([{ id: "a", maxInFlight: 9 }, { id: "b", maxInFlight: 9 }]);
    pool.removeUpstream("a");
    assert.equal(pool.tryAcquire({ prefer: "a" })?.upstream, "b");
    pool.addUpstream({ id: "c", maxInFlight: 9 });
    pool.removeUpstream("c");
    assert.equal(pool.tryAcquire({ prefer: "c" })?.upstream, "b");
  });

  it("of resources, times out after queue.timeoutMs, including the time to make one", async () => {
    let made = 0;
    await using pool = new ResourcePool({
      max: 1,
      create: () => new Promise<object>((resolve) => setTimeout(resolve, 600, { made: ++made })),
      queue: { timeoutMs: 30 },
    });
    const started = performance.now();
    await assert.rejects(pool.acquire(), {
      code: "SLUICE_ACQUIRE_TIMEOUT",
      message: "No resource was ready within 30 ms",
    });
    assert.ok(performance.now() - started < 500, "waited for the making");
    // The timeout of a call takes precedence, and the resource that was made is there for it.
    using lease = await pool.acquire({ timeoutMs: 5000 });
    assert.deepEqual(lease.resource, { made: 1 });
    await assert.rejects(pool.acquire(), { code: "SLUICE_ACQUIRE_TIMEOUT" });
    await until(() => pool.stats().waiting === 0);
  });
});
