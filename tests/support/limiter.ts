/**
 * Limiters for tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  concurrency,
  type ConcurrencyLimit,
  type Denied,
  type Limit,
  type Limits,
  quota,
  type QuotaLimit,
  rate,
  type RateLimit,
  RateLimiter,
  VirtualClock,
} from "../../mod.ts";

/** Passes a wrong type where the compiler would not let it. */
// deno-lint-ignore no-explicit-any
export const any = (value: unknown): any => value;

/** Test files may share a process, and so the names of its limiters. */
const run = crypto.randomUUID();
let made = 0;
/** A limiter of its own, on a clock of its own unless told otherwise. */
export function make<Name extends string, Kind extends Limit>(
  limits: Limits<Name, Kind>,
  { clock = new VirtualClock(), maxKeys = 1000 }: { clock?: VirtualClock; maxKeys?: number } = {},
): { limiter: RateLimiter<Name, Kind>; clock: VirtualClock } {
  made++;
  return {
    limiter: new RateLimiter({ name: `test ${run} ${made}`, limits, clock, maxKeys }),
    clock,
  };
}

/** Limits as a tenant of a gateway may have them. */
export const tenant: Limits<"rpm" | "tpm" | "day", RateLimit | QuotaLimit> = {
  rpm: rate({ unit: "requests", limit: 600, per: "minute", burst: 60 }),
  tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
  day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
};

/** And so many at a time. */
export const guarded: Limits<
  "rpm" | "tpm" | "day" | "live",
  RateLimit | QuotaLimit | ConcurrencyLimit<"concurrent">
> = { ...tenant, live: concurrency({ limit: 8 }) };

/** A decision that must be a refusal. */
export function refused<Name extends string>(decision: { allowed: boolean }): Denied<Name> {
  assert.equal(decision.allowed, false);
  return decision as Denied<Name>;
}
