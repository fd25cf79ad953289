/** Limits of 0 and Infinity, durations, calendars, time zones, and partial takes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  concurrency,
  type LimitDefinition,
  limitHeaders,
  quota,
  type QuotaOptions,
  rate,
  RateLimiter,
  VirtualClock,
} from "../mod.ts";
import { any, make, refused } from "./support/limiter.ts";

const DAY = 864e5;
const HOUR = 36e5;

describe("a limit of 0", () => {
  it("refuses every cost, and for ever", () => {
    const limits = {
      r: rate({ limit: 0, per: "minute" }),
      q: quota({ limit: 0, per: "day" }),
      c: concurrency({ limit: 0 }),
    };
    for (const [name, limit] of Object.entries(limits)) {
      const { limiter } = make<Record<string, LimitDefinition>>({ [name]: limit });
      const denied = refused(limiter.reserve("k"));
      assert.deepEqual([denied.limit, denied.reason], [name, "never"]);
      assert.equal(limiter.inspect("k")[name]!.capacity, 0);
      assert.equal(refused(limiter.peek("k", { [limit.unit]: 1e-6 })).neverFits, true);
      assert.equal(limiter.peek("k", { [limit.unit]: 0 }).allowed, true);
      const headers = limitHeaders({ limiter, key: "k" });
      assert.match(headers.get("ratelimit-policy")!, new RegExp(`^"${name}";q=0`));
      assert.match(headers.get("ratelimit")!, new RegExp(`^"${name}";r=0`));
    }
  });

  it("can be one key's, and what it had used stays", () => {
    const { limiter } = make({ r: rate({ limit: 5, per: "minute" }) });
    limiter.take("k", { requests: 2 });
    limiter.setLimits("k", { r: rate({ limit: 0, per: "minute" }) });
    assert.equal(refused(limiter.take("k")).reason, "never");
    assert.equal(limiter.take("other").allowed, true);
    limiter.setLimits("k", undefined);
    assert.equal(limiter.inspect("k").r.used, 2);
  });
});

describe("a limit of Infinity", () => {
  it("admits everything, and counts it", () => {
    const { limiter } = make({
      r: rate({ unit: "tokens", limit: Infinity, per: "minute" }),
      q: quota({ unit: "tokens", limit: Infinity, per: "day" }),
      c: concurrency({ limit: Infinity }),
    });
    for (let i = 0; i < 50; i++) {
      assert.equal(limiter.take("k", { tokens: 1e12, concurrent: 0 }).allowed, true, `${i}`);
    }
    const held = Array.from({ length: 500 }, () => limiter.reserve("k", { tokens: 7 }));
    assert.ok(held.every(({ allowed }) => allowed));
    const { r, q, c } = limiter.inspect("k");
    assert.deepEqual([r.capacity, r.remaining, r.outstanding], [Infinity, Infinity, 3500]);
    assert.deepEqual([q.capacity, q.remaining, q.outstanding], [Infinity, Infinity, 3500]);
    assert.deepEqual([c.capacity, c.outstanding], [Infinity, 500]);
    assert.deepEqual(limiter.takeUpTo("k", { tokens: 1e12, concurrent: 0 }), {
      taken: { tokens: 1e12, concurrent: 0 },
      isAll: true,
    });
    limiter.tighten("k", "q", 0);
    assert.equal(limiter.take("k", { tokens: 1, concurrent: 0 }).allowed, true);
    assert.deepEqual([...limitHeaders({ limiter, key: "k" })], [], "nothing to tell");
    const { limiter: metered } = make({ q: quota({ limit: Infinity, per: "day" }) });
    for (let i = 0; i < 1000; i++) metered.take("k", { requests: 3 });
    assert.equal(metered.inspect("k").q.used, 3000);
  });

  it("of a rate leaves its burst, if it has one", () => {
    const { limiter } = make({ r: rate({ limit: Infinity, per: "second", burst: 10 }) });
    assert.equal(limiter.take("k", { requests: 10 }).allowed, true);
    assert.equal(refused(limiter.take("k", { requests: 11 })).reason, "never");
  });
});

describe("durations", () => {
  it("are words, a number and its unit, or parts", () => {
    for (
      const [per, ms] of [
        ["second", 1000],
        ["day", DAY],
        ["250ms", 250],
        ["60s", 60_000],
        ["1.5m", 90_000],
        ["2h", 2 * HOUR],
        ["1d", DAY],
        [{ seconds: 60 }, 60_000],
        [{ days: 1, hours: 2, minutes: 3, seconds: 4, milliseconds: 5 }, 93_784_005],
        [{ milliseconds: 0.5 }, 0.5],
      ] as const
    ) assert.equal(rate({ limit: 1, per }).perMs, ms);
    assert.equal(quota({ limit: 1, per: "90s" }).per, 90_000);
    assert.equal(quota({ limit: 1, per: "hour" }).per, HOUR);
    assert.equal(quota({ limit: 1, per: "day" }).per, "day");
  });
});

/** Returns the ends of the windows after `start`, as the refusals of a limiter report them. */
function ends(options: QuotaOptions, start: number, count: number): string[] {
  const clock = new VirtualClock(start);
  const { limiter } = make({ q: quota(options) }, { clock });
  const all = [];
  for (let i = 0; i < count; i++) {
    assert.equal(limiter.take("k", { requests: 1 }).allowed, true);
    const { fitsAfterMs = 0 } = refused(limiter.take("k"));
    assert.equal(limiter.inspect("k").q.resetMs, fitsAfterMs);
    clock.advance(fitsAfterMs - 0.001);
    assert.equal(limiter.take("k").allowed, false);
    clock.advance(0.001);
    all.push(new Date(clock.nowMs).toISOString().replace(":00.000Z", ""));
  }
  return all;
}

