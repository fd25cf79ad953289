import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { concurrency, quota, rate, RateLimiter, takeAll, VirtualClock } from "../mod.ts";
import { any, make, refused, tenant } from "./support/limiter.ts";

describe("take", () => {
  it("allows a burst, refuses more than that, and says exactly for how long", () => {
    const { limiter, clock } = make(tenant);
    for (let i = 0; i < 60; i++) assert.equal(limiter.take("k").allowed, true);
    const denied = refused(limiter.take("k"));
    assert.equal(denied.limit, "rpm");
    assert.equal(denied.limiter, limiter.name);
    assert.equal(denied.retryAfterMs, 100);
    assert.equal(denied.neverFits, false);
    clock.advance(99.999);
    assert.equal(refused(limiter.take("k")).retryAfterMs, 0.001);
    clock.advance(0.001);
    assert.equal(limiter.take("k").allowed, true);
    assert.equal(limiter.take("k").allowed, false);
  });

  it("gives one frozen answer for all that is allowed", () => {
    const { limiter } = make(tenant);
    const a = limiter.take("a");
    assert.equal(limiter.take("b", { tokens: 3 }), a);
    assert.ok(Object.isFrozen(a));
    assert.deepEqual({ ...a }, {
      allowed: true,
      limit: undefined,
      limiter: undefined,
      reason: undefined,
      retryAfterMs: 0,
      fitsAfterMs: 0,
      neverFits: false,
    });
  });

  it("changes nothing when one of many limits refuses", () => {
    const { limiter } = make(tenant);
    limiter.take("k", { tokens: 80_000 });
    const before = limiter.inspect("k");
    const bytes = limiter.snapshot();
    for (const cost of [{ tokens: 10_001 }, { tokens: 1e12 }, { requests: 61 }]) {
      assert.equal(limiter.take("k", cost).allowed, false);
      assert.equal(limiter.reserve("k", cost).allowed, false);
      assert.equal(limiter.peek("k", cost).allowed, false);
    }
    assert.equal(limiter.peek("k").allowed, true);
    assert.deepEqual(limiter.inspect("k"), before);
    assert.deepEqual(limiter.snapshot(), bytes);
  });

  it("tells what can never fit from what has to wait", () => {
    const { limiter } = make(tenant);
    const never = refused(limiter.take("k", { tokens: 90_001 }));
    assert.deepEqual([never.limit, never.neverFits, never.reason], ["tpm", true, "never"]);
    assert.equal(limiter.take("k", { tokens: 90_000 }).allowed, true);
    const wait = refused(limiter.take("k", { tokens: 3 }));
    assert.deepEqual([wait.limit, wait.neverFits, wait.reason], ["tpm", false, "time"]);
    assert.deepEqual([wait.retryAfterMs, wait.fitsAfterMs], [2, 2]);
  });

  it("keeps keys apart, and takes strings and keys alike", () => {
    const { limiter } = make({ one: rate({ limit: 1, per: "day" }) });
    const key = limiter.key("a");
    assert.equal(key.name, "a");
    assert.equal(limiter.key("a"), key);
    assert.equal(limiter.take(key).allowed, true);
    assert.equal(limiter.take("a").allowed, false);
    for (const name of ["b", "", "ключ", "\ud800", "x".repeat(100_000)]) {
      assert.equal(limiter.take(name).allowed, true, name.slice(0, 9));
      assert.equal(limiter.take(name).allowed, false, name.slice(0, 9));
    }
  });

  it("counts fractions exactly and huge costs too", () => {
    const { limiter } = make({ usd: quota({ unit: "usd", limit: 1, per: "month" }) });
    const taken = Array.from({ length: 20 }, () => limiter.take("k", { usd: 0.1 }).allowed);
    assert.equal(taken.filter(Boolean).length, 10);
    const { limiter: large } = make({ all: rate({ limit: 1e12, per: "day" }) });
    assert.equal(large.take("k", { requests: 1e12 }).allowed, true);
    assert.equal(large.take("k", { requests: 1e-6 }).allowed, false);
    assert.equal(large.take("k", { requests: 0 }).allowed, true);
  });

  it("takes more units than cross as numbers", () => {
    const limits = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`l${i}`, rate({ unit: `u${i}`, limit: 5, per: "1s" })]),
    );
    const { limiter } = make(limits);
    assert.equal(limiter.take("k", { u15: 5, u0: 1 }).allowed, true);
    assert.equal(refused(limiter.take("k", { u15: 1 })).limit, "l15");
    assert.equal(limiter.inspect("k")["l0"]!.used, 1);
  });
});

