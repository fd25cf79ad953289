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

/** Test files may share a process, and with it the names of limiters. */
const run = crypto.randomUUID();
let made = 0;
/** Makes a limiter with a name of its own and, by default, a clock of its own. */
export function make<L extends Limits>(
  limits: L,
  { clock = new VirtualClock(), maxKeys = 1000 }: { clock?: VirtualClock; maxKeys?: number } = {},
): { limiter: RateLimiter<L>; clock: VirtualClock } {
  made++;
  return {
    limiter: new RateLimiter({ name: `test ${run} ${made}`, limits, clock, maxKeys }),
    clock,
  };
}

/** The types of {@linkcode tenant}. */
export type Tenant = {
  readonly rpm: RateLimit<"requests">;
  readonly tpm: RateLimit<"tokens">;
  readonly day: QuotaLimit<"tokens">;
};

/** Limits as a tenant of a gateway may have them. */
export const tenant: Tenant = {
  rpm: rate({ unit: "requests", limit: 600, per: "minute", burst: 60 }),
  tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
  day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
};

/** The same limits, and one of concurrency. */
export const guarded: Tenant & { readonly live: ConcurrencyLimit<"concurrent"> } = {
  ...tenant,
  live: concurrency({ limit: 8 }),
};

/** Returns a decision that must be a refusal. */
export function refused<Name extends string>(decision: { allowed: boolean }): Denied<Name> {
  assert.equal(decision.allowed, false);
  return decision as Denied<Name>;
}
