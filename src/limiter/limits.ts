/**
 * Constructors of limits: `rate`, `quota` and `concurrency`.
 *
 * Their units are inferred from `unit` alone. Without `NoInfer` the place where a limit is used would tell the
 * unit, and that of one that names none would be `string`.
 *
 * @module
 */
import {
  checkMade,
  checkOnOutage,
  checkUnit,
  checkUnits,
  checkWindowStart,
  PERIODS,
  windowOf,
} from "./limit_checks.ts";
import { checkKnown } from "../known_options.ts";
import type {
  ConcurrencyLimit,
  ConcurrencyOptions,
  QuotaLimit,
  QuotaOptions,
  RateLimit,
  RateOptions,
} from "./limit_definitions.ts";
import { periodMs } from "./periods.ts";
import type { OnOutage } from "../shared/transport.ts";

const RATE_OPTIONS = { unit: true, limit: true, per: true, burst: true, onOutage: true } as const;
const QUOTA_OPTIONS = {
  unit: true,
  limit: true,
  per: true,
  timeZone: true,
  utcOffset: true,
  weekStart: true,
  monthStart: true,
  yearStart: true,
  onOutage: true,
} as const;
const CONCURRENCY_OPTIONS = { unit: true, limit: true, onOutage: true } as const;

/**
 * Makes a rate. `limit` units come back in each period, evenly, and up to `burst` can be taken at once.
 *
 * A rate is a token bucket, stored as the time at which the bucket will be full (GCRA). In any span of time
 * W it admits at most `burst + limit * W / per` units. So the first period after a pause can admit
 * `burst + limit`, which is twice the limit with the default `burst`. Only a log of every request could do
 * better.
 *
 * @throws {TypeError} An option is unknown or has a wrong type, such as a bare number as `per`.
 * @throws {RangeError} `limit` or `burst` is not 0, from 0.000001 to 1e12, or `Infinity`; `per` is not
 * above 0 and at most 366 days; or `burst` takes more than 36 years to come back.
 */
export function rate<Unit extends string = "requests">(
  options: RateOptions<Unit>,
): RateLimit<NoInfer<Unit>> {
  checkKnown<RateOptions>("the options of rate()", options, RATE_OPTIONS);
  const { unit = "requests" as Unit, limit, per, burst = limit } = options;
  const made: RateLimit<Unit> = {
    kind: "rate",
    unit,
    limit: checkUnits("limit", limit),
    perMs: periodMs("per", per, PERIODS),
    burst,
    ...outageRule(options.onOutage),
  };
  checkMade("", made);
  return Object.freeze(made);
}

/**
 * Makes a quota. It admits `limit` units in each window, and all of them come back when the next window
 * begins.
 *
 * What is reserved in one window and settled in the next is charged to the next. Around the edge of two
 * windows up to twice the limit can be used. Where that matters, add a {@linkcode rate}.
 *
 * @example
 * ```ts
 * import { quota } from "./mod.ts";
 *
 * // From midnight to midnight in Berlin, in summer as in winter.
 * quota({ unit: "tokens", limit: 2_000_000, per: "day", timeZone: "Europe/Berlin" });
 * // From the 31st, or the last day of a month, as a customer is billed.
 * quota({ unit: "usd", limit: 100, per: "month", monthStart: 31 });
 * ```
 *
 * @throws {TypeError} An option is unknown or has a wrong type, such as a bare number as `per`.
 * @throws {RangeError} `limit` is not 0, from 0.000001 to 1e12, or `Infinity`; `per` is not above 0 and
 * at most 366 days; the runtime does not know the time zone; or an option does not go with `per`.
 */
export function quota<Unit extends string = "requests">(
  options: QuotaOptions<Unit>,
): QuotaLimit<NoInfer<Unit>> {
  checkKnown<QuotaOptions>("the options of quota()", options, QUOTA_OPTIONS);
  const { unit = "requests" as Unit, limit } = options;
  checkUnit("unit", unit);
  checkUnits("limit", limit);
  const per = windowOf("per", options.per);
  const start = checkWindowStart("", per, options);
  return Object.freeze({
    kind: "quota",
    unit,
    limit,
    per,
    ...start,
    ...outageRule(options.onOutage),
  });
}

/**
 * Makes a bound on the units that open reservations hold at a time. Only {@linkcode RateLimiter.reserve}
 * holds units. A `take` is over when it returns, so a limiter with such a limit refuses it, unless the call
 * says that it needs none: `{ concurrent: 0 }`.
 *
 * @throws {TypeError} An option is unknown or has a wrong type.
 * @throws {RangeError} `limit` is not 0, from 0.000001 to 1e12, or `Infinity`.
 */
export function concurrency<Unit extends string = "concurrent">(
  options: ConcurrencyOptions<Unit>,
): ConcurrencyLimit<NoInfer<Unit>> {
  checkKnown<ConcurrencyOptions>("the options of concurrency()", options, CONCURRENCY_OPTIONS);
  const { unit = "concurrent" as Unit, limit } = options;
  checkUnit("unit", unit);
  checkUnits("limit", limit);
  return Object.freeze({ kind: "concurrency", unit, limit, ...outageRule(options.onOutage) });
}

/** A limit without a rule has no such property. */
function outageRule(onOutage: OnOutage | undefined): { readonly onOutage?: OnOutage } {
  return onOutage === undefined ? {} : { onOutage: checkOnOutage("onOutage", onOutage) };
}
