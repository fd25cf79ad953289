/** The upstreams of a pool: the choice among them, their health, and changes at run time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolEvent } from "../mod.ts";
import { PoolMember } from "../src/pool/member.ts";
import { packPool } from "../src/pool/settings.ts";
import { StatsReader } from "../src/pool/stats.ts";
import { open } from "./fixtures/pools.ts";

describe("upstreams of a pool", () => {
  it("spreads by weight, fills tiers in order, and obeys preferences", () => {
    using pool = open([
      { id: "heavy", maxInFlight: 100, weight: 3 },
      { id: "light", maxInFlight: 100 },
      { id: "spare", maxInFlight: 100, tier: 1 },
    ]);
    const leases = pool.acquireBatch(40);
    const count = (id: string): number => leases.filter(({ upstream }) => upstream === id).length;
    assert.deepEqual([count("heavy"), count("light"), count("spare")], [30, 10, 0]);
    assert.equal(pool.tryAcquire({ prefer: "spare" })?.upstream, "spare");
    leases.push(...pool.acquireBatch(1000));
    assert.equal(pool.stats().inFlight, 300);
    assert.equal(pool.releaseBatch(leases), 299);
    assert.equal(pool.releaseBatch(leases), 0);
  });

  it("ejects a failing upstream, probes it, and uses it again", async () => {
    const events: PoolEvent[] = [];
    using pool = open([{ id: "bad", maxInFlight: 9 }, { id: "good", maxInFlight: 9 }], {
      health: { failures: 3, cooldownMs: 500 },
      onEvent: (event) => events.push(event),
    });
    for (let i = 0; i < 3; i++) pool.tryAcquire({ prefer: "bad" })!.fail({ status: 503 });
    assert.deepEqual(events, [{ type: "ejected", upstream: "bad", forMs: 500 }]);
    const state = (id: string): string => pool.stats().upstreams.find((u) => u.id === id)!.state;
    assert.equal(state("bad"), "ejected");
    assert.equal(pool.tryAcquire({ prefer: "bad" })?.upstream, "good");
    for (let i = 0; i < 9; i++) pool.tryAcquire({ prefer: "good" })?.fail();
    assert.equal(state("good"), "healthy", "not more than half may be ejected");
    await sleep(550);
    assert.equal(state("bad"), "probing");
    const probe = pool.tryAcquire({ prefer: "bad" })!;
    assert.equal(probe.upstream, "bad");
    assert.equal(pool.tryAcquire({ prefer: "bad" })?.upstream, "good", "one probe at a time");
    probe.release();
    assert.equal(state("bad"), "healthy");
  });

  it("rests an upstream for as long as it asks, and serves queued requests after that", async () => {
    using pool = open([{ id: "a", maxInFlight: 5 }]);
    pool.tryAcquire()!.fail({ status: 429, retryAfterMs: 400 });
    assert.equal(pool.tryAcquire(), null);
    const { state, restsForMs } = pool.stats().upstreams[0]!;
    assert.equal(state, "cooling");
    assert.ok(restsForMs > 100 && restsForMs <= 400, String(restsForMs));
    const started = performance.now();
    const lease = await pool.acquire();
    assert.ok(performance.now() - started > 100, "its rest is over, without a release");
    lease.release();
    assert.equal(pool.stats().upstreams[0]!.state, "healthy");
  });

  it("ejects within its share, whatever else rests or drains", () => {
    using pool = open(
      ["a", "b", "c"].map((id) => ({ id, maxInFlight: 9 })),
      { health: { failures: 2, maxEjected: 0.5 } },
    );
    const states = (): string[] => pool.stats().upstreams.map(({ state }) => state);
    for (const prefer of ["a", "b"]) {
      pool.tryAcquire({ prefer })!.fail({ status: 429, retryAfterMs: 60_000 });
    }
    for (let i = 0; i < 2; i++) pool.tryAcquire()!.fail({ status: 500 });
    assert.deepEqual(states(), ["cooling", "cooling", "ejected"]);

    using two = open(
      ["a", "b"].map((id) => ({ id, maxInFlight: 9 })),
      { health: { failures: 2, maxEjected: 0.5 } },
    );
    void two.drainUpstream("a");
    for (let i = 0; i < 9; i++) two.tryAcquire()!.fail({ status: 500 });
    assert.equal(two.stats().upstreams[1]!.state, "healthy", "it is the only one that serves");
  });

  it("brings an upstream back as soon as its probe is confirmed", async () => {
    using pool = open([{ id: "a", maxInFlight: 9 }]);
    pool.tryAcquire()!.fail({ status: 429, retryAfterMs: 20 });
    const probe = await pool.acquire();
    assert.equal(pool.stats().upstreams[0]!.state, "probing");
    const wait = pool.acquire();
    assert.equal(pool.stats().waiting, 1);
    assert.equal(probe.confirm(), true);
    (await wait).release();
    assert.equal(pool.stats().upstreams[0]!.state, "healthy");
    assert.equal(probe.release(), "released");
    assert.equal(probe.confirm(), false);
  });

  it("checks all of a failure, and rests for a day at most", () => {
    using pool = open([{ id: "a", maxInFlight: 9 }]);
    using lease = pool.tryAcquire()!;
    // deno-lint-ignore no-explicit-any
    assert.throws(() => lease.fail({ status: "429" as any, retryAfterMs: 5 }), TypeError);
    assert.throws(() => lease.fail({ retryAfterMs: NaN }), /retryAfterMs .* not NaN/);
    assert.equal(lease.fail({ retryAfterMs: Infinity }), "released");
    assert.ok(pool.stats().upstreams[0]!.restsForMs <= 86_400_000);
  });

  it("counts failures that are not the upstream's fault as success", () => {
    using pool = open([{ id: "a", maxInFlight: 9 }], { health: { failures: 1, maxEjected: 1 } });
    for (const status of [200, 400, 401, 404, 422]) {
      assert.equal(pool.tryAcquire()!.fail({ status }), "released");
    }
    pool.tryAcquire()!.release("unknown");
    assert.equal(pool.stats().upstreams[0]!.failed, 0);
    pool.tryAcquire()!.fail();
    assert.equal(pool.stats().upstreams[0]!.state, "ejected");
  });

  it("adapts: halves on overload, grows while it is used", () => {
    using pool = open([{ id: "a", maxInFlight: 16 }], { adaptive: true, health: { failures: 0 } });
    const limit = (): number => pool.stats().upstreams[0]!.limit;
    for (const lease of pool.acquireBatch(16)) lease.fail({ status: 529 });
    assert.equal(limit(), 8, "sixteen at once are one overload");
    pool.tryAcquire()!.fail({ timedOut: true });
    assert.equal(limit(), 4);
    for (let round = 0; round < 40; round++) {
      const leases = pool.acquireBatch(16);
      assert.ok(leases.length <= limit());
      leases.forEach((lease) => lease.release());
    }
    assert.equal(limit(), 16);
  });

  it("adds and removes upstreams while they are in use", async () => {
    using pool = open([{ id: "a", maxInFlight: 1 }]);
    const held = pool.tryAcquire()!;
    const wait = pool.acquire();
    pool.addUpstream({ id: "b", maxInFlight: 1 });
    assert.equal((await wait).upstream, "b", "who waits gets the new one");
    assert.throws(() => pool.addUpstream({ id: "b", maxInFlight: 1 }), {
      code: "SLUICE_DUPLICATE_UPSTREAM",
    });
    pool.removeUpstream("a");
    assert.throws(() => pool.removeUpstream("a"), { code: "SLUICE_UNKNOWN_UPSTREAM" });
    pool.addUpstream({ id: "a", maxInFlight: 1 });
    assert.equal(pool.tryAcquire()?.upstream, "a", "another of the same name");
    assert.equal(held.release(), "released", "the old lease is the old one's");
    pool.updateUpstream("a", { maxInFlight: 2, weight: 5, tier: 3 });
    const { maxInFlight, weight, tier } = pool.stats().upstreams.find(({ id }) => id === "a")!;
    assert.deepEqual({ maxInFlight, weight, tier }, { maxInFlight: 2, weight: 5, tier: 3 });
    for (let i = 0; i < 10_000; i++) {
      pool.addUpstream({ id: `passing ${i}`, maxInFlight: 1, tier: 0 });
      if (i % 100 === 0) {
        using lease = pool.tryAcquire()!;
        assert.equal(lease.upstream, `passing ${i}`, "an index is never mistaken for its last use");
      }
      pool.removeUpstream(`passing ${i}`);
    }
  });

  it("reads its stats in one crossing, however many upstreams there are", () => {
    const upstreams = Array.from({ length: 100 }, (_, i) => ({ id: `ü ${i}`, maxInFlight: 1 }));
    const member = new PoolMember("crossings", packPool({ name: "crossings", upstreams }));
    let crossings = 0;
    const native = {
      sluice_pool_stats(...args: Parameters<typeof member.native.sluice_pool_stats>): number {
        crossings++;
        return member.native.sluice_pool_stats(...args);
      },
    } as unknown as typeof member.native;
    const reader = new StatsReader();
    const unwrap = (result: number): number => member.unwrap(result);
    const read = (): string[] =>
      reader.read({ native, openHandle: member.openHandle, unwrap }).upstreams.map(({ id }) => id);
    assert.deepEqual(read(), upstreams.map(({ id }) => id));
    assert.equal(crossings, 2, "the first time they are found to be many");
    for (let i = 0; i < 10; i++) read();
    assert.equal(crossings, 12);
    member.close();
  });

  it("drains an upstream and resumes it", async () => {
    using pool = open([{ id: "a", maxInFlight: 2 }]);
    const lease = pool.tryAcquire()!;
    const drained = pool.drainUpstream("a");
    assert.equal(pool.tryAcquire(), null);
    assert.equal(pool.stats().upstreams[0]!.state, "draining");
    lease.release();
    await drained;
    const wait = pool.acquire();
    pool.resumeUpstream("a");
    assert.equal((await wait).upstream, "a");
  });
});
