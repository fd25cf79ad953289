/**
 * Limits of requests, tokens, money and concurrency, shared by all Workers of the process.
 *
 * @example
 * ```ts
 * import { rate, RateLimiter } from "sluice/limiter";
 *
 * const limiter = new RateLimiter({
 *   name: "tenants",
 *   limits: { tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }) },
 * });
 * console.log(limiter.take("tenant-42", { tokens: 1200 }).allowed); // true
 * ```
 *
 * @module
 */
export {
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorDetails,
  type SluiceErrorInit,
} from "../errors.ts";
export type { StatusCode } from "../ffi/symbols.gen.ts";
export type { Cost } from "./cost.ts";
export type { Allowed, Decision, DenialReason, Denied, LimitState } from "./decision.ts";
export { ipKey, type IpKeyOptions } from "./ip_key.ts";
export type { LimiterKey } from "./key.ts";
export type { LimiterKeys } from "./keys.ts";
export {
  concurrency,
  type ConcurrencyLimit,
  type ConcurrencyOptions,
  type Limit,
  type Limits,
  type Period,
  quota,
  type QuotaLimit,
  type QuotaOptions,
  rate,
  type RateLimit,
  type RateOptions,
  type Weekday,
  type Window,
} from "./limits.ts";
export type { LimiterStats, RateLimiterOptions } from "./options.ts";
export type { Duration, DurationParts } from "./periods.ts";
export { RateLimiter } from "./rate_limiter.ts";
export type { Reservation, ReserveOptions } from "./reservation.ts";
export type { TakeCost, Taken, TakeUpToOptions } from "./take.ts";
export { type Part, peekAll, reserveAll, takeAll } from "./together.ts";
export { VirtualClock } from "./virtual_clock.ts";
