import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  concurrency,
  type Decision,
  peekAll,
  quota,
  rate,
  RateLimiter,
  VirtualClock,
} from "../mod.ts";
import { any, guarded, make, refused, tenant } from "./support/limiter.ts";

describe("batches", () => {
  it("decide as single calls do", () => {
    const limits = {
      r: rate({ limit: 7, per: "1s", burst: 3 }),
      t: rate({ unit: "tokens", limit: 20, per: "1s" }),
    };
    const row = fc.tuple(fc.nat(3), fc.nat(2), fc.nat(25));
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 12 }), { maxLength: 5 }), (batches) => {
        const { limiter: one, clock } = make(limits);
        const { limiter: all } = make(limits, { clock });
        for (const batch of batches) {
          const keys = batch.map(([key]) => all.key(`k${key}`));
          const ids = Float64Array.from(keys, (key) => key.id);
          const costs = Float64Array.from(
            batch.flatMap(([, requests, tokens]) => [requests, tokens]),
          );
          const out = new Float64Array(batch.length + 1);
          const allowed = all.raw.takeBatch(batch.length % 2 ? keys : ids, costs, out);
          const single = batch.map(([key, requests, tokens]) =>
            one.take(`k${key}`, { requests, tokens })
          );
          const decisions = batch.map((_, i) => all.raw.decision(out[i]!));
          assert.deepEqual(
            decisions.map(({ allowed, limit, retryAfterMs }) => [allowed, limit, retryAfterMs]),
            single.map(({ allowed, limit, retryAfterMs }) => [allowed, limit, retryAfterMs]),
          );
          assert.equal(allowed, single.filter(({ allowed }) => allowed).length);
          clock.advance(150);
        }
      }),
    );
  });

  it("say which keys are stale, and look keys up again", () => {
    const { limiter } = make({ r: rate({ limit: 5, per: "minute" }) });
    const key = limiter.key("k");
    const ids = Float64Array.of(key.id, NaN, -1, 2 ** 52);
    const out = new Float64Array(4);
    assert.equal(limiter.raw.takeBatch(ids, undefined, out), 1);
    assert.deepEqual([...out], [0, -201, -201, -201]);
    assert.equal(limiter.raw.staleKey, -201);
    assert.throws(() => limiter.raw.decision(out[1]!), /has lost its slot/);
    assert.equal(limiter.forget(key), true);
    assert.equal(limiter.raw.takeBatch([key, key], Float64Array.of(2), out), 2);
    assert.deepEqual(limiter.inspect(key).r.used, 4);
    assert.throws(
      () => limiter.raw.takeBatch(ids, Float64Array.of(1, 2), out),
      /costs must have 1 /,
    );
    assert.throws(
      () => limiter.raw.takeBatch(ids, undefined, new Float64Array(3)),
      /room for 4 codes/,
    );
    assert.throws(() => limiter.raw.takeBatch(any("k"), undefined, out), TypeError);
    assert.throws(() => limiter.raw.takeBatch(ids, any([1]), out), TypeError);
  });

  it("take names as well as keys, and look them up again too", () => {
    const { limiter } = make({ r: rate({ limit: 5, per: "minute" }) });
    const out = new Float64Array(4);
    const long = "x".repeat(1000);
    const keys = ["a", limiter.key("b"), long, "a"];
    assert.equal(limiter.raw.takeBatch(keys, undefined, out), 4);
    for (const name of ["a", "b", long]) assert.equal(limiter.forget(name), true);
    assert.equal(limiter.raw.takeBatch(keys, Float64Array.of(1, 2, 3, 4), out), 4);
    assert.deepEqual([...out], [0, 0, 0, 0]);
    assert.deepEqual(["a", "b", long].map((name) => limiter.inspect(name).r.used), [5, 2, 3]);
    assert.equal(limiter.raw.takeBatch(keys, Float64Array.of(1), out), 2);
    assert.equal(limiter.raw.decision(out[0]!).allowed, false);
    assert.throws(
      () => limiter.raw.takeBatch(any(["a", 5]), undefined, out),
      /TypeError: key must be a string, not 5/,
    );
  });

  it("keep the code of a key that finds no slot any more", () => {
    const { limiter, clock } = make({ r: rate({ limit: 5, per: "1s" }) }, { maxKeys: 2 });
    const out = new Float64Array(2);
    limiter.raw.takeBatch(["a", "b"], undefined, out);
    clock.advance(1000);
    for (const name of ["c", "d"]) limiter.take(name);
    assert.equal(limiter.raw.takeBatch(["a", "c"], undefined, out), 1);
    assert.deepEqual([...out], [limiter.raw.staleKey, 0]);
  });
});