describe("quotas", () => {
  it("of days in a time zone are 23 and 25 hours long where clocks are changed", () => {
    const berlin = { limit: 1, per: "day", timeZone: "Europe/Berlin" } as const;
    assert.deepEqual(ends(berlin, Date.UTC(2024, 2, 30, 12), 3), [
      "2024-03-30T23:00",
      "2024-03-31T22:00",
      "2024-04-01T22:00",
    ]);
    assert.deepEqual(ends(berlin, Date.UTC(2024, 9, 26, 12), 3), [
      "2024-10-26T22:00",
      "2024-10-27T23:00",
      "2024-10-28T23:00",
    ]);
    assert.deepEqual(ends({ ...berlin, per: "month" }, Date.UTC(2024, 2, 5), 2), [
      "2024-03-31T22:00",
      "2024-04-30T22:00",
    ]);
    const year = { ...berlin, per: "year", timeZone: "America/New_York" } as const;
    assert.deepEqual(ends(year, Date.UTC(2024, 2, 5), 1), ["2025-01-01T05:00"]);
  });

  it("begin on the day that is asked for", () => {
    const start = Date.UTC(2024, 0, 31);
    assert.deepEqual(ends({ limit: 1, per: "month", monthStart: 31 }, start, 3), [
      "2024-02-29T00:00",
      "2024-03-31T00:00",
      "2024-04-30T00:00",
    ]);
    // 2024-01-31 is a Wednesday.
    assert.deepEqual(ends({ limit: 1, per: "week" }, start, 1), ["2024-02-05T00:00"]);
    const sunday = { limit: 1, per: "week", weekStart: "sunday", utcOffset: -300 } as const;
    assert.deepEqual(ends(sunday, start, 2), ["2024-02-04T05:00", "2024-02-11T05:00"]);
    assert.deepEqual(ends({ limit: 1, per: "year", yearStart: "04-06" }, start, 2), [
      "2024-04-06T00:00",
      "2025-04-06T00:00",
    ]);
    assert.deepEqual(ends({ limit: 1, per: "year", yearStart: "02-29" }, start, 2), [
      "2024-02-29T00:00",
      "2025-02-28T00:00",
    ]);
  });

  it("end at a midnight of their zone, whatever the zone and the time", () => {
    const zones = Intl.supportedValuesOf("timeZone");
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(1995, 0), max: Date.UTC(2045, 0) }),
        (timeZone, start) => {
          const clock = new VirtualClock(start);
          using limiter = new RateLimiter({
            limits: { q: quota({ limit: 1, per: "day", timeZone }) },
            clock,
          });
          limiter.take("k");
          const end = Math.round(start + refused(limiter.take("k")).retryAfterMs);
          const format = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
          const before = format.format(end - 1);
          assert.notEqual(before, format.format(end), `${timeZone} ${start}`);
          assert.ok(end - start <= 49 * HOUR);
          clock.close();
        },
      ),
      { numRuns: 600 },
    );
  });

  it("refuse options that do not go together, and unknown zones", () => {
    const bad: [object, RegExp][] = [
      [
        { timeZone: "Europe/Berln" },
        /RangeError: timeZone must be a time zone such as "Europe\/Berlin", not "Europe\/Berln"/,
      ],
      [{ timeZone: 5 }, /TypeError: timeZone must be a string, not 5/],
      [{ timeZone: "Europe/Berlin", utcOffset: 60 }, /RangeError: utcOffset cannot go with a time/],
      [{ timeZone: "Europe/Berlin", per: "hour" }, /RangeError: timeZone is for days, weeks/],
      [{ weekStart: "monday" }, /RangeError: weekStart is for windows of a week, not "day"/],
      [{ per: "week", weekStart: "Monday" }, /RangeError: weekStart must be one of "monday", /],
      [{ per: "week", weekStart: 1 }, /TypeError: weekStart must be a string, not 1/],
      [{ monthStart: 5 }, /RangeError: monthStart is for windows of a month/],
      [{ per: "month", monthStart: 32 }, /RangeError: monthStart must be an integer from 1 to 31/],
      [{ per: "month", monthStart: "5" }, /TypeError: monthStart must be a number/],
      [{ per: "year", yearStart: "02-30" }, /RangeError: yearStart must be a day such as "04-06"/],
      [{ per: "year", yearStart: "13-01" }, /RangeError/],
      [{ per: "year", yearStart: "00-01" }, /RangeError/],
      [{ per: "year", yearStart: "4-6" }, /RangeError/],
      [{ per: "year", yearStart: 406 }, /TypeError/],
    ];
    for (const [options, message] of bad) {
      assert.throws(() => quota(any({ limit: 1, per: "day", ...options })), message);
    }
    const posted = { kind: "quota", unit: "a", limit: 1, per: "day", utcOffset: 0, timeZone: "X" };
    assert.throws(
      () => new RateLimiter({ limits: { q: any(posted) } }),
      /RangeError: limits.q.timeZone must be a time zone/,
    );
  });

  it("of a key may be in a zone of its own, and keep what its window has had", () => {
    const clock = new VirtualClock(Date.UTC(2024, 5, 1, 12));
    const { limiter } = make({ q: quota({ limit: 5, per: "day" }) }, { clock });
    limiter.take("k", { requests: 2 });
    const tokyo = quota({ limit: 9, per: "day", timeZone: "Asia/Tokyo" });
    limiter.setLimits("k", { q: tokyo });
    const { used, capacity, resetMs } = limiter.inspect("k").q;
    assert.deepEqual([used, capacity, resetMs], [2, 9, 3 * HOUR]);
    const bytes = limiter.snapshot();
    // As after a deploy that moves all keys to Berlin.
    const berlin = { q: quota({ limit: 5, per: "day", timeZone: "Europe/Berlin" }) };
    const { limiter: moved } = make(berlin, { clock });
    moved.restore(bytes);
    assert.deepEqual([moved.inspect("k").q.used, moved.inspect("k").q.resetMs], [2, 3 * HOUR]);
    moved.setLimits("k", undefined);
    assert.deepEqual([moved.inspect("k").q.used, moved.inspect("k").q.resetMs], [2, 10 * HOUR]);
    assert.throws(
      () => limiter.setLimits("k", { q: quota({ limit: 5, per: "week" }) }),
      /RangeError: limits.q.per must be "day", as the limiter has it, not "week"/,
    );
  });
});

