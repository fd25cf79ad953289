/** Rate-limit headers for clients, parsed by the library that serialized them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { concurrency, limitHeaders, quota, rate, RateLimiter, VirtualClock } from "../mod.ts";
import { readField } from "./support/fields.ts";
import { any, guarded, make } from "./support/limiter.ts";

describe("limitHeaders", () => {
  it("has each limit in RateLimit-Policy and RateLimit", () => {
    const { limiter, clock } = make(guarded);
    clock.advance(3_600_000);
    limiter.take("k", { concurrent: 0, tokens: 80_000 });
    using _held = limiter.reserve("k", { tokens: 1000 }) as Disposable;
    const headers = limitHeaders({ limiter, key: "k" }, { fields: ["ietf"] });
    assert.equal(
      headers.get("RateLimit-Policy"),
      '"rpm";q=600;w=60, "tpm";q=90000;w=60;qu="tokens", "day";q=2000000;w=86400;qu="tokens", ' +
        '"live";q=8;qu="concurrent-requests"',
    );
    // 58 requests last 5.8 s at ten a second, 9,000 tokens 6 s at 1,500; the day has 23 hours left.
    assert.equal(
      headers.get("RateLimit"),
      '"rpm";r=58;t=6, "tpm";r=9000;t=6, "day";r=1919000;t=82800, "live";r=7',
    );
    assert.deepEqual([...headers.keys()], ["ratelimit", "ratelimit-policy"]);
  });

  it("has the tightest limit of requests and of tokens in OpenAI's headers", () => {
    const { limiter, clock } = make(guarded);
    limiter.take("k", { concurrent: 0, tokens: 30_000 });
    const set = () =>
      Object.fromEntries(limitHeaders({ limiter, key: "k" }, { fields: ["openai"] }));
    assert.deepEqual(set(), {
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-reset-requests": "100ms",
      "x-ratelimit-limit-tokens": "90000",
      "x-ratelimit-remaining-tokens": "60000",
      "x-ratelimit-reset-tokens": "20s",
    });
    clock.advance(60_000);
    limiter.tighten("k", "day", 100);
    assert.equal(set()["x-ratelimit-remaining-tokens"], "100");
    assert.equal(set()["x-ratelimit-limit-tokens"], "2000000");
    assert.equal(set()["x-ratelimit-reset-tokens"], "23h59m0s");
    assert.equal(set()["x-ratelimit-reset-requests"], "0s");
    const { limiter: live } = make({ live: concurrency({ unit: "requests", limit: 8 }) });
    assert.deepEqual([...limitHeaders({ limiter: live, key: "k" }, { fields: ["openai"] })], []);
  });

  it("has the limits of a key, also with another period", () => {
    const { limiter } = make({ rpm: rate({ limit: 600, per: "minute", burst: 1 }) });
    const policy = () => readField(limitHeaders({ limiter, key: "k" }), "ratelimit-policy")["rpm"];
    assert.deepEqual(policy(), { q: 600, w: 60 });
    limiter.setLimits("k", { rpm: rate({ limit: 100, per: "second", burst: 7 }) });
    assert.deepEqual(policy(), { q: 6000, w: 60 });
    limiter.setLimits("k", { rpm: rate({ limit: 7000, per: "minute", burst: 1 }) });
    assert.deepEqual(policy(), { q: 7000, w: 60 });
    limiter.setLimits("k", { rpm: rate({ limit: 3, per: "hour" }) });
    assert.deepEqual(policy(), { q: 1, w: 1200 }, "at least one, however long that takes");
  });

  it("is capped at the largest integer of structured fields", () => {
    const { limiter } = make({
      r: rate({ limit: 1e12, per: "1ms" }),
      q: rate({ limit: 1e12, per: { milliseconds: 1e-3 } }),
    });
    const headers = limitHeaders({ limiter, key: "k" });
    assert.deepEqual(readField(headers, "ratelimit-policy"), {
      r: { q: 999_999_999_999_999, w: 1 },
      q: { q: 999_999_999_999_999, w: 1 },
    });
    assert.deepEqual(readField(headers, "ratelimit")["r"], { r: 1e12, t: 1 });
  });

  it("has no window of variable length, and rounds windows to whole seconds", () => {
    const { limiter } = make({
      local: quota({ limit: 5, per: "day", timeZone: "Europe/Berlin" }),
      month: quota({ limit: 5, per: "month" }),
      half: quota({ limit: 5, per: "500ms" }),
      fast: rate({ limit: 5, per: "100ms" }),
      slow: rate({ limit: 2, per: "1500ms" }),
    });
    assert.deepEqual(readField(limitHeaders({ limiter, key: "k" }), "ratelimit-policy"), {
      local: { q: 5 },
      month: { q: 5 },
      half: { q: 5, w: 1 },
      fast: { q: 50, w: 1 },
      slow: { q: 2, w: 2 },
    });
  });

  it("has the duration of a debt, and at least a second", () => {
    const { limiter } = make({ tpm: guarded.tpm });
    const reserved = limiter.reserve("k", { tokens: 90_000 });
    assert.ok(reserved.allowed);
    reserved.settle({ tokens: 180_000 });
    // A debt of 90,000 lasts a minute at 1,500 per second, and the next unit takes a moment more.
    assert.deepEqual(readField(limitHeaders({ limiter, key: "k" }), "ratelimit")["tpm"], {
      r: 0,
      t: 61,
    });
    const { limiter: fast } = make({ l: rate({ limit: 1e12, per: "second", burst: 1 }) });
    const headers = limitHeaders({ limiter: fast, key: "k" });
    assert.deepEqual(readField(headers, "ratelimit")["l"], { r: 1, t: 1 });
  });

  it("distinguishes several keys, by limiter and by partition key", () => {
    const clock = new VirtualClock();
    const users = new RateLimiter({ name: "users", clock, limits: { rpm: guarded.rpm } });
    const models = new RateLimiter({ name: "models", clock, limits: { tpm: guarded.tpm } });
    const headers = limitHeaders([
      { limiter: users, key: "secret", partitionKey: "ada" },
      { limiter: models, key: "gpt-5", partitionKey: new Uint8Array([1, 2]) },
    ]);
    const policies = readField(headers, "ratelimit-policy");
    assert.deepEqual(Object.keys(policies), ["users/rpm", "models/tpm"]);
    for (const field of ["ratelimit-policy", "ratelimit"]) {
      const keys = Object.values(readField(headers, field)).map((
        { pk },
      ) => [...new Uint8Array(pk as ArrayBuffer)]);
      assert.deepEqual(keys, [[97, 100, 97], [1, 2]]);
    }
    assert.ok(![...headers.values()].join().includes("secret"));
  });

  it("takes any name, and restores it if it is ASCII", () => {
    const names = ['a "quoted" \\ name', "Ünïcödé ☃", "\ud800", "new\nline", "a,b;q=1"];
    const { limiter } = make(
      Object.fromEntries(
        names.map((name) => [name, rate({ unit: name, limit: 1, per: "second" })]),
      ),
    );
    const policies = readField(limitHeaders({ limiter, key: "k" }), "ratelimit-policy");
    assert.deepEqual(
      Object.keys(policies),
      [names[0], "%C3%9Cn%C3%AFc%C3%B6d%C3%A9 %E2%98%83", "%EF%BF%BD", "new%0Aline", names[4]],
    );
    assert.equal(policies[names[0]!]!["qu"], names[0]);
  });

  it("never exceeds the rate: r over t is at most q over w", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 1e8 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      (limit, perMs, burst, used) => {
        fc.pre(burst / limit * perMs < 1e12);
        const { limiter } = make({ l: rate({ limit, per: { milliseconds: perMs }, burst }) });
        limiter.take("k", { requests: Math.min(used, burst) });
        const headers = limitHeaders({ limiter, key: "k" });
        const { q, w } = readField(headers, "ratelimit-policy")["l"] as { q: number; w: number };
        const { r, t } = readField(headers, "ratelimit")["l"] as { r: number; t: number };
        const perSecond = limit / perMs * 1000;
        assert.ok(q >= 1 && w >= 1 && t >= 1 && r >= 0);
        assert.ok(q / w <= perSecond * (1 + 1e-6), `${q} in ${w} s is more than ${perSecond}`);
        assert.ok(r / t <= perSecond * (1 + 1e-6), `${r} in ${t} s is more than ${perSecond}`);
        limiter.close();
      },
    ));
  });

  it("refuses what is not a limiter", () => {
    assert.throws(
      () => limitHeaders(any({ limiter: {}, key: "k" })),
      /TypeError: parts must have a RateLimiter as limiter, not an instance of Object/,
    );
    assert.throws(() => limitHeaders(any(null)), /TypeError: parts must have a RateLimiter/);
    assert.deepEqual([...limitHeaders([])], []);
  });

  it("refuses options for which it would write no or wrong headers", () => {
    const { limiter } = make(guarded);
    const part = { limiter, key: "k" };
    for (const fields of ["ietf", 5, null, { length: 1 }]) {
      assert.throws(
        () => limitHeaders(part, { fields: any(fields) }),
        /TypeError: options.fields must be an array of "ietf" and "openai", not /,
      );
    }
    for (const field of ["itef", 1, undefined]) {
      assert.throws(
        () => limitHeaders(part, { fields: ["openai", any(field)] }),
        /RangeError: options.fields\[1\] must be "ietf" or "openai", not /,
      );
    }
    for (const partitionKey of [5, {}, null, new Uint32Array(1), new ArrayBuffer(1)]) {
      assert.throws(
        () => limitHeaders({ ...part, partitionKey: any(partitionKey) }),
        /TypeError: partitionKey must be a string or a Uint8Array, not /,
      );
    }
    // Otherwise an admitted request would be told to retry.
    for (const denied of [limiter.take("k", { concurrent: 0 }), {}, null, 5]) {
      assert.throws(
        () => limitHeaders(part, { denied: any(denied) }),
        /TypeError: options.denied must be a denial, not /,
      );
    }
  });
});