describe("takeMany", () => {
  it("decides as single calls do, in order", () => {
    const name = fc.constantFrom("a", "b", "c");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(name), fc.nat(9)), { maxLength: 6 }), (batches) => {
        const { limiter: one, clock } = make(tenant);
        const { limiter: many } = make(tenant, { clock });
        for (const [keys, tokens] of batches) {
          const cost = { requests: 20, tokens: 9000 * tokens };
          const mixed = keys.map((key, i) => i % 2 === 0 ? key : many.key(key));
          const plain = (
            { allowed, limit, retryAfterMs }: Decision,
          ) => [allowed, limit, retryAfterMs];
          assert.deepEqual(
            many.takeMany(mixed, cost).map(plain),
            keys.map((key) => one.take(key, cost)).map(plain),
          );
          clock.advance(70);
        }
      }),
    );
    const { limiter } = make({ r: rate({ limit: 2, per: "minute" }) });
    assert.deepEqual(limiter.takeMany(["k", "k", "k"]).map(({ allowed }) => allowed), [
      true,
      true,
      false,
    ]);
    assert.deepEqual(limiter.takeMany([]), []);
  });

  it("looks keys up again, and says when there is no slot for one", () => {
    const { limiter, clock } = make({ r: rate({ limit: 5, per: "1s" }) }, { maxKeys: 2 });
    const names = ["a", "b"];
    limiter.takeMany(names);
    for (const name of names) assert.equal(limiter.forget(name), true);
    assert.ok(limiter.takeMany(names, { requests: 5 }).every(({ allowed }) => allowed));
    clock.advance(1000);
    for (const name of ["c", "d"]) limiter.take(name);
    assert.throws(() => limiter.takeMany(["a", "c"]), { code: "SLUICE_TOO_MANY_KEYS" });
    assert.equal(limiter.inspect("c").r.used, 2);
  });

  it("refuses what a take refuses, and changes nothing", () => {
    const { limiter } = make(guarded);
    const take = (keys: unknown, cost: unknown) => () => limiter.takeMany(any(keys), any(cost));
    const none = { concurrent: 0 };
    assert.throws(take(["k"], undefined), /TypeError: take holds no slot of the concurrency limit/);
    assert.throws(
      take(["k"], { ...none, tokens: -1 }),
      /RangeError: cost.tokens must be 0, or from/,
    );
    assert.throws(take(["k"], 5), /TypeError: cost must be an object/);
    assert.throws(take("k", none), /TypeError: keys must be an array, not "k"/);
    assert.throws(take(["k", 5], none), /TypeError: key must be a string, not 5/);
    assert.equal(limiter.inspect("k").rpm.used, 0);
    limiter.close();
    assert.throws(take(["k"], none), { code: "SLUICE_DISPOSED" });
  });
});

describe("looking at a name that has no slot", () => {
  it("gives it none, and tells what a new key would be told", () => {
    const { limiter: fresh, clock } = make(guarded, { maxKeys: 1 });
    const { limiter: made } = make(guarded, { clock });
    clock.advance(12_345);
    const key = made.key("k");
    fresh.take("other", { requests: 60, concurrent: 0 });
    const plain = (decision: Decision) => ({ ...decision, limiter: undefined });
    for (
      const cost of [{}, { tokens: 90_000 }, { tokens: 90_001 }, { requests: 61 }, {
        concurrent: 9,
      }]
    ) {
      assert.deepEqual(plain(fresh.peek("k", cost)), plain(made.peek(key, cost)));
    }
    assert.deepEqual(fresh.inspect("k"), made.inspect(key));
    assert.equal(fresh.inspect("k").day.resetMs, 864e5 - 12_345);
    fresh.reset("k");
    assert.deepEqual([fresh.stats().keys, fresh.stats().refused], [1, 0]);
    // In one call, the index of the limit that refuses counts the limits of all parts.
    const { limiter: second } = make({ r: rate({ limit: 1, per: "day" }) }, { clock });
    const parts = [{ limiter: fresh, key: "k" }, { limiter: second, key: "k" }] as const;
    assert.equal(peekAll(parts).allowed, true);
    const { limit, limiter } = refused(peekAll(parts, { requests: 2 }));
    assert.deepEqual([limit, limiter], ["r", second.name]);
    assert.equal(refused(peekAll([{ limiter: fresh, key: "other" }, parts[1]])).limit, "rpm");
    assert.equal(second.stats().keys, 0);
  });

  it("sees a key that another object made or lost", () => {
    const { limiter, clock } = make({ r: rate({ limit: 5, per: "1s" }) }, { maxKeys: 1 });
    const key = limiter.key("k");
    limiter.take(key, { requests: 5 });
    clock.advance(1000);
    limiter.take("other");
    // It was evicted, and another name has its slot now.
    assert.equal(limiter.inspect(key).r.used, 0);
    assert.equal(limiter.peek(key, { requests: 5 }).allowed, true);
    assert.equal(limiter.inspect("other").r.used, 1);
    clock.advance(1000);
    assert.equal(limiter.take(key).allowed, true);
    assert.equal(limiter.inspect("k").r.used, 1);
  });
});

