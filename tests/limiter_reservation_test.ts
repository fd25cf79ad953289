import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  concurrency,
  type Decision,
  type LimiterCost,
  rate,
  type Reservation,
  reserveAll,
  takeAll,
  VirtualClock,
} from "../mod.ts";
import { any, guarded, make, refused } from "./support/limiter.ts";

describe("reservations", () => {
  it("hold what they reserve until it is settled", () => {
    const { limiter, clock } = make(guarded);
    const reserved = limiter.reserve("k", { tokens: 90_000 });
    assert.ok(reserved.allowed && reserved.isOpen);
    clock.advance(300_000);
    const held = refused(limiter.take("k", { concurrent: 0, tokens: 1 }));
    assert.deepEqual([held.limit, held.reason, held.retryAfterMs], ["tpm", "held", 1000]);
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
    const { limiter } = make(guarded);
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

  it("expire, are settled in full then, and refuse a later settlement", () => {
    const { limiter, clock } = make(guarded);
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
    assert.equal(make(guarded, { clock }).limiter.stats().expired, 0, "of each limiter its own");
  });

  it("can be topped up, all or nothing", () => {
    const { limiter } = make(guarded);
    const reserved = limiter.reserve("k", { tokens: 89_900 });
    assert.ok(reserved.allowed);
    assert.equal(reserved.topUp({ tokens: 64 }).allowed, true);
    assert.equal(refused(reserved.topUp({ tokens: 64 })).limit, "tpm");
    const { tpm, rpm, live } = limiter.inspect("k");
    assert.deepEqual([tpm.outstanding, rpm.outstanding, live.outstanding], [89_964, 1, 1]);
    reserved.cancel();
    assert.equal(limiter.inspect("k").tpm.remaining, 90_000);
  });

  it("cannot be topped up to more than a limit is, and say that it never fits", () => {
    const { limiter } = make({ t: rate({ unit: "tokens", limit: 100, per: "minute" }) });
    using other = limiter.reserve("k", { tokens: 20 });
    const reserved = limiter.reserve("k", { tokens: 60 });
    assert.ok(reserved.allowed && other.allowed);
    const never = refused(reserved.topUp({ tokens: 60 }));
    assert.deepEqual([never.neverFits, never.retryAfterMs], [true, 2 ** 31 - 1]);
    // Another reservation holds what is missing.
    const held = refused(reserved.topUp({ tokens: 40 }));
    assert.deepEqual([held.neverFits, held.reason, held.fitsAfterMs], [false, "held", undefined]);
    other.cancel();
    assert.equal(reserved.topUp({ tokens: 40 }).allowed, true);
  });

  it("that cost more become debt", () => {
    const { limiter, clock } = make(guarded);
    const reserved = limiter.reserve("k", { tokens: 10 });
    assert.ok(reserved.allowed);
    reserved.settle({ tokens: 120_000 });
    const { retryAfterMs } = refused(limiter.take("k", { concurrent: 0, tokens: 1500 }));
    assert.equal(retryAfterMs, (120_000 + 1500 - 90_000) / 1.5);
    clock.advance(retryAfterMs);
    assert.equal(limiter.take("k", { concurrent: 0, tokens: 1500 }).allowed, true);
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

  it("bound concurrency, which a take would not, and so it is refused", () => {
    const { limiter } = make({
      live: concurrency({ limit: 2 }),
      rpm: rate({ limit: 9, per: "day" }),
    });
    const a = limiter.reserve("k");
    using _b = limiter.reserve("k");
    assert.equal(refused(limiter.reserve("k")).limit, "live");
    assert.equal(limiter.peek("k").allowed, false);
    assert.ok(a.allowed);
    a.cancel();
    const out = new Float64Array(2);
    const message =
      /TypeError: take holds no slot of the concurrency limit "live": use reserve, or say .* \{ concurrent: 0 \}/;
    // @ts-expect-error: it does not say that it needs no slot.
    assert.throws(() => limiter.take("k"), message);
    // @ts-expect-error: nor does this.
    assert.throws(() => limiter.take("k", { requests: 2 }), message);
    // @ts-expect-error: this needs one.
    assert.throws(() => limiter.take("k", { concurrent: 1 }), message);
    assert.throws(() => limiter.takeUpTo("k", { requests: 2 }), message);
    assert.throws(() => takeAll([{ limiter, key: "k" }]), message);
    assert.throws(() => limiter.raw.takeBatch(["k", "k"], undefined, out), message);
    const costs = Float64Array.of(0, 1, 1, 1);
    assert.deepEqual(limiter.units, ["concurrent", "requests"]);
    assert.throws(() => limiter.raw.takeBatch(["k", "k"], costs, out), message);
    assert.equal(limiter.inspect("k").rpm.used, 0);
    // A call that needs no slot is allowed, also while all slots are held.
    using _c = limiter.reserve("k");
    assert.equal(limiter.take("k", { concurrent: 0 }).allowed, true);
    assert.equal(takeAll([{ limiter, key: "k" }], { concurrent: 0 }).allowed, true);
    assert.equal(limiter.takeUpTo("k", { requests: 2, concurrent: 0 }).isAll, true);
    assert.equal(limiter.raw.takeBatch(["k", "k"], Float64Array.of(0, 1), out), 2);
    assert.equal(limiter.inspect("k").rpm.used, 6);
    const { limiter: slots } = make({ live: concurrency({ unit: "slots", limit: 2 }) });
    // A reservation holds one of them, whatever they are called.
    assert.deepEqual(
      [1, 2, 3].map(() => slots.reserve("other").allowed),
      [true, true, false],
    );
    assert.throws(() => slots.take("k", any({})), /take holds no slot/);
    // A cost is read before its amounts are judged.
    assert.throws(() => slots.take("k", any({ concurrent: 0 })), /the unit "concurrent", which no/);
    assert.equal(slots.take("k", { slots: 0 }).allowed, true);
  });

  it("live on while they are renewed, and not once they are over", () => {
    const { limiter, clock } = make(guarded);
    const reserved = limiter.reserve("k", { tokens: 10 }, { ttlMs: 1000 });
    assert.ok(reserved.allowed);
    for (let i = 0; i < 5; i++) {
      clock.advance(900);
      assert.equal(reserved.renew(), true);
      assert.equal(limiter.inspect("k").live.outstanding, 1, `after ${i} renewals`);
    }
    clock.advance(1000);
    assert.equal(limiter.inspect("k").live.outstanding, 0);
    assert.equal(reserved.renew(), false);
    assert.equal(limiter.stats().expired, 1);
    const other = limiter.reserve("k");
    assert.ok(other.allowed);
    // Without a lifetime of its own, by that of the limiter.
    clock.advance(599_999);
    assert.equal(other.renew(), true);
    clock.advance(599_999);
    assert.equal(limiter.inspect("k").live.outstanding, 1);
    other.settle();
    assert.equal(other.renew(), false);
    const last = limiter.reserve("k");
    assert.ok(last.allowed);
    limiter.close();
    assert.equal(last.renew(), false);
  });

  it("are ended by whatever they are settled with", () => {
    const { limiter } = make(guarded);
    const bad: [unknown, RegExp][] = [
      [{ tokens: -1 }, /RangeError: actual.tokens must be 0, or from 0.000001 to 1e12, not -1/],
      [{ tokens: NaN }, /RangeError: actual.tokens .* not NaN/],
      [{ tokens: Infinity }, /RangeError/],
      [{ tokens: 1e13 }, /RangeError: actual.tokens .* not 10000000000000/],
      [{ tokens: 1e-9 }, /RangeError: actual.tokens .* not 1e-9/],
      [{ tokens: "12" }, /TypeError: actual.tokens must be a number, not "12"/],
      [{ tokens: null }, /TypeError/],
      [{ token: 12 }, /RangeError: actual has the unit "token", which no limit counts/],
      [12, /TypeError: actual must be an object/],
      [null, /TypeError/],
      [{
        get tokens(): number {
          throw new Error("no usage");
        },
      }, /Error: no usage/],
    ];
    for (const [actual, message] of bad) {
      const reserved = limiter.reserve("k", { tokens: 100 });
      assert.ok(reserved.allowed);
      assert.throws(() => reserved.settle(any(actual)), message);
      assert.equal(reserved.isOpen, false);
      const { live, tpm } = limiter.inspect("k");
      assert.deepEqual([live.outstanding, tpm.outstanding, tpm.used], [0, 0, 100], String(message));
      assert.throws(() => reserved.settle(), { code: "SLUICE_RESERVATION_CLOSED" });
      limiter.reset("k");
    }
  });
});

describe("a reservation of one key", () => {
  it("is decided, topped up and settled as one of several", () => {
    const amount = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }));
    const cost = fc.record({ requests: fc.nat(3), tokens: amount }, { requiredKeys: [] });
    const step = fc.record({
      cost,
      more: cost,
      actual: fc.option(cost, { nil: undefined }),
      ttlMs: fc.constantFrom(undefined, 50, 5000),
      waitMs: fc.constantFrom(0, 30, 100),
      key: fc.constantFrom("a", "b"),
    });
    const limits = {
      rps: rate({ limit: 7, per: "1s" }),
      tps: rate({ unit: "tokens", limit: 100, per: "1s", burst: 60 }),
      live: concurrency({ limit: 3 }),
    };
    const plain = ({ allowed, limit, reason, retryAfterMs }: Decision) =>
      [allowed, limit, reason, retryAfterMs].join();
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const { limiter: one, clock } = make(limits);
      const { limiter: all } = make(limits, { clock });
      const open: [Reservation, Reservation, LimiterCost<"requests" | "tokens"> | undefined][] = [];
      for (const { cost, more, actual, ttlMs, waitMs, key } of steps) {
        const single = one.reserve(key, cost, { ttlMs });
        const several = reserveAll([{ limiter: all, key }], cost, { ttlMs });
        assert.equal(single.allowed, several.allowed);
        if (single.allowed && several.allowed) {
          assert.equal(plain(single.topUp(more)), plain(several.topUp(more)));
          open.push([single, several, actual]);
        } else if (!single.allowed && !several.allowed) {
          assert.equal(plain(single), plain(several));
        }
        if (open.length > 2) {
          const ended = open.shift()!.slice(0, 2).map((call) => {
            try {
              (call as Reservation).settle(actual);
              return "settled";
            } catch (error) {
              return (error as { code: string }).code;
            }
          });
          assert.equal(ended[0], ended[1]);
        }
        clock.advance(waitMs);
        for (const key of ["a", "b"]) assert.deepEqual(one.inspect(key), all.inspect(key));
      }
      for (const limiter of [one, all]) limiter.close();
    }));
  });

  it("of many limits and units is one too", () => {
    const limits = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`l${i}`, rate({ unit: `u${i}`, limit: 5, per: "1s" })]),
    );
    const { limiter } = make(limits);
    const reserved = limiter.reserve("k", { u0: 1, u15: 5 });
    assert.ok(reserved.allowed);
    assert.deepEqual(["l0", "l1", "l15"].map((name) => limiter.inspect("k")[name]!.outstanding), [
      1,
      0,
      5,
    ]);
    assert.equal(refused(limiter.reserve("k", { u15: 1 })).limit, "l15");
    reserved.settle({ u15: 2 });
    assert.deepEqual(["l0", "l15"].map((name) => limiter.inspect("k")[name]!.used), [1, 2]);
  });

  it("of a key that has lost its slot is made at its new one", () => {
    const { limiter } = make(guarded);
    const key = limiter.key("k");
    assert.equal(limiter.forget(key), true);
    const reserved = limiter.reserve(key, { tokens: 5 });
    assert.ok(reserved.allowed);
    assert.equal(limiter.inspect(key).tpm.outstanding, 5);
    // What is reserved for a forgotten key is void.
    assert.equal(limiter.forget(key), true);
    reserved.settle({ tokens: 7 });
    assert.equal(limiter.inspect(key).tpm.used, 0);
  });

  it("reads each member of a cost once, as all calls do", () => {
    const { limiter } = make(guarded);
    let reads: PropertyKey[] = [];
    const counted = <Cost extends object>(cost: Cost): Cost =>
      new Proxy(cost, {
        get(target, name, self) {
          reads.push(name);
          return Reflect.get(target, name, self);
        },
      });
    const held = counted({ requests: 2, tokens: 5 });
    const taken = counted({ requests: 2, tokens: 5, concurrent: 0 } as const);
    const parts = [{ limiter, key: "a" }, { limiter, key: "b" }] as const;
    const reserved = limiter.reserve("k", held);
    const several = reserveAll(parts, held);
    assert.ok(reserved.allowed && several.allowed);
    const calls = {
      reserve: () => limiter.reserve("k", held),
      reserveAll: () => reserveAll(parts, held),
      topUp: () => reserved.topUp(held),
      topUpAll: () => several.topUp(held),
      settle: () => reserved.settle(held),
      settleAll: () => several.settle(held),
      peek: () => limiter.peek("k", held),
      take: () => limiter.take("k", taken),
      takeMany: () => limiter.takeMany(["k", "k"], taken),
      takeUpTo: () => limiter.takeUpTo("k", taken),
      takeAll: () => takeAll(parts, taken),
    };
    for (const [name, call] of Object.entries(calls)) {
      reads = [];
      call();
      const members = name.startsWith("take")
        ? ["requests", "tokens", "concurrent"]
        : ["requests", "tokens"];
      assert.deepEqual(reads, members, name);
    }
  });
});

