/**
 * What a limiter limits: rates, quotas and concurrency.
 *
 * Limits are plain frozen objects: they can be logged, compared and posted to a Worker.
 *
 * @module
 */
import {
  checkMade,
  checkUnit,
  checkUnits,
  checkWindowPlace,
  PERIODS,
  windowOf,
} from "./limit_checks.ts";
import { checkKnown } from "../known_options.ts";
import { type Duration, periodMs } from "./periods.ts";

/** A rate's period. */
export type Period = "second" | "minute" | "hour" | "day" | Duration;

/** A quota's window: of the calendar, or a duration counted from 1970 on. */
export type Window = "minute" | "hour" | "day" | "week" | "month" | "year" | Duration;

/** A day of the week. */
export type Weekday =
  | "monday"
  | "tuesday"
  | "wednesday"
  | "thursday"
  | "friday"
  | "saturday"
  | "sunday";

/** What {@linkcode rate} takes. */
export interface RateOptions {
  /** What is counted. @default "requests" */
  readonly unit?: string;
  /**
   * So many units come back each period; at most 1e12, in millionths. 0 refuses all that costs any of
   * the unit, `Infinity` admits everything.
   */
  readonly limit: number;
  /** How long a period is: a word or a duration, and never a bare number. */
  readonly per: Period;
  /** The most that can be taken at once, after a rest. @default `limit` */
  readonly burst?: number;
}

/** What {@linkcode quota} takes. */
export interface QuotaOptions {
  /** What is counted. @default "requests" */
  readonly unit?: string;
  /**
   * So many units a window; at most 1e12, in millionths. 0 refuses all that costs any of the unit,
   * `Infinity` counts and admits everything.
   */
  readonly limit: number;
  /** The window: a word or a duration, and never a bare number. */
  readonly per: Window;
  /**
   * Where days begin, by the name of a time zone such as `"Europe/Berlin"`, daylight saving included: for
   * days, weeks, months and years. As the runtime knows it, from 1970 to 2100.
   */
  readonly timeZone?: string;
  /** Where windows begin, as minutes east of UTC (120 for +02:00), all year. @default 0 */
  readonly utcOffset?: number;
  /** The day that weeks begin on. @default "monday" */
  readonly weekStart?: Weekday;
  /** The day that months begin on, such as one of billing; in a shorter month its last. @default 1 */
  readonly monthStart?: number;
  /** The day that years begin on, as `"MM-DD"`; where there is no such day, the month's last. @default "01-01" */
  readonly yearStart?: string;
}

/** What {@linkcode concurrency} takes. */
export interface ConcurrencyOptions<Unit extends string = string> {
  /** What is counted. A reservation costs 1 of it unless it says otherwise. @default "concurrent" */
  readonly unit?: Unit;
  /** So many at a time; 0 refuses all that need a place, `Infinity` none. */
  readonly limit: number;
}

/** A token bucket: see {@linkcode rate}. */
export interface RateLimit {
  /** Which of the three it is. */
  readonly kind: "rate";
  /** What is counted. */
  readonly unit: string;
  /** So many units come back each period. */
  readonly limit: number;
  /** The period in milliseconds. */
  readonly perMs: number;
  /** The most that can be taken at once. */
  readonly burst: number;
}

/** A fixed window: see {@linkcode quota}. */
export interface QuotaLimit {
  /** Which of the three it is. */
  readonly kind: "quota";
  /** What is counted. */
  readonly unit: string;
  /** So many units a window. */
  readonly limit: number;
  /** The window, of the calendar if it is a word, or else its length in milliseconds. */
  readonly per: "day" | "week" | "month" | "year" | number;
  /** Minutes east of UTC; 0 if there is a time zone. */
  readonly utcOffset: number;
  /** The time zone, if it goes by one. */
  readonly timeZone?: string;
  /** The day that a week begins on. */
  readonly weekStart?: Weekday;
  /** The day that a month begins on. */
  readonly monthStart?: number;
  /** The day that a year begins on. */
  readonly yearStart?: string;
}