describe("takeUpTo", () => {
  it("takes what is left, in whole units by default, and says how much", () => {
    const { limiter, clock } = make({
      rpm: rate({ limit: 60, per: "minute", burst: 3 }),
      tpm: rate({ unit: "tokens", limit: 100, per: "minute" }),
      day: quota({ unit: "tokens", limit: 150, per: "day" }),
    });
    const take = (tokens: number, step?: number) =>
      limiter.takeUpTo("k", { tokens }, step === undefined ? undefined : { step });
    assert.deepEqual(take(70), { taken: { requests: 1, tokens: 70 }, isAll: true });
    assert.deepEqual(take(70), { taken: { requests: 1, tokens: 30 }, isAll: false });
    assert.deepEqual(take(70), { taken: { requests: 1, tokens: 0 }, isAll: false });
    // A second gives back one request and 1 2/3 tokens.
    clock.advance(1000);
    assert.deepEqual(take(70), { taken: { requests: 1, tokens: 1 }, isAll: false });
    assert.deepEqual(take(70, 1e-6), { taken: { requests: 0, tokens: 0.666666 }, isAll: false });
    assert.deepEqual(take(0.0000004 + 1), { taken: { requests: 0, tokens: 0 }, isAll: false });
    // The day has 48.333334 left.
    clock.advance(60_000);
    assert.deepEqual(take(70, 20), { taken: { requests: 1, tokens: 40 }, isAll: false });
    assert.deepEqual(take(70), { taken: { requests: 1, tokens: 8 }, isAll: false });
    const before = limiter.inspect("k");
    for (
      const [cost, options, message] of [
        [undefined, {}, /TypeError: cost must be an object such as/],
        [{ tokens: -1 }, {}, /RangeError: cost.tokens must be 0, or from/],
        [{ token: 1 }, {}, /RangeError: cost has the unit "token"/],
        [{ tokens: 1 }, { step: 0 }, /RangeError: step must be above 0, not 0/],
        [{ tokens: 1 }, { step: 1e-9 }, /RangeError: step must be 0, or from/],
        [{ tokens: 1 }, { step: "1" }, /TypeError: step must be a number/],
      ] as const
    ) {
      assert.throws(() => limiter.takeUpTo("k", any(cost), any(options)), message);
    }
    assert.deepEqual(limiter.inspect("k"), before);
    assert.equal(limiter.forget("k"), true);
    assert.equal(take(5).isAll, true, "a key that is stale is looked up again");
  });

  it("takes the most that a take would be allowed, and leaves less than a step", () => {
    const amount = fc.integer({ min: 0, max: 60 });
    fc.assert(fc.property(
      amount,
      amount,
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(1, 0.5, 7),
      (used, held, cost, step) => {
        const { limiter } = make({
          a: rate({ unit: "tokens", limit: 40, per: "minute" }),
          b: quota({ unit: "tokens", limit: 50, per: "day" }),
        });
        limiter.take("k", { tokens: used });
        limiter.reserve("k", { tokens: held });
        const left = Math.min(...Object.values(limiter.inspect("k")).map((s) => s.remaining));
        const { taken, isAll } = limiter.takeUpTo("k", { tokens: cost }, { step });
        assert.equal(taken["tokens"], cost <= left ? cost : Math.floor(left / step) * step);
        assert.equal(isAll, cost <= left);
        limiter.close();
      },
    ));
  });
});

describe("when to ask again", () => {
  it("is always a time that a timer takes", () => {
    const most = 2 ** 31 - 1;
    const { limiter } = make({ month: quota({ limit: 1, per: "month" }) });
    limiter.take("k");
    const month = refused(limiter.take("k"));
    assert.deepEqual([month.reason, month.retryAfterMs, month.fitsAfterMs], [
      "time",
      most,
      31 * DAY,
    ]);
    const { limiter: slow } = make({ r: rate({ limit: 1, per: "366d", burst: 36 }) });
    slow.take("k", { requests: 36 });
    const years = refused(slow.take("k", { requests: 36 }));
    assert.equal(years.retryAfterMs, most);
    assert.equal(years.fitsAfterMs, (2 ** 46 - 1) / 1000, "and that is as far as it is told");
    const never = refused(slow.take("k", { requests: 37 }));
    assert.deepEqual([never.retryAfterMs, never.fitsAfterMs], [most, undefined]);
    const { limiter: live } = make({ live: concurrency({ limit: 1 }) });
    using _held = live.reserve("k");
    const held = refused(live.reserve("k"));
    assert.deepEqual([held.retryAfterMs, held.fitsAfterMs], [1000, undefined]);
  });
});