describe("several keys together", () => {
  it("hold a key that is named twice once, and settle and top it up once", () => {
    const { limiter } = make(guarded);
    const parts = [{ limiter, key: "k" }, { limiter, key: limiter.key("k") }];
    const reserved = reserveAll(parts, { tokens: 100 });
    assert.ok(reserved.allowed);
    assert.equal(limiter.inspect("k").tpm.outstanding, 100);
    assert.equal(reserved.topUp({ tokens: 50 }).allowed, true);
    assert.equal(limiter.inspect("k").tpm.outstanding, 150);
    reserved.settle({ tokens: 30 });
    assert.equal(limiter.inspect("k").tpm.used, 30);
    assert.equal(limiter.inspect("k").tpm.outstanding, 0);
  });

  it("hold a key once that is spelled in two ways", () => {
    const { limiter } = make(guarded);
    // Both are U+FFFD in UTF-8.
    for (const settle of [true, false]) {
      const parts = ["\ud800", "\ufffd"].map((key) => ({ limiter, key }));
      const reserved = reserveAll(parts, { tokens: 100 });
      assert.ok(reserved.allowed);
      assert.equal(reserved.topUp({ tokens: 50 }).allowed, true);
      assert.equal(limiter.inspect("\udfff").tpm.outstanding, 150);
      if (settle) reserved.settle({ tokens: 30 });
      else reserved.cancel();
      assert.equal(limiter.inspect("\udfff").tpm.outstanding, 0);
      assert.equal(limiter.inspect("\udfff").tpm.used, 30);
    }
  });

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
      () => takeAll([parts[0]!], any({ tokens: 1 })),
      /unit "tokens", which no limit counts/,
    );
  });
});
