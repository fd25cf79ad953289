/**
 * What a limiter limits: rates, quotas and concurrency.
 *
 * Limits are plain frozen objects: they can be logged, compared and posted to a Worker.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { show } from "../errors.ts";

/** A rate's period: a unit of time, or milliseconds. */
export type Period = "second" | "minute" | "hour" | "day" | number;

/** A quota's window: of the calendar, or so many milliseconds counted from 1970 on. */
export type Window = "minute" | "hour" | "day" | "week" | "month" | number;

/** What {@linkcode rate} takes. */
export interface RateOptions {
  /** What is counted. @default "requests" */
  readonly unit?: string;
  /** So many units come back each period; at most 1e12, in millionths. */
  readonly limit: number;
  /** How long a period is. */
  readonly per: Period;
  /** The most that can be taken at once, after a rest. @default `limit` */
  readonly burst?: number;
}

/** What {@linkcode quota} takes. */
export interface QuotaOptions {
  /** What is counted. @default "requests" */
  readonly unit?: string;
  /** So many units a window; at most 1e12, in millionths. */
  readonly limit: number;
  /** The window. Weeks begin on Monday. */
  readonly per: Window;
  /** Where the day begins, as minutes east of UTC (120 for +02:00). No daylight saving. @default 0 */
  readonly utcOffset?: number;
}

/** What {@linkcode concurrency} takes. */
export interface ConcurrencyOptions {
  /** What is counted. A reservation costs 1 of it unless it says otherwise. @default "concurrent" */
  readonly unit?: string;
  /** So many at a time. */
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
  /** The window, or its length in milliseconds. */
  readonly per: Window;
  /** Minutes east of UTC. */
  readonly utcOffset: number;
}

/** So many at a time: see {@linkcode concurrency}. */
export interface ConcurrencyLimit {
  /** Which of the three it is. */
  readonly kind: "concurrency";
  /** What is counted. */
  readonly unit: string;
  /** So many at a time. */
  readonly limit: number;
}

/** One limit of a limiter. */
export type Limit = RateLimit | QuotaLimit | ConcurrencyLimit;

/** The limits of a limiter, by name. */
export type Limits<Name extends string = string> = Readonly<Record<Name, Limit>>;

/** The most units that a limit may be, so that millionths of them stay exact integers of 64 bits. */
const MOST_UNITS = 1e12;
const PERIODS = { second: 1e3, minute: 6e4, hour: 36e5, day: 864e5 } as const;
const WINDOWS = ["minute", "hour", "day", "week", "month"];
/** 36 years: more would not stay exact in 64 bits of nanoseconds. */
const LONGEST_REFILL_MS = 1.15e12;
/** 366 days. */
const LONGEST_MS = 366 * 864e5;

/**
 * A rate: `limit` units come back each period, evenly, and up to `burst` can be taken at once.
 *
 * This is a token bucket, kept as the time when it will be full again (GCRA). In any span of time W
 * at most `burst + limit * W / per` units are admitted. So the first period after a rest can show
 * `burst + limit`, which is twice the limit unless `burst` is made smaller: no window edge is
 * needed for that, and no limiter without a log of every request does better.
 *
 * @throws {RangeError} `limit` or `burst` is not above 0 and at most 1e12, or `per` is not above 0
 * and at most 366 days, or `burst` takes more than 36 years to come back.
 */
export function rate(options: RateOptions): RateLimit {
  checkOptions("rate", options);
  const { unit = "requests", limit, per, burst = limit } = options;
  const perMs = typeof per === "string" && per in PERIODS ? PERIODS[per] : per;
  if (typeof perMs !== "number") {
    throw new TypeError(
      `per must be "second", "minute", "hour", "day" or milliseconds, not ${show(per)}`,
    );
  }
  const made: RateLimit = {
    kind: "rate",
    unit: checkUnit("unit", unit),
    limit: checkUnits("limit", limit),
    perMs: checkMs("per", perMs),
    burst: checkUnits("burst", burst),
  };
  checkRefill("burst", made);
  return Object.freeze(made);
}