describe("keys", () => {
  it("of names of any length are one, and only short names are kept here", () => {
    const { limiter } = make({ r: rate({ limit: 5, per: "minute" }) });
    for (const [name, isKept] of [["k".repeat(256), true], ["k".repeat(100_000), false]] as const) {
      const key = limiter.key(name);
      assert.equal(limiter.key(name) === key, isKept);
      assert.equal(limiter.key(name).id, key.id);
      limiter.take(name, { requests: 2 });
      assert.equal(limiter.take(key, { requests: 2 }).allowed, true);
      assert.equal(limiter.take(name, { requests: 2 }).allowed, false);
    }
  });

  it("are not made by forgetting them", () => {
    const { limiter } = make(tenant);
    assert.equal(limiter.forget("stranger"), false);
    assert.equal(limiter.stats().keys, 0);
    limiter.take("k", { tokens: 10 });
    assert.equal(limiter.forget("k"), true);
    assert.equal(limiter.forget("k"), false);
    assert.equal(limiter.stats().keys, 0);
    assert.equal(limiter.inspect("k").tpm.used, 0);
  });

  it("of another object of the same limiter are as good", () => {
    const { limiter, clock } = make(tenant);
    using same = new RateLimiter({ name: limiter.name, limits: tenant, clock, maxKeys: 1000 });
    const key = limiter.key("k");
    limiter.take(key, { tokens: 1 });
    same.take(key, { tokens: 2 });
    same.raw.takeBatch([key, "k"], Float64Array.of(1, 3), new Float64Array(2));
    assert.equal(same.reserve(key, { tokens: 4 }).allowed, true);
    const { tpm } = same.inspect(key);
    assert.deepEqual([tpm.used, tpm.outstanding], [9, 4]);
    assert.equal(same.forget(key), true);
    assert.equal(same.forget(key), false);
    assert.equal(same.stats().keys, 0);
    const { limiter: other } = make(tenant, { clock });
    assert.throws(() => other.take(key), /RangeError: key "k" belongs to another limiter/);
  });

  it("can have limits of their own, at run time", () => {
    const { limiter } = make(tenant);
    limiter.take("gold", { tokens: 900 });
    limiter.setLimits("gold", {
      tpm: rate({ unit: "tokens", limit: 9000, per: "minute", burst: 1000 }),
    });
    const { tpm, rpm } = limiter.inspect("gold");
    assert.deepEqual([tpm.capacity, tpm.used, rpm.capacity], [1000, 900, 60]);
    assert.equal(refused(limiter.take("gold", { tokens: 101 })).retryAfterMs, 6.667);
    assert.equal(limiter.take("plain", { tokens: 60_000 }).allowed, true);
    limiter.setLimits("gold", undefined);
    assert.equal(limiter.take("gold", { tokens: 60_000 }).allowed, true);
    const wrong = (limits: unknown) => () => limiter.setLimits("gold", any(limits));
    assert.throws(wrong({ rpn: tenant.rpm }), /RangeError: limits has "rpn", which is not one of/);
    assert.throws(
      wrong({ rpm: tenant.tpm }),
      /must be a rate of "requests".* not a rate of "tokens"/,
    );
    assert.throws(wrong({ rpm: 5 }), /TypeError: limits.rpm must be a rate\(\)/);
    assert.throws(
      wrong({ day: quota({ unit: "tokens", limit: 1, per: "week" }) }),
      /limits.day.per must be "day"/,
    );
  });

  it("can have other limits any number of times", () => {
    const { limiter } = make({ r: rate({ limit: 5, per: "minute" }) });
    const key = limiter.key("adaptive");
    for (let limit = 1; limit <= 70_000; limit++) {
      limiter.setLimits(key, { r: rate({ limit, per: "minute" }) });
    }
    assert.equal(limiter.inspect(key).r.capacity, 70_000);
  });

  it("can be tightened, reset and forgotten", () => {
    const { limiter } = make(tenant);
    using reserved = limiter.reserve("k", { tokens: 100 });
    assert.ok(reserved.allowed);
    limiter.tighten("k", "tpm", 5);
    assert.equal(limiter.inspect("k").tpm.remaining, 5);
    limiter.tighten("k", "tpm", 50_000);
    assert.equal(limiter.inspect("k").tpm.remaining, 5, "never loosened");
    limiter.reset("k");
    assert.equal(limiter.inspect("k").tpm.remaining, 89_900);
    assert.equal(limiter.forget("k"), true);
    assert.equal(limiter.inspect("k").tpm.remaining, 90_000);
    limiter.tighten("k", "rpm", 30, 1000);
    assert.equal(limiter.inspect("k").rpm.remaining, 20, "a second gives ten");
    limiter.tighten("k", "rpm", 0, 1000);
    assert.equal(refused(limiter.take("k")).retryAfterMs, 1100);
    assert.throws(() => limiter.tighten("k", "day", 0, 1000), /limit must be a rate if afterMs/);
    assert.throws(() => limiter.tighten("k", "rpm", 0, NaN), /RangeError: afterMs must be above 0/);
    assert.throws(
      () => limiter.tighten("k", any("x"), 5),
      /RangeError: limit must be one of "rpm"/,
    );
  });

  it("are bounded: idle ones make room, others never do", () => {
    const { limiter, clock } = make({ r: rate({ limit: 1, per: "1s" }) }, { maxKeys: 10 });
    const first = limiter.key("0");
    for (let i = 0; i < 10; i++) limiter.take(`${i}`);
    assert.throws(() => limiter.take("new"), { name: "SluiceError", code: "SLUICE_TOO_MANY_KEYS" });
    assert.deepEqual([limiter.stats().keys, limiter.stats().refused], [10, 1]);
    clock.advance(1000);
    for (let i = 0; i < 1000; i++) {
      assert.equal(limiter.take(`more ${i}`).allowed, true);
      if (i % 5 === 4) clock.advance(1000);
    }
    const { keys, evicted, refused } = limiter.stats();
    assert.ok(keys <= 10 && evicted >= 1000 && refused === 1, `${keys} ${evicted} ${refused}`);
    const id = first.id;
    assert.equal(limiter.take(first).allowed, true, "looked up again");
    assert.notEqual(first.id, id);
  });
});