describe("real clocks", () => {
  it("are waited for as long as the answer says, precise or coarse", async () => {
    for (const clock of ["precise", "coarse"] as const) {
      using limiter = new RateLimiter({
        name: `clock: ${clock}`,
        limits: { r: rate({ limit: 20, per: "second", burst: 1 }) },
        clock,
      });
      assert.equal(limiter.take("k").allowed, true);
      const { retryAfterMs } = refused(limiter.take("k"));
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 50, `${retryAfterMs}`);
      // A coarse clock is behind by up to 10 ms, on the slowest kernels.
      await setTimeout(retryAfterMs + 12);
      assert.equal(limiter.take("k").allowed, true);
    }
  });
});

describe("quotas", () => {
  it("begin anew when the calendar says so", () => {
    const clock = new VirtualClock(Date.UTC(2024, 1, 29, 23, 59, 59));
    const { limiter } = make({
      day: quota({ limit: 1, per: "day" }),
      east: quota({ limit: 3, per: "day", utcOffset: 120 }),
      month: quota({ limit: 2, per: "month" }),
    }, { clock });
    assert.equal(limiter.take("k").allowed, true);
    assert.deepEqual([refused(limiter.take("k")).retryAfterMs], [1000]);
    assert.equal(limiter.inspect("k").east.resetMs, 22 * 36e5 + 1000);
    clock.advance(1000);
    assert.equal(clock.nowMs, Date.UTC(2024, 2, 1));
    assert.equal(limiter.take("k").allowed, true);
    clock.advance(864e5);
    assert.equal(limiter.take("k").allowed, true);
    clock.advance(864e5);
    const { limit, fitsAfterMs } = refused(limiter.take("k"));
    assert.deepEqual([limit, fitsAfterMs], ["month", Date.UTC(2024, 3, 1) - Date.UTC(2024, 2, 3)]);
  });

  it("follow the wall clock by default", () => {
    using limiter = new RateLimiter({
      name: "wall clock",
      limits: { hour: quota({ limit: 1, per: "hour" }) },
    });
    limiter.take("k");
    const { resetMs } = limiter.inspect("k").hour;
    const left = 36e5 - Date.now() % 36e5;
    assert.ok(Math.abs(resetMs - left) < 2000 || Math.abs(resetMs - left) > 3598e3, `${resetMs}`);
  });
});