/** So many at a time: see {@linkcode concurrency}. */
export interface ConcurrencyLimit<Unit extends string = string> {
  /** Which of the three it is. */
  readonly kind: "concurrency";
  /** What is counted. */
  readonly unit: Unit;
  /** So many at a time. */
  readonly limit: number;
}

/** One limit of a limiter. */
export type Limit = RateLimit | QuotaLimit | ConcurrencyLimit;

/** The limits of a limiter, by name. */
export type Limits<Name extends string = string, Kind extends Limit = Limit> = Readonly<
  Record<Name, Kind>
>;

const RATE_OPTIONS = { unit: true, limit: true, per: true, burst: true } as const;
const QUOTA_OPTIONS = {
  unit: true,
  limit: true,
  per: true,
  timeZone: true,
  utcOffset: true,
  weekStart: true,
  monthStart: true,
  yearStart: true,
} as const;
const CONCURRENCY_OPTIONS = { unit: true, limit: true } as const;

/**
 * A rate: `limit` units come back each period, evenly, and up to `burst` can be taken at once.
 *
 * This is a token bucket, kept as the time when it will be full again (GCRA). In any span of time W
 * at most `burst + limit * W / per` units are admitted. So the first period after a rest can show
 * `burst + limit`, which is twice the limit unless `burst` is made smaller: no window edge is
 * needed for that, and no limiter without a log of every request does better.
 *
 * @throws {TypeError} An option is not known or has a wrong type, such as a bare number as `per`.
 * @throws {RangeError} `limit` or `burst` is not 0, from 0.000001 to 1e12, or `Infinity`; `per` is not
 * above 0 and at most 366 days; or `burst` takes more than 36 years to come back.
 */
export function rate(options: RateOptions): RateLimit {
  checkKnown<RateOptions>("the options of rate()", options, RATE_OPTIONS);
  const { unit = "requests", limit, per, burst = limit } = options;
  const made: RateLimit = {
    kind: "rate",
    unit,
    limit: checkUnits("limit", limit),
    perMs: periodMs("per", per, PERIODS),
    burst,
  };
  checkMade("", made);
  return Object.freeze(made);
}

/**
 * A quota: `limit` units in each window of the calendar, all back when the next one begins.
 *
 * What is reserved in one window and settled in the next is charged to the next. Up to twice the
 * limit can be used around the edge of two windows; where that matters, add a {@linkcode rate}.
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
 * @throws {TypeError} An option is not known or has a wrong type, such as a bare number as `per`.
 * @throws {RangeError} `limit` is not 0, from 0.000001 to 1e12, or `Infinity`; `per` is not above 0 and
 * at most 366 days; the runtime has no such time zone; or an option does not go with `per`.
 */
export function quota(options: QuotaOptions): QuotaLimit {
  checkKnown<QuotaOptions>("the options of quota()", options, QUOTA_OPTIONS);
  const { unit = "requests", limit } = options;
  checkUnit("unit", unit);
  checkUnits("limit", limit);
  const per = windowOf("per", options.per);
  return Object.freeze({ kind: "quota", unit, limit, per, ...checkWindowPlace("", per, options) });
}

/**
 * A bound on how many reservations are open at a time. Only {@linkcode RateLimiter.reserve} holds a
 * place: `take` is over when it returns, so it is refused by a limiter that has such a limit, unless it
 * says that it needs no place: `{ concurrent: 0 }`.
 *
 * @throws {TypeError} An option is not known or has a wrong type.
 * @throws {RangeError} `limit` is not 0, from 0.000001 to 1e12, or `Infinity`.
 */
export function concurrency<Unit extends string = "concurrent">(
  options: ConcurrencyOptions<Unit>,
): ConcurrencyLimit<Unit> {
  checkKnown<ConcurrencyOptions>("the options of concurrency()", options, CONCURRENCY_OPTIONS);
  const { unit = "concurrent" as Unit, limit } = options;
  checkUnit("unit", unit);
  return Object.freeze({ kind: "concurrency", unit, limit: checkUnits("limit", limit) });
}
