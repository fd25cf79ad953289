/**
 * The limiters of the soak: one with hot keys that are watched, and one that serves as a ledger.
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

/** The watched units, in the order of costs. */
export const UNITS = ["requests", "tokens"] as const;

/** Keys of which every window is checked. The limits of the last one change all the time. */
export const KEYS: readonly string[] = ["hot 0", "hot 1", "hot 2", "hot 3", "changing"];
export const CHANGING = 4;
export const LIVE = 6;

/** Cold names: far more than the limiter has room for. */
export const NAMES = 20_000;
/** Names that get limits of their own at times; such keys are never idle. */
export const TIERED = 64;
export const MAX_KEYS = 1024;
export const TTL_MS = 2000;

/** The highest cost of a call, in tokens. */
export const MOST_TOKENS = 100;

export const REQUESTS_PER_SECOND = 2000;
export const REQUESTS_BURST = 200;
export const TOKENS_PER_SECOND = 80_000;
export const TOKENS_BURST = 8000;

/** The limits of all keys, scaled by `share`. */
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

/** Opens the limiter with hot, changing and cold keys in this isolate. */
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

/** Sums tokens and refuses none. Its day begins at noon, so that it does not end during a run. */
export function openLedger(utcOffset: number): RateLimiter<{ readonly day: QuotaLimit<"tokens"> }> {
  return new RateLimiter({
    name: "soak ledger",
    limits: { day: quota({ unit: "tokens", limit: 1e12, per: "day", utcOffset }) },
    reservationTtlMs: TTL_MS,
  });
}
