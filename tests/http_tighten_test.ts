/** Rate-limit headers of upstreams, applied only to lower amounts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { limitHeaders, rate, RateLimiter, tightenFrom, VirtualClock } from "../mod.ts";
import { anyHeaders, DATE } from "./fixtures/upstream_headers.ts";
import { any, guarded, make, refused } from "./support/limiter.ts";

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
