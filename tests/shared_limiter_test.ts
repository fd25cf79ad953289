/** Limits that are shared through a real Valkey or Redis, in one process. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrency, quota, rate, RateLimiter } from "../mod.ts";
import { valkey } from "../src/shared/mod.ts";
import { refused } from "./support/limiter.ts";
import { CLIENTS, eventually, fields, Shared } from "./support/shared.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";

const slow = { rpm: rate({ limit: 1, per: "hour", burst: 3 }) };

describe("a shared limiter", { skip: NO_STORE }, () => {
  let server: StoreServer;
  before(async () => server = await StoreServer.start());
  after(() => server[Symbol.asyncDispose]());

  for (const [name, connect] of Object.entries(CLIENTS)) {
    it(`asks through ${name}, whose server may lack the script`, async () => {
      const { client, end } = await connect(server);
      await server.command("SCRIPT", "FLUSH");
      {
        await using limiter = new RateLimiter({
          name: `through ${name}`,
          limits: slow,
          shared: valkey({ client, mode: "exact", timeoutMs: 5000 }),
        });
        for (let i = 0; i < 3; i++) {
          const { allowed, source } = await limiter.takeShared("k");
          assert.deepEqual({ allowed, source }, { allowed: true, source: "store" });
        }
        const { limit, reason, source, retryAfterMs } = refused(await limiter.takeShared("k")) as
          & ReturnType<typeof refused>
          & { source?: string };
        assert.deepEqual({ limit, reason, source }, {
          limit: "rpm",
          reason: "time",
          source: "store",
        });
        assert.ok(retryAfterMs > 3.5e6 && retryAfterMs <= 3.6e6, `${retryAfterMs} ms`);
      }
      end();
    });
  }

  it("remembers a refusal, and asks again for a smaller cost", async () => {
    await using shared = await Shared.open(server, {
      tpm: rate({ unit: "tokens", limit: 100, per: "hour" }),
    }, { mode: "exact" });
    const { limiter } = shared;
    assert.equal((await limiter.takeShared("k", { tokens: 60 })).allowed, true);
    const { calls } = limiter.stats().shared!;
    for (let i = 0; i < 5; i++) {
      const denied = refused(await limiter.takeShared("k", { tokens: 50 }));
      assert.equal(denied.reason, "time");
    }
    assert.equal(limiter.stats().shared!.calls, calls + 1);
    assert.equal((await limiter.takeShared("k", { tokens: 40 })).allowed, true);
    const never = refused(await limiter.takeShared("k", { tokens: 101 }));
    assert.deepEqual([never.reason, never.neverFits], ["never", true]);
  });

  it("fetches credit ahead where it pays, and decides from it without waiting", async () => {
    await using shared = await Shared.open(server, {
      rps: rate({ limit: 10_000, per: "second" }),
    });
    const { limiter } = shared;
    const sources = { credit: 0, store: 0, outage: 0 };
    const end = performance.now() + 1000;
    while (performance.now() < end) {
      for (let i = 0; i < 5; i++) {
        const { allowed, source } = await limiter.takeShared("k");
        assert.equal(allowed, true);
        sources[source]++;
      }
      await sleep(1);
    }
    assert.ok(sources.credit > 2 * sources.store, JSON.stringify(sources));
    assert.equal(sources.outage, 0);
    // From credit alone.
    let taken = 0;
    while (limiter.take("k").allowed) taken++;
    assert.ok(taken > 0);
    const { reason, retryAfterMs } = refused(limiter.take("a key without credit"));
    assert.deepEqual({ reason, retryAfterMs }, { reason: "lease", retryAfterMs: 20 });
  });

  it("fetches credit for takes that do not wait", async () => {
    await using shared = await Shared.open(server, {
      rps: rate({ limit: 10_000, per: "second" }),
    }, { mode: "leased" });
    let [allowed, tries] = [0, 0];
    await eventually("ten takes from credit", () => {
      for (let i = 0; i < 20; i++, tries++) allowed += Number(shared.limiter.take("k").allowed);
      return allowed >= 10;
    });
    assert.ok(allowed <= tries);
  });

  it("reserves, and settles without asking", async () => {
    await using shared = await Shared.open(server, {
      tpm: rate({ unit: "tokens", limit: 1000, per: "day" }),
      live: concurrency({ limit: 1 }),
    }, { mode: "exact" });
    const { limiter } = shared;
    const first = await limiter.reserveShared("k", { tokens: 900 });
    assert.ok(first.allowed && first.source === "store");
    const second = await limiter.reserveShared("k", { tokens: 10 });
    assert.ok(!second.allowed);
    assert.deepEqual([second.limit, second.reason], ["live", "held"]);
    first.settle({ tokens: 100 });
    assert.throws(() => first.settle(), { code: "SLUICE_RESERVATION_CLOSED" });
    // What was not used is credit of this process again.
    const third = await limiter.reserveShared("k", { tokens: 700 });
    assert.ok(third.allowed && third.source === "credit");
    assert.equal(third.topUp({ tokens: 50 }).allowed, true);
    assert.equal(refused(third.topUp({ tokens: 500 })).reason, "lease");
    third.cancel();
    const fourth = await limiter.reserveShared("k", { tokens: 900 });
    assert.ok(fourth.allowed);
    fourth.cancel();
  });

  it("counts quotas and releases permits", async () => {
    await using shared = await Shared.open(server, {
      day: quota({ unit: "tokens", limit: 100, per: "day" }),
      live: concurrency({ limit: 2 }),
    });
    const { limiter } = shared;
    const held = [];
    for (let i = 0; i < 2; i++) held.push(await limiter.reserveShared("k", { tokens: 50 }));
    assert.deepEqual(held.map(({ allowed }) => allowed), [true, true]);
    assert.equal(refused(await limiter.reserveShared("k", { tokens: 0 })).limit, "live");
    for (const one of held) if (one.allowed) one.settle({ tokens: 40 });
    const last = await limiter.reserveShared("k", { tokens: 20 });
    assert.ok(last.allowed);
    last.settle();
    const denied = refused(await limiter.takeShared("k", { tokens: 1, concurrent: 0 }));
    assert.deepEqual([denied.limit, denied.reason], ["day", "time"]);
    assert.ok(denied.retryAfterMs <= 864e5);
  });

  it("ends a wait by a signal, and charges nothing", async () => {
    await using shared = await Shared.open(server, slow, { mode: "exact" });
    const { limiter } = shared;
    const reason = new Error("the client has gone");
    await assert.rejects(
      limiter.takeShared("k", undefined, { signal: AbortSignal.abort(reason) }),
      reason,
    );
    const aborting = new AbortController();
    const waiting = limiter.reserveShared("k", undefined, { signal: aborting.signal });
    aborting.abort(reason);
    await assert.rejects(waiting, reason);
    let allowed = 0;
    for (let i = 0; i < 4; i++) allowed += Number((await limiter.reserveShared("k")).allowed);
    assert.equal(allowed, 3);
  });

  it("gives everything back when it is closed", async () => {
    const shared = await Shared.open(server, {
      tpm: rate({ unit: "tokens", limit: 1000, per: "day" }),
    });
    const { limiter } = shared;
    const reserved = await limiter.reserveShared("k", { tokens: 700 });
    assert.ok(reserved.allowed);
    reserved.settle({ tokens: 100 });
    await limiter[Symbol.asyncDispose]();
    const state = await fields(server, limiter.name, "k");
    assert.equal(state.get("n"), "0");
    assert.match(state.get("l.tpm")!, /^r 100000000 \d+ 0$/);
    assert.equal(state.has("p"), false);
    shared.connected.end();
  });
});
