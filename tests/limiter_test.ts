import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import {
  concurrency,
  type Denied,
  type Limits,
  quota,
  rate,
  RateLimiter,
  reserveAll,
  takeAll,
  VirtualClock,
} from "../mod.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

let made = 0;
/** A limiter of its own, on a clock of its own unless told otherwise. */
function make<Name extends string>(
  limits: Limits<Name>,
  { clock = new VirtualClock(), maxKeys = 1000 } = {},
): { limiter: RateLimiter<Name>; clock: VirtualClock } {
  made++;
  return { limiter: new RateLimiter({ name: `test ${made}`, limits, clock, maxKeys }), clock };
}

const tenant = {
  rpm: rate({ unit: "requests", limit: 600, per: "minute", burst: 60 }),
  tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
  day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
  live: concurrency({ limit: 8 }),
};

function refused<Name extends string>(decision: { allowed: boolean }): Denied<Name> {
  assert.equal(decision.allowed, false);
  return decision as Denied<Name>;
}

describe("take", () => {
  it("allows a burst, refuses what is more, and says exactly until when", () => {
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
      retryAfterMs: 0,
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
    assert.deepEqual([never.limit, never.neverFits, never.retryAfterMs], ["tpm", true, Infinity]);
    assert.equal(limiter.take("k", { tokens: 90_000 }).allowed, true);
    const wait = refused(limiter.take("k", { tokens: 3 }));
    assert.deepEqual([wait.limit, wait.neverFits, wait.retryAfterMs], ["tpm", false, 2]);
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
      Array.from({ length: 16 }, (_, i) => [`l${i}`, rate({ unit: `u${i}`, limit: 5, per: 1000 })]),
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
    const { limit, retryAfterMs } = refused(limiter.take("k"));
    assert.deepEqual([limit, retryAfterMs], ["month", Date.UTC(2024, 3, 1) - Date.UTC(2024, 2, 3)]);
  });

  it("go by the wall clock when nobody says otherwise", () => {
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

describe("reservations", () => {
  it("hold what they reserve until it is settled", () => {
    const { limiter, clock } = make(tenant);
    const reserved = limiter.reserve("k", { tokens: 90_000 });
    assert.ok(reserved.allowed && reserved.isOpen);
    clock.advance(300_000);
    const held = refused(limiter.take("k", { tokens: 1 }));
    assert.deepEqual([held.limit, held.retryAfterMs, held.neverFits], ["tpm", Infinity, false]);
    reserved.settle({ tokens: 812 });
    const { tpm, day, rpm, live } = limiter.inspect("k");
    assert.deepEqual([tpm.used, tpm.outstanding, day.used, rpm.used, live.outstanding], [
      812,
      0,
      812,
      1,
      0,
    ]);
    assert.equal(reserved.isOpen, false);
  });

  it("are ended once", () => {
    const { limiter } = make(tenant);
    for (const end of ["settle", "cancel"] as const) {
      const reserved = limiter.reserve("k", { tokens: 10 });
      assert.ok(reserved.allowed);
      reserved[end]();
      const state = limiter.inspect("k");
      const closed = { name: "SluiceError", code: "SLUICE_RESERVATION_CLOSED" };
      assert.throws(() => reserved.settle(), closed);
      assert.throws(() => reserved.settle({ tokens: 0 }), closed);
      assert.throws(() => reserved.cancel(), closed);
      assert.throws(() => reserved.topUp({ tokens: 1 }), closed);
      reserved[Symbol.dispose]();
      assert.deepEqual(limiter.inspect("k"), state);
    }
    assert.equal(limiter.inspect("k").tpm.used, 10);
  });

  it("expire, are settled in full then, and say so to who comes late", () => {
    const { limiter, clock } = make(tenant);
    const reserved = limiter.reserve("k", { tokens: 3000 }, { ttlMs: 1000 });
    assert.ok(reserved.allowed);
    clock.advance(999);
    assert.equal(limiter.inspect("k").tpm.outstanding, 3000);
    clock.advance(2);
    const { tpm, live } = limiter.inspect("k");
    assert.deepEqual([tpm.outstanding, tpm.used, live.outstanding], [0, 2998.5, 0]);
    assert.throws(() => reserved.settle({ tokens: 0 }), { code: "SLUICE_RESERVATION_CLOSED" });
    assert.equal(limiter.inspect("k").tpm.used, 2998.5);
    assert.equal(limiter.stats().expired, 1);
  });

  it("can be topped up, all or nothing", () => {
    const { limiter } = make(tenant);
    const reserved = limiter.reserve("k", { tokens: 89_900 });
    assert.ok(reserved.allowed);
    assert.equal(reserved.topUp({ tokens: 64 }).allowed, true);
    assert.equal(refused(reserved.topUp({ tokens: 64 })).limit, "tpm");
    const { tpm, rpm, live } = limiter.inspect("k");
    assert.deepEqual([tpm.outstanding, rpm.outstanding, live.outstanding], [89_964, 1, 1]);
    reserved.cancel();
    assert.equal(limiter.inspect("k").tpm.remaining, 90_000);
  });

  it("that cost more become debt", () => {
    const { limiter, clock } = make(tenant);
    const reserved = limiter.reserve("k", { tokens: 10 });
    assert.ok(reserved.allowed);
    reserved.settle({ tokens: 120_000 });
    const { retryAfterMs } = refused(limiter.take("k", { tokens: 1500 }));
    assert.equal(retryAfterMs, (120_000 + 1500 - 90_000) / 1.5);
    clock.advance(retryAfterMs);
    assert.equal(limiter.take("k", { tokens: 1500 }).allowed, true);
  });

  it("settle in full at the end of their scope, and refusals do nothing there", () => {
    const { limiter } = make({ t: rate({ unit: "tokens", limit: 10, per: "day" }) });
    {
      using first = limiter.reserve("k", { tokens: 7 });
      assert.equal(first.allowed, true);
      using second = limiter.reserve("k", { tokens: 7 });
      assert.equal(second.allowed, false);
    }
    assert.deepEqual([limiter.inspect("k").t.used, limiter.inspect("k").t.outstanding], [7, 0]);
  });

  it("bound concurrency, and a take is refused while all places are taken", () => {
    const { limiter } = make({ live: concurrency({ limit: 2 }) });
    const a = limiter.reserve("k");
    using _b = limiter.reserve("k");
    assert.equal(refused(limiter.reserve("k")).limit, "live");
    assert.equal(limiter.take("k").allowed, false);
    assert.ok(a.allowed);
    a.cancel();
    assert.equal(limiter.take("k").allowed, true);
    assert.equal(limiter.take("k").allowed, true, "a take holds no place");
  });
});

describe("several keys together", () => {
  it("are charged all or not at all", () => {
    const clock = new VirtualClock();
    const { limiter: users } = make({ rpm: rate({ limit: 5, per: "minute" }) }, { clock });
    const { limiter: models } = make({
      rpm: rate({ limit: 100, per: "minute" }),
      tpm: rate({ unit: "tokens", limit: 1000, per: "minute" }),
    }, { clock });
    const parts = [{ limiter: users, key: "ada" }, { limiter: models, key: "gpt-5" }];
    assert.equal(takeAll(parts, { tokens: 400 }).allowed, true);
    const reserved = reserveAll(parts, { tokens: 500 });
    assert.ok(reserved.allowed);
    const denied = refused(takeAll(parts, { tokens: 101 }));
    assert.deepEqual([denied.limiter, denied.limit], [models.name, "tpm"]);
    assert.equal(users.inspect("ada").rpm.remaining, 3);
    reserved.settle({ tokens: 100 });
    assert.equal(models.inspect("gpt-5").tpm.used, 500);
    assert.equal(users.inspect("ada").rpm.used, 2);
    // The same key twice is charged once.
    takeAll([...parts, parts[0]!], { tokens: 1 });
    assert.equal(users.inspect("ada").rpm.used, 3);
  });

  it("are refused when they cannot be decided together", () => {
    const { limiter: a } = make({ rpm: rate({ limit: 5, per: "minute" }) });
    const { limiter: b } = make({ rpm: rate({ limit: 5, per: "minute" }) });
    const parts = [{ limiter: a, key: "k" }, { limiter: b, key: "k" }];
    assert.throws(() => takeAll(parts), { code: "SLUICE_DIFFERENT_CLOCKS" });
    assert.throws(() => takeAll([]), /RangeError: parts must have 1 to 16 limits in all, not 0/);
    assert.throws(() => takeAll(Array(17).fill(parts[0])), /not 17/);
    assert.throws(() => takeAll(any([{ limiter: {}, key: "k" }])), /parts\[0\].limiter must be a/);
    assert.throws(
      () => takeAll([parts[0]!], { tokens: 1 }),
      /unit "tokens", which no limit counts/,
    );
  });
});

describe("batches", () => {
  it("decide as single calls do", () => {
    const limits = {
      r: rate({ limit: 7, per: 1000, burst: 3 }),
      t: rate({ unit: "tokens", limit: 20, per: 1000 }),
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
          const allowed = all.takeBatch(batch.length % 2 ? keys : ids, costs, out);
          const single = batch.map(([key, requests, tokens]) =>
            one.take(`k${key}`, { requests, tokens })
          );
          const decisions = batch.map((_, i) => all.decision(out[i]!));
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
    assert.equal(limiter.takeBatch(ids, undefined, out), 1);
    assert.deepEqual([...out], [0, -201, -201, -201]);
    assert.equal(RateLimiter.staleKey, -201);
    assert.throws(() => limiter.decision(out[1]!), /has lost its place/);
    assert.equal(limiter.forget(key), true);
    assert.equal(limiter.takeBatch([key, key], Float64Array.of(2), out), 2);
    assert.deepEqual(limiter.inspect(key).r.used, 4);
    assert.throws(() => limiter.takeBatch(ids, Float64Array.of(1, 2), out), /costs must have 1 /);
    assert.throws(() => limiter.takeBatch(ids, undefined, new Float64Array(3)), /room for 4 codes/);
    assert.throws(() => limiter.takeBatch(any("k"), undefined, out), TypeError);
    assert.throws(() => limiter.takeBatch(ids, any([1]), out), TypeError);
  });
});

describe("keys", () => {
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
    assert.throws(wrong({ day: quota({ unit: "tokens", limit: 1, per: "week" }) }), /the window/);
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
    assert.throws(
      () => limiter.tighten("k", any("x"), 5),
      /RangeError: limit must be one of "rpm"/,
    );
  });

  it("are bounded: idle ones make room, others never do", () => {
    const { limiter, clock } = make({ r: rate({ limit: 1, per: 1000 }) }, { maxKeys: 10 });
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
    const { limiter: old, clock } = make(tenant);
    for (let i = 0; i < 50; i++) old.take(`k${i}`, { tokens: 1000 * i });
    old.setLimits("k1", { live: concurrency({ limit: 1 }) });
    const bytes = old.snapshot();
    const before = old.inspect("k40");
    const { limiter } = make(tenant, { clock });
    limiter.restore(bytes);
    assert.deepEqual(limiter.inspect("k40"), before);
    assert.equal(limiter.inspect("k1").live.capacity, 1);
    assert.deepEqual(limiter.snapshot().length, bytes.length);
    const { limiter: later } = make(tenant, { clock: new VirtualClock(10_000) });
    later.restore(bytes);
    assert.equal(later.inspect("k40").tpm.used, 40_000 - 15_000);
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

describe("wrong arguments", () => {
  it("of limits are named with their value", () => {
    assert.throws(
      () => rate({ limit: 0, per: "day" }),
      /^RangeError: limit must be from .* not 0$/,
    );
    assert.throws(() => rate({ limit: NaN, per: "day" }), RangeError);
    assert.throws(() => rate({ limit: any("5"), per: "day" }), /TypeError: limit must be a number/);
    assert.throws(
      () => rate({ limit: 1, per: any("fortnight") }),
      /TypeError: per must be "second"/,
    );
    assert.throws(() => rate({ limit: 1, per: -5 }), /RangeError: per must be above 0/);
    assert.throws(
      () => rate({ limit: 1e-6, per: "day", burst: 1e12 }),
      /come back within 36 years/,
    );
    assert.throws(() => quota({ limit: 1, per: any("second") }), TypeError);
    assert.throws(() => quota({ limit: 1, per: "day", utcOffset: 1.5 }), /whole number of minutes/);
    assert.throws(() => concurrency({ limit: -1 }), RangeError);
    assert.throws(() => concurrency({ limit: 1, unit: "" }), /unit must not be empty/);
    assert.throws(() => rate(any(5)), /the options of rate\(\) must be an object, not 5/);
  });

  it("of limiters are named with their value", () => {
    const limits = { r: rate({ limit: 1, per: "day" }) };
    const open = (options: object) => () => new RateLimiter(any({ name: "x", limits, ...options }));
    assert.throws(open({ name: 5 }), /TypeError: name must be a string, not 5/);
    assert.throws(open({ limits: {} }), /RangeError: limits must be 1 to 16 limits, not 0/);
    assert.throws(open({ limits: { r: 5 } }), /TypeError: limits.r must be a rate\(\)/);
    assert.throws(open({ limits: { "a\0b": limits.r } }), /must not contain a NUL/);
    assert.throws(open({ maxKeys: 0 }), /RangeError: maxKeys must be an integer from 1/);
    assert.throws(open({ clock: "sun" }), /TypeError: clock must be "precise", "coarse" or a/);
    assert.throws(open({ reservationTtlMs: -1 }), RangeError);
    assert.throws(() => new RateLimiter(any(undefined)), TypeError);
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
      for (const tokens of [-1, NaN, Infinity, 2e12]) {
        assert.throws(() => call({ tokens }), /RangeError: cost.tokens must be from 0 to 1e12/);
      }
    }
    const { rpm, tpm, live } = limiter.inspect("k");
    assert.deepEqual([rpm.used, tpm.used, live.outstanding], [0, 0, 0]);
    assert.throws(
      () => limiter.reserve("k", {}, { ttlMs: 0 }),
      /RangeError: ttlMs must be above 0/,
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
