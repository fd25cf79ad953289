/**
 * A limiter's options as the native side takes them: numbers, and names beside them.
 *
 * @module
 */
import { Units } from "./cost.ts";
import { show } from "../errors.ts";
import {
  LIMIT_CONCURRENCY,
  LIMIT_QUOTA,
  LIMIT_RATE,
  LIMITER_HEADER,
  LIMITER_LIMIT,
  WINDOW_DAY,
  WINDOW_MONTH,
  WINDOW_WEEK,
  WINDOW_YEAR,
} from "../ffi/symbols.gen.ts";
import { checkMade, startOfYear, WEEKDAYS } from "./limit_checks.ts";
import type { Limit, Limits, QuotaLimit } from "./limits.ts";
import { zoneNumber } from "./time_zone.ts";

/** The most limits of a limiter, and of a call over several keys. */
export const MOST_LIMITS = 16;
const MOST_KEYS = 2 ** 30;
const LONGEST_MS = 366 * 864e5;
const WINDOWS = { day: WINDOW_DAY, week: WINDOW_WEEK, month: WINDOW_MONTH, year: WINDOW_YEAR };

/** What the native side is told to open a limiter. */
export interface LimiterConfig {
  readonly text: string;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly units: Units;
  /** The limits of concurrency. */
  readonly places: readonly Place[];
}

/** A limit of concurrency, by its name, and the unit that it counts. */
export interface Place {
  readonly limit: string;
  readonly unit: string;
}

/** Checks options and puts them into numbers. */
export function configure(
  name: string,
  limits: Limits,
  maxKeys: number,
  reservationTtlMs: number,
): LimiterConfig {
  if (typeof limits !== "object" || limits === null) {
    throw new TypeError(`limits must be an object, not ${show(limits)}`);
  }
  const names = Object.keys(limits);
  if (names.length < 1 || names.length > MOST_LIMITS) {
    throw new RangeError(`limits must be 1 to ${MOST_LIMITS} limits, not ${names.length}`);
  }
  const all = names.map((name) => checkLimit(`limits.${name}`, limits[name]));
  const units = new Units([...new Set(all.map(({ unit }) => unit))]);
  for (const text of [name, ...names, ...units.names]) {
    if (text.includes("\0")) throw new RangeError(`${show(text)} must not contain a NUL`);
  }
  checkWhole("maxKeys", maxKeys, MOST_KEYS);
  checkTtl("reservationTtlMs", reservationTtlMs);
  const numbers = new Float64Array(
    new ArrayBuffer(8 * (LIMITER_HEADER + LIMITER_LIMIT * all.length)),
  );
  numbers.set([maxKeys, reservationTtlMs, all.length, units.names.length]);
  numbers.set(limitNumbers(all, units), LIMITER_HEADER);
  const places = names.flatMap((limit, i) =>
    all[i]!.kind === "concurrency" ? [{ limit, unit: all[i]!.unit }] : []
  );
  return { text: [name, ...names, ...units.names].join("\0"), numbers, units, places };
}

/** Limits as numbers. */
export function limitNumbers(limits: readonly Limit[], units: Units): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(new ArrayBuffer(8 * LIMITER_LIMIT * limits.length));
  limits.forEach((limit, i) => {
    const unit = units.place(limit.unit) ?? -1;
    numbers.set(
      limit.kind === "rate"
        ? [LIMIT_RATE, unit, limit.limit, limit.perMs, limit.burst]
        : limit.kind === "quota"
        ? [LIMIT_QUOTA, unit, limit.limit, ...windowNumbers(limit)]
        : [LIMIT_CONCURRENCY, unit, limit.limit],
      i * LIMITER_LIMIT,
    );
  });
  return numbers;
}

/** Refuses what is not as `rate`, `quota` or `concurrency` make it. */
export function checkLimit(name: string, limit: unknown): Limit {
  const kind = (limit as { kind?: unknown } | null | undefined)?.kind;
  if (kind !== "rate" && kind !== "quota" && kind !== "concurrency") {
    throw new TypeError(`${name} must be a rate(), quota() or concurrency(), not ${show(limit)}`);
  }
  checkMade(name, limit as Limit);
  return limit as Limit;
}

/** Refuses other limits for a key that are not like the limiter's. */
export function checkLike(name: string, limit: unknown, limits: Limits): void {
  const own = Object.hasOwn(limits, name) ? limits[name] : undefined;
  if (own === undefined) {
    const names = Object.keys(limits).map((name) => show(name)).join(", ");
    throw new RangeError(`limits has ${show(name)}, which is not one of ${names}`);
  }
  if (limit === undefined) return;
  const other = checkLimit(`limits.${name}`, limit);
  if (other.kind !== own.kind || other.unit !== own.unit) {
    throw new RangeError(
      `limits.${name} must be a ${own.kind} of ${show(own.unit)}, as the limiter has it, not a ` +
        `${other.kind} of ${show(other.unit)}`,
    );
  }
  if (other.kind === "quota" && own.kind === "quota" && other.per !== own.per) {
    throw new RangeError(
      `limits.${name}.per must be ${show(own.per)}, as the limiter has it, not ${show(other.per)}`,
    );
  }
}

/** Milliseconds that a reservation may live. */
export function checkTtl(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= 1e-6 && value <= LONGEST_MS)) {
    throw new RangeError(`${name} must be above 0 and at most 366 days, not ${value}`);
  }
  return value;
}

/** Period, burst, start, offset and zone. */
function windowNumbers(quota: QuotaLimit): number[] {
  const { per, utcOffset = 0, timeZone, weekStart = "monday", monthStart = 1 } = quota;
  const start = per === "week"
    ? WEEKDAYS.indexOf(weekStart)
    : per === "month"
    ? monthStart
    : per === "year"
    ? startOfYear("yearStart", quota.yearStart ?? "01-01")
    : 0;
  const zone = timeZone === undefined ? 0 : zoneNumber(timeZone);
  return [typeof per === "number" ? per : -WINDOWS[per], 0, start, utcOffset, zone];
}

function checkWhole(name: string, value: unknown, most: number): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new RangeError(`${name} must be an integer from 1 to ${most}, not ${value}`);
  }
}
