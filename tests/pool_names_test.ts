/** Two pool objects of one name, as in two Workers: changes by one are visible to the other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolEvent, type PoolOptions, UpstreamPool } from "../mod.ts";
import { open } from "./fixtures/pools.ts";

/** Two objects of one pool. */
function two(
  ids: string[],
  first: Partial<PoolOptions> = {},
  shared: Partial<PoolOptions> = {},
): [UpstreamPool, UpstreamPool] {
  const upstreams = ids.map((id) => ({ id, maxInFlight: 9 }));
  const options = { name: crypto.randomUUID(), upstreams, ...shared };
  return [new UpstreamPool({ ...options, ...first }), new UpstreamPool(options)];
}

describe("two objects of one pool", () => {
  it("name an upstream correctly after its index was reused", async () => {
    const events: PoolEvent[] = [];
    const [mine, theirs] = two(["a", "b"], { onEvent: (event) => void events.push(event) }, {
      health: { failures: 1, maxEjected: 1 },
    });
    using _ = mine;
    using __ = theirs;
    mine.tryAcquire({ prefer: "a" })!.release();
    theirs.removeUpstream("a");
    theirs.addUpstream({ id: "x", maxInFlight: 9 });
    theirs.addUpstream({ id: "y", maxInFlight: 9 });
    theirs.tryAcquire({ prefer: "y" })!.fail();
    for (let i = 0; i < 100 && events.length === 0; i++) await sleep(10);
    assert.deepEqual(events.map((event) => "upstream" in event && event.upstream), ["y"]);
    theirs.removeUpstream("b");
    const names = Array.from({ length: 3 }, () => mine.tryAcquire()!.upstream);
    assert.deepEqual(names, ["x", "x", "x"]);
    assert.deepEqual(mine.stats().upstreams.map(({ id }) => id).sort(), ["x", "y"]);
  });

  it("name an upstream in events as it was named at the time", async () => {
    const events: PoolEvent[] = [];
    const [mine, theirs] = two(["a"], { onEvent: (event) => void events.push(event) }, {
      health: { failures: 1, maxEjected: 1 },
    });
    using _ = mine;
    using __ = theirs;
    theirs.tryAcquire()!.fail();
    theirs.removeUpstream("a");
    theirs.addUpstream({ id: "later", maxInFlight: 9 });
    theirs.tryAcquire()!.fail({ retryAfterMs: 50 });
    for (let i = 0; i < 100 && events.length < 2; i++) await sleep(10);
    assert.deepEqual(events.slice(0, 2).map((event) => "upstream" in event && event.upstream), [
      "a",
      "later",
    ]);
  });

  it("distinguish names of many lengths in bytes", () => {
    const ids = ["ä", "日本", "plain", "😀", "x".repeat(255)];
    const [mine, theirs] = two(ids);
    using _ = mine;
    using __ = theirs;
    assert.deepEqual(theirs.stats().upstreams.map(({ id }) => id), ids);
    for (const prefer of ids) assert.equal(mine.tryAcquire({ prefer })?.upstream, prefer);
  });

  it("prefer an upstream and never its replacement", async () => {
    const [mine, theirs] = two(["a", "b"]);
    using _ = mine;
    using __ = theirs;
    for (const pool of [mine, theirs, mine, theirs]) pool.tryAcquire({ prefer: "a" })!.release();
    mine.removeUpstream("a");
    mine.addUpstream({ id: "spare", maxInFlight: 9, tier: 5 });
    for (const pool of [mine, theirs]) {
      assert.equal(pool.tryAcquire({ prefer: "a" })?.upstream, "b");
      const [first, second] = pool.acquireBatch(2, { prefer: "a" });
      assert.deepEqual([first?.upstream, second?.upstream], ["b", "b"]);
      assert.equal((await pool.acquire({ prefer: "a" })).upstream, "b");
    }
    mine.addUpstream({ id: "a", maxInFlight: 9, tier: 5 });
    assert.equal(mine.tryAcquire({ prefer: "a" })?.upstream, "a", "another of that name");
    theirs.tryAcquire()!.release();
    assert.equal(theirs.tryAcquire({ prefer: "a" })?.upstream, "a", "and others hear of it");
  });

  it("prefer it also while queued, when its index may be reused", async () => {
    const [mine, theirs] = two(["a", "b"], {}, { maxInFlight: 1 });
    using _ = mine;
    using __ = theirs;
    const lease = mine.tryAcquire({ prefer: "b" })!;
    const waits = [mine.acquire({ prefer: "a" }), theirs.acquire({ prefer: "a" })];
    theirs.removeUpstream("a");
    theirs.addUpstream({ id: "spare", maxInFlight: 9, tier: 5 });
    lease.release();
    for (const wait of waits) {
      const { upstream } = await wait;
      assert.equal(upstream, "b");
      (await wait).release();
    }
  });

  it("take back only their own leases, even in a batch with others", () => {
    const [mine, theirs] = two(["a"]);
    using _ = mine;
    using __ = theirs;
    using other = open([{ id: "a", maxInFlight: 9 }]);
    const own = mine.tryAcquire()!;
    for (const pool of [theirs, other]) {
      const foreign = pool.tryAcquire()!;
      for (const back of ["no", "yes"]) {
        assert.throws(() => mine.releaseBatch([own, foreign]), {
          name: "RangeError",
          message: "leases[1] is a lease of another pool, or of another object of this one",
        }, `given back: ${back}`);
        assert.equal(own.released, false, "nothing was");
        assert.equal(own.renew(), true);
        assert.equal(foreign.released, back === "yes");
        foreign.release();
      }
    }
    assert.deepEqual([mine.stats().inFlight, other.stats().inFlight], [1, 0]);
    assert.equal(mine.releaseBatch([own, own]), 1);
  });
});

describe("a pool without a name", () => {
  it("is used by its object alone", () => {
    const options = { upstreams: [{ id: "a", maxInFlight: 1 }] };
    using one = new UpstreamPool(options);
    using two = new UpstreamPool(options);
    assert.notEqual(one.name, two.name);
    assert.ok(one.tryAcquire() !== null && two.tryAcquire() !== null);
    assert.equal(one.stats().members, 1);
    // Another object can join by the name.
    using three = new UpstreamPool({ ...options, name: one.name });
    assert.equal(three.tryAcquire(), null);
  });

  it("is independent of pools of other kinds of names", () => {
    for (const name of [null, 7, {}]) {
      const options = { name, upstreams: [] } as unknown as PoolOptions;
      assert.throws(() => new UpstreamPool(options), /name must be a string/);
    }
    assert.throws(() => new UpstreamPool({ name: "", upstreams: [] }), RangeError);
  });
});