describe("snapshots", () => {
  it("come back as they were, less the time that went by", () => {
    const { limiter: old, clock } = make(guarded);
    for (let i = 0; i < 50; i++) old.take(`k${i}`, { tokens: 1000 * i, concurrent: 0 });
    old.setLimits("k1", { live: concurrency({ limit: 1 }) });
    const bytes = old.snapshot();
    const before = old.inspect("k40");
    const { limiter } = make(guarded, { clock });
    limiter.restore(bytes);
    assert.deepEqual(limiter.inspect("k40"), before);
    assert.equal(limiter.inspect("k1").live.capacity, 1);
    assert.deepEqual(limiter.snapshot().length, bytes.length);
    const { limiter: later } = make(guarded, { clock: new VirtualClock(10_000) });
    later.restore(bytes);
    assert.equal(later.inspect("k40").tpm.used, 40_000 - 15_000);
  });

  it("keep what was used when numbers change, and never of one unit for another", () => {
    const budget = (unit: string, limit: number) => ({
      budget: quota({ unit, limit, per: "month" }),
    });
    const { limiter: old, clock } = make(budget("usd", 50));
    old.take("k", { usd: 7 });
    const bytes = old.snapshot();
    const { limiter: other } = make(budget("tokens", 50), { clock });
    assert.throws(() => other.restore(bytes), { code: "SLUICE_BAD_SNAPSHOT" });
    assert.equal(other.inspect("k").budget.used, 0);
    const more = { rpm: rate({ limit: 9, per: "minute" }), ...budget("usd", 500) };
    const { limiter: raised } = make(more, { clock });
    raised.restore(bytes);
    const { rpm, budget: { used, remaining } } = raised.inspect("k");
    assert.deepEqual([rpm.used, used, remaining], [0, 7, 493]);
  });

  it("are refused when they do not fit", () => {
    const { limiter } = make(tenant);
    const bytes = limiter.snapshot();
    const bad = { name: "SluiceError", code: "SLUICE_BAD_SNAPSHOT" };
    assert.throws(() => limiter.restore(new Uint8Array(3)), bad);
    assert.throws(() => limiter.restore(bytes.slice(8)), bad);
    assert.throws(() => make({ r: tenant.rpm }).limiter.restore(bytes), /other limits/);
    assert.throws(() => limiter.restore(any("x")), TypeError);
    limiter.restore(bytes);
    limiter.take("k");
    assert.throws(() => limiter.restore(bytes), /has had keys already/);
  });
});
