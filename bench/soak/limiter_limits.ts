/**
 * The limiters of the soak: one whose hot keys are watched, one that is a ledger.
 *
 * @module
 */
import {
  concurrency,
  type ConcurrencyLimit,
  quota,
  type QuotaLimit,
  rate,
  type RateLimit,
  RateLimiter,
} from "../../mod.ts";

/** The limits that hot and cold keys have. */
export type SoakLimits = {
  readonly requests: RateLimit<"requests">;
  readonly tokens: RateLimit<"tokens">;
  readonly window: QuotaLimit<"tokens">;
  readonly live: ConcurrencyLimit<"concurrent">;
};

/** The units that are watched, in the order of costs. */
export const UNITS = ["requests", "tokens"] as const;

/** Keys whose every window is checked. The last has its limits changed all the time. */
export const KEYS: readonly string[] = ["hot 0", "hot 1", "hot 2", "hot 3", "changing"];
export const CHANGING = 4;
export const LIVE = 6;

/** Cold names, of which there are far more than keys. */
export const NAMES = 20_000;
/** Names that are given limits of their own now and then; such keys are never idle. */
export const TIERED = 64;
export const MAX_KEYS = 1024;
export const TTL_MS = 2000;

/** The most that a call costs of tokens. */
export const MOST_TOKENS = 100;

export const REQUESTS_PER_SECOND = 2000;
export const REQUESTS_BURST = 200;
export const TOKENS_PER_SECOND = 80_000;
export const TOKENS_BURST = 8000;

/** The limits of all keys; `share` makes them smaller. */
export function limitsOf(share = 1): SoakLimits {
  return {
    requests: rate({
      limit: REQUESTS_PER_SECOND * share,
      per: "second",
      burst: REQUESTS_BURST * share,
    }),
    tokens: rate({
      unit: "tokens",
      limit: TOKENS_PER_SECOND * share,
      per: "second",
      burst: TOKENS_BURST * share,
    }),
    window: quota({ unit: "tokens", limit: 60_000 * share, per: "1s" }),
    live: concurrency({ limit: LIVE }),
  };
}

/** The limiter of this isolate whose keys are hot, changing and cold. */
export function openSoak(): RateLimiter<SoakLimits> {
  return new RateLimiter({
    name: "soak",
    limits: limitsOf(),
    maxKeys: MAX_KEYS,
    reservationTtlMs: TTL_MS,
  });
}

/** The key of the ledger. */
export const SUM = "sum";

/** Adds up tokens and refuses none. Its day must not end within a run, so it begins at noon. */
export function openLedger(utcOffset: number): RateLimiter<{ readonly day: QuotaLimit<"tokens"> }> {
  return new RateLimiter({
    name: "soak ledger",
    limits: { day: quota({ unit: "tokens", limit: 1e12, per: "day", utcOffset }) },
    reservationTtlMs: TTL_MS,
  });
}
