/** Several keys at once, limits of a key, statistics, and the calls that do not wait, of shared limits. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  concurrency,
  limitHeaders,
  type Limits,
  quota,
  rate,
  RateLimiter,
  reserveAllShared,
  takeAll,
  takeAllShared,
} from "../mod.ts";
import { any, refused } from "./support/limiter.ts";
import { eventually, Shared } from "./support/shared.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";

describe("the operations of a shared limiter", { skip: NO_STORE }, () => {
  let server: StoreServer;
  before(async () => server = await StoreServer.start());
  after(() => server[Symbol.asyncDispose]());
  const exact = <L extends Limits>(limits: L) => Shared.open(server, limits, { mode: "exact" });

  it("look without charging", async () => {
    await using shared = await exact({ tpm: rate({ unit: "tokens", limit: 100, per: "day" }) });
    const { limiter } = shared;
    for (let i = 0; i < 3; i++) {
      const { allowed, source } = await limiter.peekShared("k", { tokens: 100 });
      assert.deepEqual({ allowed, source }, { allowed: true, source: "store" });
    }
    assert.equal((await limiter.takeShared("k", { tokens: 60 })).allowed, true);
    const denied = refused(await limiter.peekShared("k", { tokens: 50 }));
    assert.deepEqual([denied.limit, denied.reason], ["tpm", "time"]);
    assert.ok(denied.fitsAfterMs! > 0.09 * 864e5 && denied.fitsAfterMs! <= 0.1 * 864e5);
    assert.equal(refused(await limiter.peekShared("k", { tokens: 101 })).neverFits, true);
    // Credit of this process is as good as room.
    const reserved = await limiter.reserveShared("k", { tokens: 40 });
    assert.ok(reserved.allowed);
    reserved.cancel();
    const { source } = await limiter.peekShared("k", { tokens: 30 });
    assert.equal(source, "credit");
    assert.equal((await limiter.peekShared("k", { tokens: 40 })).allowed, true);
  });

  it("set limits of a key for all processes, and clear them", async () => {
    const limits = { rpm: rate({ limit: 2, per: "hour" }), live: concurrency({ limit: 4 }) };
    await using shared = await exact(limits);
    const { limiter } = shared;
    const cost = { concurrent: 0 } as const;
    const admitted = async (): Promise<number> => {
      let count = 0;
      while ((await limiter.takeShared("k", cost)).allowed) count++;
      return count;
    };
    assert.equal(await admitted(), 2);
    await limiter.setLimitsShared("k", { rpm: rate({ limit: 5, per: "hour" }) });
    assert.equal(await admitted(), 3);
    assert.equal(limiter.inspect("k").rpm.capacity, 5);
    await limiter.setLimitsShared("k", undefined);
    await eventually("the configured limit", async () => {
      await limiter.takeShared("k", { requests: 0, concurrent: 0 });
      return limiter.inspect("k").rpm.capacity === 2;
    });
    await assert.rejects(
      limiter.setLimitsShared("k", any({ rps: limits.rpm })),
      /RangeError: limits has "rps", which is not one of "rpm", "live"/,
    );
    await assert.rejects(
      limiter.setLimitsShared("k", any({ rpm: limits.live })),
      /RangeError: limits.rpm must be a rate of "requests"/,
    );
  });

  it("forget what a key has used", async () => {
    await using shared = await exact({ day: quota({ limit: 2, per: "day" }) });
    const { limiter } = shared;
    for (const allowed of [true, true, false]) {
      assert.equal((await limiter.takeShared("k")).allowed, allowed);
    }
    await limiter.resetShared("k");
    assert.equal((await limiter.takeShared("k")).allowed, true);
  });

  it("reject if the store does not answer", async () => {
    await using shared = await exact({ day: quota({ limit: 2, per: "day" }) });
    const { limiter } = shared;
    server.pause();
    try {
      const calls = [
        () => limiter.peekShared("k"),
        () => limiter.setLimitsShared("k", undefined),
        () => limiter.resetShared("k"),
      ];
      for (const call of calls) {
        await assert.rejects(call(), {
          code: "SLUICE_STORE_UNREACHABLE",
          message: /did not answer: The call took more than 100 ms/,
        });
      }
    } finally {
      server.resume();
    }
  });

  it("take from several keys of several limiters, or from none", async () => {
    await using tenants = await exact({ rpm: rate({ limit: 5, per: "hour" }) });
    await using models = await exact({ tpm: rate({ unit: "tokens", limit: 100, per: "hour" }) });
    using local = new RateLimiter({ limits: { own: quota({ limit: 3, per: "year" }) } });
    const parts = [
      { limiter: tenants.limiter, key: "ada" },
      { limiter: models.limiter, key: "gpt-5" },
      { limiter: local, key: "here" },
      { limiter: tenants.limiter, key: "ada" },
    ] as const;
    const take = () => takeAllShared(parts, { tokens: 40 });
    const first = await take();
    assert.deepEqual([first.allowed, first.source], [true, "store"]);
    assert.equal((await take()).allowed, true);
    const denied = refused(await take());
    assert.deepEqual([denied.limiter, denied.limit], [models.limiter.name, "tpm"]);
    assert.equal(local.inspect("here").own.used, 2);
    // The key that was named twice was charged once, and nothing by the refusal.
    let left = 0;
    while ((await tenants.limiter.takeShared("ada")).allowed) left++;
    assert.equal(left, 3);
    assert.equal((await takeAllShared([parts[1]], { tokens: 20 })).allowed, true);
    await assert.rejects(takeAllShared([{ limiter: local, key: "k" }]), {
      code: "SLUICE_NOT_SHARED",
    });
    await assert.rejects(takeAllShared(any([])), /RangeError: parts must have 1 to 16 limits/);
  });

  it("reserve at several keys, and end together", async () => {
    await using users = await exact({ live: concurrency({ limit: 1 }) });
    await using models = await exact({ tpm: rate({ unit: "tokens", limit: 100, per: "hour" }) });
    const parts = [
      { limiter: users.limiter, key: "ada" },
      { limiter: models.limiter, key: "gpt-5" },
    ] as const;
    const reserved = await reserveAllShared(parts, { tokens: 60 });
    assert.ok(reserved.allowed && reserved.source === "store" && reserved.isOpen);
    const busy = await reserveAllShared(parts, { tokens: 10 });
    assert.ok(!busy.allowed);
    assert.deepEqual([busy.limit, busy.reason], ["live", "held"]);
    assert.throws(
      () => reserved.settle(any({ token: 1 })),
      /RangeError: actual has the unit "token"/,
    );
    assert.equal(reserved.isOpen, false);
    assert.throws(() => reserved.settle(), { code: "SLUICE_RESERVATION_CLOSED" });
    {
      using second = await reserveAllShared(parts, { tokens: 40 });
      assert.ok(second.allowed && second.renew());
      assert.equal(second.ttlMs, 600_000);
      second.settle({ tokens: 10 });
    }
    const third = await reserveAllShared(parts, { tokens: 20 });
    assert.ok(third.allowed);
    // From what the second one has given back.
    assert.equal(third.topUp({ tokens: 10 }).allowed, true);
    assert.equal(third.topUp({ tokens: 90 }).allowed, false);
    third.settle({ tokens: 30 });
    assert.equal((await models.limiter.takeShared("gpt-5", { tokens: 1 })).allowed, false);
    const last = await reserveAllShared(parts, { tokens: 0 });
    assert.ok(last.allowed);
    last.cancel();
  });

  it("have more units than cross as numbers", async () => {
    const limits = Object.fromEntries(
      ["a", "b", "c", "d", "e"].map((unit) => [unit, rate({ unit, limit: 2, per: "hour" })]),
    );
    await using shared = await exact(limits);
    const { limiter } = shared;
    assert.equal((await limiter.takeShared("k", { a: 1, e: 2 })).allowed, true);
    assert.equal(refused(await limiter.takeShared("k", { e: 1 })).limit, "e");
    assert.equal((await limiter.takeShared("k", { a: 1 })).allowed, true);
    assert.equal(refused(limiter.take("k", { b: 1 })).reason, "lease");
  });

  it("decide without waiting from credit alone, and ask for the next time", async () => {
    await using shared = await Shared.open(server, {
      rps: rate({ limit: 10_000, per: "second" }),
    }, { mode: "leased" });
    const { limiter } = shared;
    const calls: (() => boolean)[] = [
      () => limiter.takeMany(["many", "many"]).every(({ allowed }) => allowed),
      () => limiter.takeUpTo("up to", { requests: 2 }).isAll,
      () => takeAll([{ limiter, key: "all" }]).allowed,
      () => limiter.reserve("reserve").allowed,
    ];
    for (const call of calls) {
      assert.equal(call(), false);
      await eventually("credit", () => call());
    }
  });

  it("say what is known of a key and of the store", async () => {
    await using shared = await exact({
      tpm: rate({ unit: "tokens", limit: 100, per: "hour" }),
      live: concurrency({ limit: 3 }),
    });
    const { limiter } = shared;
    assert.equal(limiter.stats().shared!.state, "idle");
    assert.deepEqual(limiter.inspect("k").tpm.shared, { credit: 0, creditMs: 0, holders: 0 });
    assert.equal(limiter.inspect("k").tpm.remaining, 100);
    using reserved = await limiter.reserveShared("k", { tokens: 40 });
    assert.ok(reserved.allowed);
    const { tpm, live } = limiter.inspect("k");
    assert.deepEqual(
      [tpm.capacity, tpm.used, tpm.remaining, tpm.outstanding, tpm.shared!.holders],
      [100, 40, 60, 40, 1],
    );
    assert.equal(tpm.refillMs, 3.6e6);
    assert.ok(tpm.resetMs > 0.39 * 3.6e6 && tpm.resetMs <= 0.4 * 3.6e6, `${tpm.resetMs}`);
    assert.deepEqual([live.used, live.remaining, live.outstanding], [1, 2, 1]);
    const { state, holders, calls, decided, leased, lastSyncMs, roundTripMs } = limiter.stats()
      .shared!;
    assert.deepEqual({ state, holders, calls }, { state: "connected", holders: 1, calls: 1 });
    assert.deepEqual(decided, { credit: 0, store: 1, outage: 0 });
    assert.deepEqual({ ...leased }, { tpm: 40, live: 1 });
    assert.ok(lastSyncMs! >= 0 && lastSyncMs! < 60_000);
    assert.ok(roundTripMs.p50 > 0 && roundTripMs.p99 >= roundTripMs.p50);
    const headers = limitHeaders({ limiter, key: "k" }, { fields: ["openai"] });
    assert.equal(new Headers(headers).get("x-ratelimit-remaining-tokens"), "60");
  });
});
