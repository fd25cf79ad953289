/**
 * Limits of requests, tokens, money and concurrency, shared by all Workers of the process, and with other processes
 * through `sluice/shared`.
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
export type { LimiterCost, TakeCost } from "./cost.ts";
export type { Allowed, Decision, DenialReason, Denied, LimitState } from "./decision.ts";
export { ipKey, type IpKeyOptions } from "./ip_key.ts";
export type { LimiterKey } from "./key.ts";
export type {
  ConcurrencyLimit,
  ConcurrencyOptions,
  ConcurrencyUnitsOf,
  LimitDefinition,
  LimitNamesOf,
  Limits,
  QuotaLimit,
  QuotaOptions,
  QuotaWindow,
  RateLimit,
  RateOptions,
  RatePeriod,
  UnitsOf,
  Weekday,
} from "./limit_definitions.ts";
export { concurrency, quota, rate } from "./limits.ts";
export type { LimiterStats, RateLimiterOptions } from "./options.ts";
export type { Duration, DurationParts } from "./periods.ts";
export { RateLimiter } from "./rate_limiter.ts";
export type { RateLimiterBase } from "./rate_limiter_base.ts";
export type { SharedLimiterBase } from "./shared_base.ts";
export type {
  SharedCallOptions,
  SharedReserveOptions,
  SharedTakeArguments,
} from "./shared_calls.ts";
export type {
  DecisionSource,
  SharedAllowed,
  SharedDecision,
  SharedDenied,
} from "./shared_decision.ts";
export type { SharedReservation } from "./shared_reservation.ts";
export type { SharedLimitState, SharedStats } from "./shared_stats.ts";
export type { SharedStore } from "./shared_store.ts";
export { reserveAllShared, takeAllShared } from "./together_shared.ts";
export type { OnOutage, SharedMode, SharedSettings, SharedTransport } from "../shared/transport.ts";
export type { RawLimiter } from "./raw.ts";
export type { Reservation, ReserveOptions } from "./reservation.ts";
export type { TakeUpToOptions, TakeUpToResult } from "./take_up_to.ts";
export {
  type LimiterPart,
  type LimitNamesOfParts,
  type LimitsOfParts,
  peekAll,
  reserveAll,
  takeAll,
  type UnitsOfParts,
} from "./together.ts";
export { VirtualClock } from "./virtual_clock.ts";
