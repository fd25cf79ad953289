/** Units are typed: a misspelt one is a type error, and an error of the call where a program casts it away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  concurrency,
  type Decision,
  type LimitDefinition,
  type LimiterCost,
  type Limits,
  peekAll,
  quota,
  rate,
  type RateLimiter,
  type Reservation,
  reserveAll,
  takeAll,
  type UnitsOf,
} from "../mod.ts";
import { make } from "./support/limiter.ts";

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const same = <A, B>(_: Same<A, B>): void => {};

const UNKNOWN = /RangeError: \w+ has the unit "token", which no limit counts/;
/** Default units, named ones, and two limits of one unit. */
const limits = {
  rpm: rate({ limit: 600, per: "minute" }),
  tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
  day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
};

describe("the units of a limiter", () => {
  it("are those of its limits, by default too", () => {
    const live = concurrency({ limit: 8 });
    const slots = concurrency({ unit: "slots", limit: 8 });
    const days = quota({ limit: 8, per: "day" });
    same<typeof live.unit, "concurrent">(true);
    same<typeof slots.unit, "slots">(true);
    same<typeof days.unit, "requests">(true);
    same<UnitsOf<typeof limits>, "requests" | "tokens">(true);
    same<UnitsOf<typeof limits & { live: typeof live }>, "requests" | "tokens" | "concurrent">(
      true,
    );
    same<UnitsOf<Limits>, string>(true);
    same<LimiterCost, Readonly<Record<string, number>>>(true);
    same<LimiterCost<"a" | "b">, { readonly a?: number; readonly b?: number }>(true);
    const { limiter } = make({ ...limits, live });
    assert.deepEqual(limiter.units, ["requests", "tokens", "concurrent"]);
  });

  it("are the only ones that calls accept", () => {
    const { limiter } = make(limits);
    assert.equal(limiter.take("k", { tokens: 1, requests: 2 }).allowed, true);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => limiter.take("k", { token: 1 }), UNKNOWN);
    // @ts-expect-error: also beside a unit that there is.
    assert.throws(() => limiter.take("k", { tokens: 1, token: 1 }), UNKNOWN);
    // @ts-expect-error: also in a variable.
    assert.throws(() => limiter.take("k", misspelt), UNKNOWN);
    // @ts-expect-error: nor is undefined an amount.
    assert.throws(() => limiter.take("k", { tokens: undefined }), TypeError);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => limiter.takeMany(["k"], { token: 1 }), UNKNOWN);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => limiter.takeUpTo("k", { token: 1 }), UNKNOWN);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => limiter.peek("k", { token: 1 }), UNKNOWN);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => limiter.reserve("k", { token: 1 }), UNKNOWN);
    const reserved = limiter.reserve("k", { tokens: 1 });
    assert.ok(reserved.allowed);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => reserved.topUp({ token: 1 }), UNKNOWN);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => reserved.settle({ token: 1 }), UNKNOWN);
    same<keyof ReturnType<typeof limiter.takeUpTo>["taken"], "requests" | "tokens">(true);
    same<keyof ReturnType<typeof limiter.inspect>, "rpm" | "tpm" | "day">(true);
    same<NonNullable<ReturnType<typeof limiter.take>["limit"]>, "rpm" | "tpm" | "day">(true);
  });

  it("are all of several limiters together", () => {
    const { limiter: users, clock } = make({ live: concurrency({ limit: 2 }) });
    const { limiter: models } = make({ tpm: limits.tpm }, { clock });
    const parts = [{ limiter: users, key: "ada" }, { limiter: models, key: "gpt-5" }] as const;
    assert.equal(peekAll(parts, { tokens: 1, concurrent: 2 }).allowed, true);
    assert.equal(takeAll(parts, { tokens: 1, concurrent: 0 }).allowed, true);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => takeAll(parts, { token: 1, concurrent: 0 }), UNKNOWN);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => peekAll(parts, { token: 1 }), UNKNOWN);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => reserveAll(parts, { token: 1 }), UNKNOWN);
    const written = [{ limiter: users, key: "ada" }, { limiter: models, key: "gpt-5" }];
    // @ts-expect-error: an array that may grow has the units of all that may be in it.
    assert.throws(() => reserveAll(written, { token: 1 }), UNKNOWN);
    const reserved = reserveAll(parts, { tokens: 1 });
    assert.ok(reserved.allowed);
    // @ts-expect-error: it is "tokens".
    assert.throws(() => reserved.settle({ token: 1 }), UNKNOWN);
    same<NonNullable<ReturnType<typeof takeAll<typeof parts>>["limit"]>, "live" | "tpm">(true);
  });

  it("may be known at run time only", () => {
    const read: Record<string, LimitDefinition> = JSON.parse(JSON.stringify(limits));
    const { limiter } = make(read);
    const unit: string = "tokens";
    assert.equal(limiter.take("k").allowed, true);
    assert.equal(limiter.take("k", { [unit]: 5 }).allowed, true);
    assert.equal(limiter.takeUpTo("k", { [unit]: 5 }).taken[unit], 5);
    assert.throws(() => limiter.take("k", { token: 1 }), UNKNOWN);
    const { limiter: made } = make({ tpm: rate({ unit, limit: 5, per: "day" }) });
    assert.equal(made.reserve("k", { [unit]: 6 }).allowed, false);
    assert.equal(made.inspect("k").tpm.used, 0);
  });

  it("need not be known where any limiter will do", () => {
    const any = (limiter: RateLimiter, cost: LimiterCost): Decision => limiter.take("k", cost);
    const end = (call: Reservation): void => call.settle();
    const { limiter } = make(limits);
    assert.equal(any(limiter, { tokens: 7 }).allowed, true);
    const reserved = limiter.reserve("k");
    assert.ok(reserved.allowed);
    end(reserved);
    assert.deepEqual([limiter.inspect("k").tpm.used, limiter.inspect("k").rpm.used], [7, 2]);
    const named = (limiter: RateLimiter<Limits<"tpm" | "rpm" | "day">>) => limiter.inspect("k").tpm;
    assert.equal(named(limiter).used, 7);
  });

  it("are those of a key's own limits", () => {
    const { limiter } = make(limits);
    limiter.setLimits("k", { tpm: rate({ unit: "tokens", limit: 5, per: "day" }), rpm: undefined });
    assert.equal(limiter.inspect("k").tpm.capacity, 5);
    const requests = rate({ limit: 5, per: "day" });
    // @ts-expect-error: it is of "requests".
    assert.throws(() => limiter.setLimits("k", { tpm: requests }), /a rate of "tokens"/);
    // @ts-expect-error: there is no such limit.
    assert.throws(() => limiter.setLimits("k", { tpn: requests }), /"tpn", which is not one of/);
    // @ts-expect-error: nor here.
    assert.throws(() => limiter.tighten("k", "tpn", 5), /limit must be one of "rpm"/);
  });
});

const misspelt = { token: 1 };