/**
 * A quota: `limit` units in each window of the calendar, all back when the next one begins.
 *
 * What is reserved in one window and settled in the next is charged to the next. Up to twice the
 * limit can be used around the edge of two windows; where that matters, add a {@linkcode rate}.
 *
 * @throws {RangeError} `limit` is not above 0 and at most 1e12, or `per` is not above 0 and at most
 * 366 days, or `utcOffset` is not a whole number of minutes from -1440 to 1440.
 */
export function quota(options: QuotaOptions): QuotaLimit {
  checkOptions("quota", options);
  const { unit = "requests", limit, per, utcOffset = 0 } = options;
  return Object.freeze({
    kind: "quota",
    unit: checkUnit("unit", unit),
    limit: checkUnits("limit", limit),
    per: checkWindow("per", per),
    utcOffset: checkOffset("utcOffset", utcOffset),
  });
}

/**
 * A bound on how many reservations are open at a time. Only {@linkcode RateLimiter.reserve} holds a
 * place; a `take` is over when it returns, so it is refused while all places are taken and holds none.
 *
 * @throws {RangeError} `limit` is not above 0 and at most 1e12.
 */
export function concurrency(options: ConcurrencyOptions): ConcurrencyLimit {
  checkOptions("concurrency", options);
  const { unit = "concurrent", limit } = options;
  return Object.freeze({
    kind: "concurrency",
    unit: checkUnit("unit", unit),
    limit: checkUnits("limit", limit),
  });
}

/** Refuses what is not as `rate`, `quota` and `concurrency` make it; posted and parsed ones are. */
export function checkMade(name: string, limit: Limit): void {
  checkUnit(`${name}.unit`, limit.unit);
  checkUnits(`${name}.limit`, limit.limit);
  if (limit.kind === "rate") {
    checkMs(`${name}.perMs`, limit.perMs);
    checkUnits(`${name}.burst`, limit.burst);
    checkRefill(`${name}.burst`, limit);
  }
  if (limit.kind === "quota") {
    checkWindow(`${name}.per`, limit.per);
    checkOffset(`${name}.utcOffset`, limit.utcOffset);
  }
}

function checkOptions(name: string, options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options of ${name}() must be an object, not ${show(options)}`);
  }
}

function checkUnit(name: string, unit: unknown): string {
  checkString(name, unit);
  if (unit === "") throw new RangeError(`${name} must not be empty`);
  return unit;
}

function checkRefill(name: string, { limit, burst, perMs }: RateLimit): void {
  if (burst / limit * perMs > LONGEST_REFILL_MS) {
    throw new RangeError(
      `${name} must come back within 36 years, but ${burst} at ${limit} in ${perMs} ms does not`,
    );
  }
}

function checkWindow(name: string, per: Window): Window {
  if (typeof per === "number") return checkMs(name, per);
  if (!WINDOWS.includes(per)) {
    const names = WINDOWS.map((name) => JSON.stringify(name)).join(", ");
    throw new TypeError(`${name} must be one of ${names} or milliseconds, not ${show(per)}`);
  }
  return per;
}

function checkOffset(name: string, minutes: unknown): number {
  if (typeof minutes !== "number") {
    throw new TypeError(`${name} must be a number of minutes, not ${show(minutes)}`);
  }
  if (!Number.isInteger(minutes) || Math.abs(minutes) > 1440) {
    throw new RangeError(
      `${name} must be a whole number of minutes from -1440 to 1440, not ${minutes}`,
    );
  }
  return minutes;
}

function checkUnits(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= 1e-6 && value <= MOST_UNITS)) {
    throw new RangeError(`${name} must be from 0.000001 to 1e12, not ${value}`);
  }
  return value;
}

function checkMs(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= 1e-6 && value <= LONGEST_MS)) {
    throw new RangeError(
      `${name} must be above 0 and at most 366 days (${LONGEST_MS} ms), not ${value}`,
    );
  }
  return value;
}