describe("wrong arguments", () => {
  it("of limits are named with their value", () => {
    assert.throws(
      () => rate({ limit: 1e-7, per: "day" }),
      /^RangeError: limit must be 0, from 0.000001 to 1e12, or Infinity, not 1e-7$/,
    );
    assert.throws(() => rate({ limit: NaN, per: "day" }), RangeError);
    assert.throws(() => rate({ limit: any("5"), per: "day" }), /TypeError: limit must be a number/);
    assert.throws(
      () => rate({ limit: 1, per: any("fortnight") }),
      /TypeError: per must be "second"/,
    );
    for (
      const [per, message] of [
        [60, /TypeError: per must be "second", .* not 60: a bare number does not say its unit/],
        ["60", /TypeError: per must be "second"/],
        ["60 s", /TypeError/],
        ["1h30m", /TypeError/],
        ["-5s", /TypeError/],
        ["0s", /RangeError: per must be above 0/],
        ["367d", /RangeError: per must be above 0 and at most 366 days/],
        ["week", /TypeError/],
        [{ minute: 1 }, /TypeError: the parts of per must not have "minute": known are "days"/],
        [{ minutes: -1 }, /RangeError: per.minutes must not be below 0, not -1/],
        [{ minutes: "1" }, /TypeError: per.minutes must be a number, not "1"/],
        [{}, /RangeError: per must be above 0/],
        [null, /TypeError/],
      ] as const
    ) {
      assert.throws(() => rate({ limit: 1, per: any(per) }), message, `${per}`);
      assert.throws(() => rate({ limit: 1, per: any(per) }), message, `${per}`);
    }
    assert.throws(() => quota({ limit: 1, per: any(60) }), /a bare number does not say its unit/);
    assert.throws(
      () => rate({ limit: 1e-6, per: "day", burst: 1e12 }),
      /come back within 36 years/,
    );
    assert.throws(() => quota({ limit: 1, per: any("second") }), TypeError);
    assert.throws(() => quota({ limit: 1, per: "day", utcOffset: 1.5 }), /whole number of minutes/);
    assert.throws(() => concurrency({ limit: -1 }), RangeError);
    assert.throws(() => concurrency({ limit: 1, unit: "" }), /unit must not be empty/);
    assert.throws(() => rate(any(5)), /the options of rate\(\) must be an object, not 5/);
    assert.throws(() => rate({ limit: 0, per: "day", burst: 5 }), /come back within 36 years/);
    assert.throws(() => rate({ limit: 5, per: "day", burst: Infinity }), /within 36 years/);
  });

  it("of limiters are named with their value", () => {
    const limits = { r: rate({ limit: 1, per: "day" }) };
    const open = (options: object) => () => new RateLimiter(any({ name: "x", limits, ...options }));
    assert.throws(open({ name: 5 }), /TypeError: name must be a string, not 5/);
    assert.throws(open({ limits: {} }), /RangeError: limits must be 1 to 16 limits, not 0/);
    assert.throws(open({ limits: { r: 5 } }), /TypeError: limits.r must be a rate\(\)/);
    for (
      const [limit, message] of [
        [{ kind: "rate" }, /TypeError: limits.r.unit must be a string, not undefined/],
        [
          { ...limits.r, limit: undefined },
          /TypeError: limits.r.limit must be a number, not undef/,
        ],
        [{ ...limits.r, burst: NaN }, /RangeError: limits.r.burst must be 0, from .* not NaN/],
        [{ ...limits.r, per: "day" }, /TypeError: limits.r must not have "per": known are "kind"/],
        [{ ...limits.r, perMs: "5" }, /TypeError: limits.r.perMs must be a number, not "5"/],
        [{ ...limits.r, perMs: 0 }, /RangeError: limits.r.perMs must be above 0/],
        [{ ...limits.r, unit: "" }, /RangeError: limits.r.unit must not be empty/],
        [{ kind: "quota", unit: "a", limit: 1 }, /TypeError: limits.r.per must be one of "day"/],
        [
          { kind: "quota", unit: "a", limit: 1, per: "day", utcOffset: 0.5 },
          /RangeError: limits.r.utcOffset must be a whole number/,
        ],
        [
          { kind: "concurrency", unit: "a", limit: -1 },
          /RangeError: limits.r.limit must be 0, from/,
        ],
      ] as const
    ) assert.throws(open({ limits: { r: limit } }), message);
    // One that was posted by another Worker is accepted.
    open({ name: "posted", limits: structuredClone(limits) })().close();
    assert.throws(open({ limits: { "a\0b": limits.r } }), /must not contain a NUL/);
    assert.throws(open({ maxKeys: 0 }), /RangeError: maxKeys must be an integer from 1/);
    assert.throws(open({ clock: "sun" }), /TypeError: clock must be "precise", "coarse" or a/);
    assert.throws(open({ reservationTtlMs: -1 }), RangeError);
    assert.throws(() => new RateLimiter(any(undefined)), TypeError);
    assert.throws(open({ trackLeaks: 1 }), /TypeError: trackLeaks must be a boolean, not 1/);
  });

  it("that are unknown options are named, wherever options are", () => {
    const { limiter } = make(tenant);
    const limits = { r: tenant.rpm };
    for (
      const [call, what, name] of [
        [() => rate(any({ limit: 1, per: "day", timezone: "UTC" })), "rate()", "timezone"],
        [() => quota(any({ limit: 1, per: "day", timezone: "UTC" })), "quota()", "timezone"],
        [() => concurrency(any({ limit: 1, per: "day" })), "concurrency()", "per"],
        [() => new RateLimiter(any({ limits, maxkeys: 5 })), "a RateLimiter", "maxkeys"],
        [() => limiter.reserve("k", {}, any({ ttl: 5 })), "a reservation", "ttl"],
        [() => limiter.takeUpTo("k", {}, any({ steps: 5 })), "takeUpTo()", "steps"],
      ] as const
    ) {
      assert.throws(call, (error) => {
        assert.ok(error instanceof TypeError);
        const start = `the options of ${what} must not have ${JSON.stringify(name)}: known are "`;
        assert.ok(error.message.startsWith(start), error.message);
        return true;
      });
    }
  });

  it("say that the order of limits counts", () => {
    const { limiter, clock } = make(tenant);
    const { day, ...others } = tenant;
    assert.throws(
      () =>
        new RateLimiter({ name: limiter.name, limits: { day, ...others }, clock, maxKeys: 1000 }),
      { code: "SLUICE_LIMITER_MISMATCH", message: /the same limits in another order/ },
    );
  });

  it("of calls are named with their value, and change nothing", () => {
    const { limiter } = make(tenant);
    const { limiter: other } = make(tenant);
    assert.throws(() => limiter.take(any(5)), /TypeError: key must be a string, not 5/);
    assert.throws(() => limiter.take(other.key("k")), /RangeError: key "k" belongs to another/);
    const calls = [
      (cost: unknown) => limiter.take("k", any(cost)),
      (cost: unknown) => limiter.peek("k", any(cost)),
      (cost: unknown) => limiter.reserve("k", any(cost)),
      (cost: unknown) => takeAll([{ limiter, key: "k" }], any(cost)),
    ];
    for (const call of calls) {
      assert.throws(() => call({ token: 5 }), /RangeError: cost has the unit "token", which no/);
      assert.throws(
        () => call({ tokens: "5" }),
        /TypeError: cost.tokens must be a number, not "5"/,
      );
      assert.throws(() => call({ tokens: undefined }), TypeError);
      assert.throws(() => call(5), /TypeError: cost must be an object such as/);
      assert.throws(() => call(null), TypeError);
      for (const tokens of [-1, NaN, Infinity, 2e12, 9e-7, 1e-10]) {
        assert.throws(
          () => call({ tokens }),
          /RangeError: cost.tokens must be 0, or from 0.000001 to/,
        );
      }
    }
    const { rpm, tpm } = limiter.inspect("k");
    assert.deepEqual([rpm.used, tpm.used, tpm.outstanding], [0, 0, 0]);
    assert.throws(
      () => limiter.reserve("k", {}, { ttlMs: 0 }),
      /RangeError: ttlMs must be above 0/,
    );
  });

  it("of several keys may decide about others while they are read", () => {
    const { limiter, clock } = make(tenant);
    const { limiter: other } = make(tenant, { clock });
    const inner = () => takeAll([{ limiter: other, key: "inner" }], { tokens: 7 });
    const parts = [{ limiter, key: "a" }, {
      limiter,
      get key() {
        inner();
        return "b";
      },
    }];
    const cost = {
      get tokens() {
        inner();
        return 50;
      },
    };
    assert.equal(takeAll(parts, cost).allowed, true);
    assert.deepEqual(["a", "b"].map((key) => limiter.inspect(key).tpm.used), [50, 50]);
    assert.equal(other.inspect("inner").tpm.used % 7, 0);
    assert.deepEqual([limiter.inspect("inner").tpm.used, other.inspect("a").tpm.used], [0, 0]);
  });

  it("of one key may take from the same limiter while they are read", () => {
    const { limiter } = make(tenant);
    const nested = (tokens: number) => ({
      requests: 7,
      get tokens() {
        assert.equal(limiter.take("inner", { requests: 1, tokens: 3 }).allowed, true);
        return tokens;
      },
    });
    assert.equal(limiter.take("outer", nested(50)).allowed, true);
    const { rpm, tpm } = limiter.inspect("outer");
    assert.deepEqual([rpm.used, tpm.used], [7, 50]);
    // Inherited units count as well.
    assert.equal(limiter.take("heir", Object.create(nested(40))).allowed, true);
    assert.deepEqual(
      [limiter.inspect("heir").rpm.used, limiter.inspect("heir").tpm.used],
      [7, 40],
    );
    const reserved = limiter.reserve("held", { tokens: 10 });
    assert.ok(reserved.allowed);
    const other = {
      get tokens() {
        takeAll([{ limiter, key: "inner" }], { requests: 2, tokens: 1 });
        return 20;
      },
    };
    assert.equal(reserved.topUp(other).allowed, true);
    assert.deepEqual(
      [limiter.inspect("held").rpm.outstanding, limiter.inspect("held").tpm.outstanding],
      [1, 30],
    );
    reserved.settle(other);
    assert.deepEqual(
      [limiter.inspect("held").rpm.used, limiter.inspect("held").tpm.used],
      [1, 20],
    );
  });

  it("after close is told so", () => {
    const { limiter, clock } = make(tenant);
    const key = limiter.key("k");
    const reserved = limiter.reserve(key);
    assert.ok(reserved.allowed);
    limiter.close();
    limiter.close();
    const closed = { name: "SluiceError", code: "SLUICE_DISPOSED" };
    assert.throws(() => limiter.take(key), closed);
    assert.throws(() => limiter.take("new"), closed);
    assert.throws(() => limiter.reserve(key), closed);
    assert.throws(() => takeAll([{ limiter, key }]), closed);
    assert.throws(() => limiter.stats(), closed);
    assert.throws(() => limiter.snapshot(), closed);
    assert.throws(() => reserved.settle(), closed);
    reserved[Symbol.dispose]();
    clock.close();
    clock.close();
    assert.throws(() => clock.advance(1), closed);
    assert.throws(() => new RateLimiter({ name: "c", limits: tenant, clock }), closed);
    assert.throws(() => new VirtualClock(any("x")), TypeError);
    assert.throws(() => new VirtualClock().advance(-1), RangeError);
  });
});
