/** Responses to denied requests: their headers, their bodies and when they ask for a retry. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  concurrency,
  deniedResponse,
  limitHeaders,
  quota,
  rate,
  retryAfterMs,
  VirtualClock,
} from "../mod.ts";
import { readField } from "./support/fields.ts";
import { any, guarded, make, refused } from "./support/limiter.ts";

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
    assert.deepEqual(readField(response.headers, "ratelimit")["rpm"], { r: 0, t: 1 });
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
          assert.ok((readField(headers, "ratelimit")["l"]!["t"] as number) <= seconds);
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
    assert.deepEqual(readField(response.headers, "ratelimit")[violated], { r: 0, t: 1 });
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
