/** Rate-limit headers of upstreams: parsed, whatever their content, and applied only to lower amounts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  limitHeaders,
  parseLimitHeaders,
  rate,
  RateLimiter,
  retryAfterMs,
  tightenFrom,
  VirtualClock,
} from "../mod.ts";
import { durationMs, formatDuration } from "../src/http/field_values.ts";
import { anyHeaders, DATE, HEADER_SETS } from "./fixtures/upstream_headers.ts";
import { any, guarded, make, refused } from "./support/limiter.ts";

describe("Retry-After", () => {
  const parse = (fields: Record<string, string>, now?: number) =>
    retryAfterMs(new Headers(fields), now);

  it("is read in seconds, as a date, and in milliseconds", () => {
    assert.equal(parse({ "retry-after": "2" }), 2000);
    assert.equal(parse({ "retry-after": "0.5" }), 500);
    assert.equal(parse({ "retry-after": "2", "retry-after-ms": "150" }), 150);
    const date = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert.equal(parse({ "retry-after": date }, Date.parse(date) - 4000), 4000);
    assert.equal(parse({ "retry-after": date }, Date.parse(date) + 4000), 0);
    assert.equal(parse({ "retry-after": date, date: "Sun, 06 Nov 1994 08:49:30 GMT" }), 7000);
  });

  it("is bounded, and ignored if it makes no sense", () => {
    assert.equal(parse({ "retry-after": "99999999999" }), 86_400_000);
    for (const value of ["", "-1", "soon", "1e3", "2026-11-24", "0x10"]) {
      assert.equal(parse({ "retry-after": value }), undefined, value);
    }
    assert.equal(parse({}), undefined);
    assert.equal(parse({ "retry-after-ms": "-1", "retry-after": "3" }), 3000);
  });
});

describe("durations", () => {
  it("are read in Go's format", () => {
    const cases: [string, number | undefined][] = [
      ["6m0s", 360_000],
      ["1.5s", 1500],
      ["120ms", 120],
      ["1h2m", 3_720_000],
      ["2m59.56s", 179_560],
      ["0s", 0],
      ["1d2h", 93_600_000],
      ["250us", 0.25],
      ["250µs", 0.25],
      ["250Âµs", 0.25],
      ["7ns", 7e-6],
    ];
    for (const [text, ms] of cases) {
      assert.ok(Math.abs(durationMs(text)! - ms!) < 1e-9, `${text}: ${durationMs(text)}`);
    }
    for (
      const text of [
        "",
        "s",
        "5",
        "-5s",
        "+5s",
        "5 s",
        "5s ",
        "1e3s",
        "5S",
        ".5s",
        "5.s",
        "5s,5s",
        "5x",
      ]
    ) {
      assert.equal(durationMs(text), undefined, text);
    }
  });

  it("are written in OpenAI's format, rounded up to a millisecond", () => {
    const cases: [number, string][] = [
      [0, "0s"],
      [0.001, "1ms"],
      [20, "20ms"],
      [999.5, "1s"],
      [1500, "1.5s"],
      [59_999.2, "1m0s"],
      [360_000, "6m0s"],
      [3_600_000, "1h0m0s"],
      [86_399_999, "23h59m59.999s"],
    ];
    for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e11 }), (ms) => {
      assert.ok(Math.abs(durationMs(formatDuration(ms))! - ms) < 1e-3);
    }));
  });
});

describe("parseLimitHeaders", () => {
  for (const { of, headers, says, retryAfterMs } of HEADER_SETS) {
    it(`reads ${of}`, () => {
      const read = parseLimitHeaders(new Headers(headers), Date.parse(DATE));
      const flat = [...read.limits].map(([name, { limit, remaining, resetMs }]) =>
        [name, [limit, remaining, resetMs]] as const
      );
      assert.deepEqual(Object.fromEntries(flat), says);
      assert.equal(read.retryAfterMs, retryAfterMs);
    });
  }

  it("ignores values that are not plain amounts, and keeps the others", () => {
    const bad = [
      "",
      "-1",
      "+1",
      "1e3",
      "0x10",
      "NaN",
      "Infinity",
      "1,5",
      "5, 5",
      "1_000",
      "µ",
      "5 tokens",
    ];
    for (const value of [...bad, "1000000000001", "9".repeat(400)]) {
      const headers = new Headers({ "x-ratelimit-limit-tokens": "7" });
      headers.set("x-ratelimit-remaining-tokens", value);
      headers.set("x-ratelimit-reset-tokens", value === "1000000000001" ? "367d" : `${value}!`);
      const { limits } = parseLimitHeaders(headers);
      assert.deepEqual(
        limits.get("tokens"),
        { limit: 7, remaining: undefined, resetMs: undefined },
        value,
      );
    }
  });

  it("ignores values that were sent twice", () => {
    const headers = new Headers();
    for (const value of ["5", "900"]) {
      headers.append("x-ratelimit-remaining-tokens", value);
      headers.append("retry-after", value);
      headers.append("retry-after-ms", value);
    }
    const { limits, retryAfterMs } = parseLimitHeaders(headers);
    assert.deepEqual([limits.size, retryAfterMs], [0, undefined]);
  });

  it("ignores malformed RateLimit fields and items", () => {
    const bad = [
      '"a";r=1;t',
      '"a";r=-1',
      '"a";r=1.5',
      '"a";r="1"',
      '"a";t=5',
      '("a" "b");r=1',
      "7;r=1",
      '"a;r=1',
      '"a";r=1,',
      '"a";r=9999999999999999',
    ];
    for (const value of bad) {
      const { limits } = parseLimitHeaders(new Headers({ ratelimit: value }));
      assert.ok(value === bad[0] || limits.size === 0, value);
    }
    for (const value of [bad[0]!, '"a";r=1;t=31622401']) {
      const { limits } = parseLimitHeaders(new Headers({ ratelimit: value }));
      assert.deepEqual(limits.get("a"), { limit: undefined, remaining: 1, resetMs: undefined });
    }
  });

  it("reads RateLimit as the draft had it up to 7, as of requests", () => {
    const of = (ratelimit: string) =>
      parseLimitHeaders(new Headers({ ratelimit })).limits.get("requests");
    assert.deepEqual(of("limit=100, remaining=50, reset=5"), {
      limit: 100,
      remaining: 50,
      resetMs: 5000,
    });
    assert.deepEqual(of("remaining=7"), { limit: undefined, remaining: 7, resetMs: undefined });
    assert.deepEqual(of("limit=100,remaining=0,reset=31622401")?.resetMs, undefined);
    for (
      const value of [
        "limit=100",
        "limit=0, remaining=0",
        "limit=-1, remaining=-1",
        "limit=100, remaining=1.5",
        'limit=100, remaining="5"',
        "limit=100, remaining",
        "limit=100, remaining=(1 2)",
        "limit=100; remaining=50",
        "limit=100, remaining=50, reset=5,",
        "LIMIT=100, REMAINING=50",
        // Sent twice, as by two proxies: the later one would win, right or wrong.
        "limit=100, remaining=0, limit=100, remaining=50",
        "remaining=0,remaining=50",
        "remaining=0 ,\tremaining;x=50",
      ]
    ) assert.equal(of(value), undefined, value);
    const { limiter } = make(guarded);
    const headers = new Headers({
      "ratelimit-policy": "100;w=60",
      ratelimit: "limit=100, remaining=5, reset=30",
    });
    tightenFrom(limiter, "k", headers, { requests: "rpm" });
    assert.equal(limiter.inspect("k").rpm.remaining, 5);
  });

  it("reads what limitHeaders writes", () => {
    const { limiter, clock } = make(guarded);
    limiter.take("k", { concurrent: 0, tokens: 30_000 });
    clock.advance(12.5);
    const { limits } = parseLimitHeaders(limitHeaders({ limiter, key: "k", partitionKey: "x" }));
    assert.deepEqual(Object.fromEntries(limits), {
      requests: { limit: 60, remaining: 59, resetMs: 88 },
      tokens: { limit: 90_000, remaining: 60_018, resetMs: 19_988 },
      rpm: { limit: 600, remaining: 59, resetMs: 6000 },
      tpm: { limit: 90_000, remaining: 60_018, resetMs: 41_000 },
      day: { limit: 2_000_000, remaining: 1_970_000, resetMs: 86_400_000 },
      live: { limit: 8, remaining: 8, resetMs: undefined },
    });
  });

  it("refuses what is not a Headers object", () => {
    assert.throws(
      () => parseLimitHeaders(any({ "retry-after": "1" })),
      /TypeError: headers must be a Headers object, not an instance of Object/,
    );
  });
});

describe("tightenFrom", () => {
  const mapping = { requests: "rpm", tokens: "tpm" } as const;

  it("applies the remaining amounts by name, and returns all of the headers", () => {
    const { limiter } = make(guarded);
    const headers = new Headers({
      "x-ratelimit-remaining-requests": "7",
      "x-ratelimit-remaining-tokens": "1200",
      "x-ratelimit-remaining-images": "3",
    });
    const said = tightenFrom(limiter, "k", headers, mapping);
    const { rpm, tpm, day } = limiter.inspect("k");
    assert.deepEqual([rpm.remaining, tpm.remaining, day.remaining], [7, 1200, 2_000_000]);
    assert.equal(said.limits.get("images")?.remaining, 3);
    assert.equal(limiter.inspect("another").rpm.remaining, 60);
  });

  it("counts the amounts of open reservations once", () => {
    const { limiter } = make(guarded);
    using _held = limiter.reserve("k", { tokens: 1000 }) as Disposable;
    const headers = new Headers({ "x-ratelimit-remaining-tokens": "89000" });
    tightenFrom(limiter, "k", headers, mapping);
    assert.equal(limiter.inspect("k").tpm.remaining, 89_000);
  });

  it("follows another sluice, by the names of its limits", () => {
    const { limiter: upstream, clock } = make(guarded);
    const { limiter } = make(guarded, { clock });
    upstream.take("us", { concurrent: 0, tokens: 5000 });
    const headers = limitHeaders({ limiter: upstream, key: "us" }, { fields: ["ietf"] });
    tightenFrom(limiter, "k", headers, { rpm: "rpm", tpm: "tpm", day: "day" });
    const left = (limiter: RateLimiter, key: string) =>
      Object.values(limiter.inspect(key)).map(({ remaining }) => remaining);
    assert.deepEqual(left(limiter, "k"), left(upstream, "us"));
  });

  it("refills at the limit's own rate, whatever the reset is", () => {
    const { limiter, clock } = make(guarded);
    const headers = new Headers({
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "6m0s",
    });
    tightenFrom(limiter, "k", headers, mapping);
    assert.equal(refused(limiter.take("k", { concurrent: 0 })).retryAfterMs, 100);
    clock.advance(100);
    assert.equal(limiter.take("k", { concurrent: 0 }).allowed, true);
  });

  it("lets rates admit nothing until the end of Retry-After", () => {
    for (
      const [field, value, ms] of [["retry-after", "30", 30_000], [
        "retry-after-ms",
        "250",
        250,
      ]] as const
    ) {
      const { limiter, clock } = make(guarded);
      limiter.take("k", { concurrent: 0, tokens: 80_000 });
      const held = limiter.reserve("k", { tokens: 5000 });
      assert.ok(held.allowed);
      const headers = new Headers({ [field]: value, "x-ratelimit-remaining-tokens": "700" });
      const said = tightenFrom(limiter, "k", headers, { ...mapping, all: "day" });
      assert.equal(said.retryAfterMs, ms);
      // The amount that was removed for the denied request comes back, but not before that.
      held.cancel();
      const { rpm, tpm, day, live } = limiter.inspect("k");
      assert.deepEqual([rpm.remaining, tpm.remaining], [0, 0]);
      assert.deepEqual([day.used, live.outstanding], [80_000, 0]);
      assert.equal(
        refused(limiter.take("k", { concurrent: 0, requests: 0, tokens: 0 })).retryAfterMs,
        ms,
      );
      assert.equal(refused(limiter.take("k", { concurrent: 0 })).retryAfterMs, ms + 100);
      clock.advance(ms);
      assert.deepEqual(
        [limiter.inspect("k").rpm.remaining, limiter.inspect("k").tpm.remaining],
        [0, 0],
      );
      clock.advance(100);
      assert.equal(limiter.take("k", { concurrent: 0, tokens: 150 }).allowed, true);
      // An earlier time has no effect, and neither has a missing one.
      tightenFrom(limiter, "k", new Headers({ "retry-after": "60" }), mapping);
      const before = limiter.inspect("k");
      tightenFrom(limiter, "k", new Headers({ "retry-after": "59" }), mapping);
      tightenFrom(limiter, "k", new Headers({ "retry-after": "0" }), mapping);
      assert.deepEqual(limiter.inspect("k"), before);
      // A day at most.
      tightenFrom(limiter, "k", new Headers({ "retry-after": "1e9" }), mapping);
      tightenFrom(limiter, "k", new Headers({ "retry-after": "999999999" }), { tokens: "tpm" });
      assert.equal(
        refused(limiter.take("k", { concurrent: 0, requests: 0, tokens: 0 })).retryAfterMs,
        864e5,
      );
    }
  });

  it("does not change a limit of Infinity", () => {
    using clock = new VirtualClock();
    using limiter = new RateLimiter({
      limits: { r: rate({ limit: Infinity, per: "minute" }) },
      clock,
    });
    const headers = new Headers({ "x-ratelimit-remaining-requests": "0", "retry-after": "9" });
    tightenFrom(limiter, "k", headers, { requests: "r" });
    assert.equal(limiter.inspect("k").r.remaining, Infinity);
    assert.ok(limiter.take("k").allowed);
  });

  it("ignores a limit that was reset since", () => {
    const { limiter } = make(guarded);
    const headers = new Headers({
      date: DATE,
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2025-08-21T12:40:59Z",
      "anthropic-ratelimit-tokens-remaining": "5",
      "anthropic-ratelimit-tokens-reset": "2025-08-21T12:41:01Z",
    });
    tightenFrom(limiter, "k", headers, mapping);
    assert.equal(limiter.inspect("k").rpm.remaining, 60);
    assert.equal(limiter.inspect("k").tpm.remaining, 5);
  });

  it("never throws for the content of headers, never raises an amount, and never goes below the stated one", () => {
    fc.assert(
      fc.property(
        anyHeaders,
        fc.nat(60),
        fc.nat(90_000),
        fc.nat(30_000),
        (headers, requests, tokens, held) => {
          const { limiter, clock } = make(guarded);
          limiter.take("k", { concurrent: 0, requests, tokens });
          limiter.reserve("k", { tokens: held });
          const before = limiter.inspect("k");
          const { limits, retryAfterMs } = tightenFrom(limiter, "k", headers, mapping);
          const after = limiter.inspect("k");
          for (const name of ["rpm", "tpm", "day", "live"] as const) {
            assert.ok(after[name].remaining <= before[name].remaining, `${name} was loosened`);
            assert.ok(after[name].used >= before[name].used, `${name} was loosened`);
            assert.equal(after[name].capacity, before[name].capacity);
            assert.equal(after[name].outstanding, before[name].outstanding);
          }
          assert.deepEqual([after.day, after.live], [before.day, before.live]);
          for (const [name, limit] of Object.entries(mapping)) {
            // Nothing remains until `Retry-After`; it has a test of its own.
            if ((retryAfterMs ?? 0) > 0) continue;
            const left = limits.get(name)?.remaining ?? Infinity;
            assert.ok(after[limit].remaining >= Math.min(left, before[limit].remaining));
          }
          for (const { limit, remaining, resetMs } of limits.values()) {
            for (const value of [limit, remaining]) {
              assert.ok(value === undefined || value >= 0 && value <= 1e12, `${value}`);
            }
            assert.ok(resetMs === undefined || resetMs >= 0 && resetMs <= 366 * 864e5);
          }
          assert.ok(retryAfterMs === undefined || retryAfterMs >= 0 && retryAfterMs <= 864e5);
          limiter.close();
          clock.close();
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("refuses what is no limiter", () => {
    for (const limiter of [undefined, null, {}, "limiter"]) {
      assert.throws(
        () => tightenFrom(any(limiter), "k", new Headers(), { requests: "rpm" }),
        /TypeError: limiter must be a RateLimiter, not /,
      );
    }
  });

  it("refuses a mapping to an unknown limit, whatever the headers say", () => {
    const { limiter } = make(guarded);
    for (const limit of ["tmp", "live", "toString", 7, undefined]) {
      assert.throws(
        () => tightenFrom(limiter, "k", new Headers(), { tokens: any(limit) }),
        /RangeError: mapping.tokens must be a rate or quota of the limiter \("rpm", "tpm", "day"\), not/,
      );
    }
    assert.throws(
      () => tightenFrom(limiter, "k", new Headers(), any(null)),
      /TypeError: mapping must be an object/,
    );
  });
});
