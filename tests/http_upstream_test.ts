/** Rate-limit headers of upstreams, parsed whatever their content. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { limitHeaders, parseLimitHeaders, retryAfterMs, tightenFrom } from "../mod.ts";
import { durationMs, formatDuration } from "../src/http/field_values.ts";
import { DATE, HEADER_SETS } from "./fixtures/upstream_headers.ts";
import { any, guarded, make } from "./support/limiter.ts";

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
