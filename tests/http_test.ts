/** Rate-limit headers for clients, parsed by the library that serialized them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Item, parseList } from "structured-headers";
import {
  concurrency,
  deniedResponse,
  limitHeaders,
  quota,
  rate,
  RateLimiter,
  retryAfterMs,
  VirtualClock,
} from "../mod.ts";
import { any, guarded, make, refused } from "./support/limiter.ts";

/** The items of a field as plain objects, parsed by the library that serialized them. */
function read(headers: Headers, field: string): Record<string, Record<string, unknown>> {
  const items = parseList(headers.get(field)!) as Item[];
  return Object.fromEntries(
    items.map(([name, parameters]) => [name as string, Object.fromEntries(parameters)]),
  );
}

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
    const policy = () => read(limitHeaders({ limiter, key: "k" }), "ratelimit-policy")["rpm"];
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
    assert.deepEqual(read(headers, "ratelimit-policy"), {
      r: { q: 999_999_999_999_999, w: 1 },
      q: { q: 999_999_999_999_999, w: 1 },
    });
    assert.deepEqual(read(headers, "ratelimit")["r"], { r: 1e12, t: 1 });
  });

  it("has no window of variable length, and rounds windows to whole seconds", () => {
    const { limiter } = make({
      local: quota({ limit: 5, per: "day", timeZone: "Europe/Berlin" }),
      month: quota({ limit: 5, per: "month" }),
      half: quota({ limit: 5, per: "500ms" }),
      fast: rate({ limit: 5, per: "100ms" }),
      slow: rate({ limit: 2, per: "1500ms" }),
    });
    assert.deepEqual(read(limitHeaders({ limiter, key: "k" }), "ratelimit-policy"), {
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
    assert.deepEqual(read(limitHeaders({ limiter, key: "k" }), "ratelimit")["tpm"], {
      r: 0,
      t: 61,
    });
    const { limiter: fast } = make({ l: rate({ limit: 1e12, per: "second", burst: 1 }) });
    const headers = limitHeaders({ limiter: fast, key: "k" });
    assert.deepEqual(read(headers, "ratelimit")["l"], { r: 1, t: 1 });
  });

  it("distinguishes several keys, by limiter and by partition key", () => {
    const clock = new VirtualClock();
    const users = new RateLimiter({ name: "users", clock, limits: { rpm: guarded.rpm } });
    const models = new RateLimiter({ name: "models", clock, limits: { tpm: guarded.tpm } });
    const headers = limitHeaders([
      { limiter: users, key: "secret", partitionKey: "ada" },
      { limiter: models, key: "gpt-5", partitionKey: new Uint8Array([1, 2]) },
    ]);
    const policies = read(headers, "ratelimit-policy");
    assert.deepEqual(Object.keys(policies), ["users/rpm", "models/tpm"]);
    for (const field of ["ratelimit-policy", "ratelimit"]) {
      const keys = Object.values(read(headers, field)).map((
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
    const policies = read(limitHeaders({ limiter, key: "k" }), "ratelimit-policy");
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
        const { q, w } = read(headers, "ratelimit-policy")["l"] as { q: number; w: number };
        const { r, t } = read(headers, "ratelimit")["l"] as { r: number; t: number };
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

describe("deniedResponse", () => {
  const body = async (response: Response) => JSON.parse(await response.text());

  it("is a 429 with problem details, and its Retry-After is when the request fits", async () => {
    const { limiter, clock } = make(guarded);
    const part = { limiter, key: "k" };
    for (let i = 0; i < 60; i++) limiter.take("k", { concurrent: 0 });
    const response = deniedResponse(refused(limiter.take("k", { concurrent: 0 })), part);
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("retry-after"), "1", "rounded up, never 0");
    assert.equal(response.headers.get("retry-after-ms"), "100");
    assert.equal(response.headers.get("x-should-retry"), null);
    assert.deepEqual(read(response.headers, "ratelimit")["rpm"], { r: 0, t: 1 });
    assert.equal(response.headers.get("x-ratelimit-remaining-requests"), "0");
    assert.equal(response.headers.get("x-ratelimit-reset-requests"), "6s");
    assert.deepEqual(await body(response), {
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Request cannot be satisfied as assigned quota has been exceeded",
      status: 429,
      detail: 'The request does not fit the limit "rpm" now: try again in 100ms',
      "violated-policies": ["rpm"],
      error: {
        message: 'The request does not fit the limit "rpm" now: try again in 100ms',
        type: "requests",
        param: null,
        code: "rate_limit_exceeded",
      },
    });
    clock.advance(retryAfterMs(response.headers)!);
    assert.equal(limiter.take("k", { concurrent: 0 }).allowed, true);
  });

  it("has a sufficient Retry-After that is not before the end of t", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 1e-6, max: 1, noNaN: true }),
      fc.double({ min: 1e-6, max: 1, noNaN: true }),
      (limit, perMs, burst, used, wanted) => {
        const { limiter, clock } = make({
          l: rate({ limit, per: { milliseconds: perMs }, burst }),
        });
        limiter.take("k", { requests: burst * used });
        const decision = limiter.take("k", { requests: burst * wanted });
        if (!decision.allowed) {
          const { headers } = deniedResponse(decision, { limiter, key: "k" });
          const seconds = Number(headers.get("retry-after"));
          const ms = Number(headers.get("retry-after-ms"));
          assert.ok(Number.isInteger(seconds) && seconds >= 1);
          assert.ok(Number.isInteger(ms) && ms >= 1 && ms <= seconds * 1000);
          assert.ok((read(headers, "ratelimit")["l"]!["t"] as number) <= seconds);
          clock.advance(ms);
          assert.equal(limiter.take("k", { requests: burst * wanted }).allowed, true);
        }
        limiter.close();
      },
    ));
  });

  it("reports a request that can never fit, and asks for no retry", async () => {
    const { limiter } = make(guarded);
    const response = deniedResponse(refused(limiter.take("k", { concurrent: 0, tokens: 90_001 })), {
      limiter,
      key: "k",
    });
    assert.equal(response.status, 400, "which no client sends again");
    assert.equal(response.headers.get("retry-after"), null);
    assert.equal(response.headers.get("retry-after-ms"), null);
    assert.equal(response.headers.get("x-should-retry"), "false");
    const { detail, ...rest } = await body(response);
    assert.equal(rest["never-fits"], true);
    assert.deepEqual(rest["violated-policies"], ["tpm"]);
    assert.match(detail, /costs more than the limit "tpm" ever allows/);
  });

  it("asks for a second, or the given wait, if open requests hold the amount", async () => {
    const { limiter } = make({ live: concurrency({ limit: 1 }) });
    const part = { limiter, key: "k" };
    using _held = limiter.reserve("k") as Disposable;
    const denied = refused(limiter.reserve("k"));
    assert.deepEqual([denied.reason, denied.fitsAfterMs], ["held", undefined]);
    const response = deniedResponse(denied, part);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.equal(response.headers.get("ratelimit"), '"live";r=0');
    assert.match((await body(response)).detail, /Open requests hold all of the limit "live"/);
    const other = deniedResponse(denied, part, { heldRetryAfterMs: 2500 });
    assert.equal(other.headers.get("retry-after"), "3");
    assert.equal(other.headers.get("retry-after-ms"), "2500");
    // Numbers from 1e21 on are written with an exponent, which no header has.
    for (const heldRetryAfterMs of [0, -1, NaN, Infinity, 1e300, 367 * 864e5]) {
      assert.throws(
        () => deniedResponse(denied, part, { heldRetryAfterMs }),
        /RangeError: options.heldRetryAfterMs must be above 0 and at most 366 days, not /,
      );
    }
  });

  it("is a 503 for reduced capacity", async () => {
    const { limiter } = make(guarded);
    limiter.tighten("k", "tpm", 0);
    const response = deniedResponse(refused(limiter.take("k", { concurrent: 0, tokens: 1 })), [], {
      problem: "temporary-reduced-capacity",
      detail: "The model is busy",
    });
    assert.equal(response.status, 503);
    assert.deepEqual([...response.headers.keys()].sort(), [
      "cache-control",
      "content-type",
      "retry-after",
      "retry-after-ms",
    ]);
    assert.deepEqual(await body(response), {
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      title: "Request cannot be satisfied due to temporary server capacity constraints",
      status: 503,
      detail: "The model is busy",
      "violated-policies": ["tpm"],
      error: {
        message: "The model is busy",
        type: "requests",
        param: null,
        code: "rate_limit_exceeded",
      },
    });
  });

  it("names the limiter if there are several, as the headers do", async () => {
    const clock = new VirtualClock();
    const { limiter: users } = make({ rpm: guarded.rpm }, { clock });
    const { limiter: models } = make({ rpm: guarded.rpm }, { clock });
    models.tighten("m", "rpm", 0);
    const parts = [{ limiter: users, key: "u" }, { limiter: models, key: "m" }];
    const response = deniedResponse(refused(models.take("m")), parts);
    const [violated] = (await body(response))["violated-policies"];
    assert.equal(violated, `${models.name}/rpm`);
    assert.deepEqual(read(response.headers, "ratelimit")[violated], { r: 0, t: 1 });
  });

  it("can be read by Anthropic's clients", async () => {
    const { limiter } = make({ rpm: guarded.rpm });
    limiter.tighten("k", "rpm", 0);
    const denied = refused(limiter.take("k"));
    const response = deniedResponse(denied, { limiter, key: "k" }, { errorForm: "anthropic" });
    assert.equal(response.headers.get("content-type"), "application/json");
    const message = 'The request does not fit the limit "rpm" now: try again in 100ms';
    assert.deepEqual(await body(response), {
      type: "error",
      error: { type: "rate_limit_error", message },
      title: "Request cannot be satisfied as assigned quota has been exceeded",
      status: 429,
      detail: message,
      "violated-policies": ["rpm"],
    });
  });

  it("asks for no retry if SDKs do not wait that long", () => {
    for (const [limit, retry] of [[1, "false"], [2, null]] as const) {
      const { limiter } = make({ r: rate({ limit, per: "2m", burst: 1 }) });
      limiter.take("k");
      const { headers } = deniedResponse(refused(limiter.take("k")), { limiter, key: "k" });
      assert.equal(headers.get("x-should-retry"), retry);
      assert.equal(headers.get("retry-after"), `${120 / limit}`);
    }
    // Also longer than a timer can wait.
    const { limiter } = make({ q: quota({ limit: 1, per: "year" }) });
    limiter.take("k");
    const { headers } = deniedResponse(refused(limiter.take("k")), { limiter, key: "k" });
    assert.equal(headers.get("retry-after"), `${365 * 86_400}`);
  });

  it("refuses what is not a denial", () => {
    const { limiter } = make(guarded);
    const part = { limiter, key: "k" };
    assert.throws(
      () => deniedResponse(any(limiter.take("k", { concurrent: 0 })), part),
      /TypeError: denied must be a denial, not an instance of Object/,
    );
    limiter.tighten("k", "rpm", 0);
    assert.throws(
      () =>
        deniedResponse(refused(limiter.take("k", { concurrent: 0 })), part, {
          problem: any("toString"),
        }),
      /RangeError: options.problem must be "quota-exceeded" or "temporary-reduced-capacity"/,
    );
    const denied = refused(limiter.take("k", { concurrent: 0 }));
    assert.throws(
      () => deniedResponse(denied, part, { errorForm: any("gemini") }),
      /RangeError: options.errorForm must be "openai" or "anthropic", not "gemini"/,
    );
    for (const detail of [5, {}, null]) {
      assert.throws(
        () => deniedResponse(denied, part, { detail: any(detail) }),
        /TypeError: options.detail must be a string, not /,
      );
    }
    assert.throws(
      () => deniedResponse(denied, part, any({ status: 418 })),
      /TypeError: the options of deniedResponse\(\) must not have "status": known are "fields"/,
    );
    assert.throws(
      () => limitHeaders(part, any({ field: [] })),
      /TypeError: the options of limitHeaders\(\) must not have "field": known are "fields"/,
    );
  });
});
