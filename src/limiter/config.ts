/**
 * The encoding of a limiter's options as the native side takes them: an array of numbers, and one of names.
 *
 * @module
 */
import { checkInteger, checkPeriodMs } from "../arguments.ts";
import { show } from "../errors.ts";
import {
  LIMIT_CONCURRENCY,
  LIMIT_FIELD_BURST,
  LIMIT_FIELD_KIND,
  LIMIT_FIELD_LIMIT,
  LIMIT_FIELD_PERIOD,
  LIMIT_FIELD_UNIT,
  LIMIT_FIELD_UTC_OFFSET,
  LIMIT_FIELD_WINDOW_START,
  LIMIT_FIELD_ZONE,
  LIMIT_QUOTA,
  LIMIT_RATE,
  LIMITER_HEADER,
  LIMITER_HEADER_LIMITS,
  LIMITER_HEADER_MAX_KEYS,
  LIMITER_HEADER_RESERVATION_TTL_MS,
  LIMITER_HEADER_UNITS,
  LIMITER_LIMIT,
  MAX_KEYS,
  MAX_LIMITS,
  WINDOW_DAY,
  WINDOW_MONTH,
  WINDOW_WEEK,
  WINDOW_YEAR,
} from "../ffi/symbols.gen.ts";
import { checkMade, startOfYear, WEEKDAYS } from "./limit_checks.ts";
import type { LimitDefinition, Limits, QuotaLimit } from "./limit_definitions.ts";
import { zoneNumber } from "./time_zone.ts";
import { Units } from "./units.ts";

const KINDS = { rate: LIMIT_RATE, quota: LIMIT_QUOTA, concurrency: LIMIT_CONCURRENCY };
const WINDOWS = { day: WINDOW_DAY, week: WINDOW_WEEK, month: WINDOW_MONTH, year: WINDOW_YEAR };

/** What the native side takes to open a limiter. */
export interface LimiterConfig {
  readonly text: string;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly units: Units;
  /** The limits, in the order of their names. */
  readonly limits: readonly LimitDefinition[];
  /** The units that limits of concurrency count. */
  readonly concurrencyUnits: readonly ConcurrencyUnit[];
}

/** A unit that a limit of concurrency counts. */
export interface ConcurrencyUnit {
  /** The name of the limit. */
  readonly limit: string;
  readonly unit: string;
  /** The index of the unit. */
  readonly index: number;
}

/** Checks options and encodes them. */
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
  if (names.length < 1 || names.length > MAX_LIMITS) {
    throw new RangeError(`limits must be 1 to ${MAX_LIMITS} limits, not ${names.length}`);
  }
  const all = names.map((name) => checkDefinition(`limits.${name}`, limits[name]));
  const held = all.filter(({ kind }) => kind === "concurrency").map(({ unit }) => unit);
  const units = new Units([...new Set(all.map(({ unit }) => unit))], new Set(held));
  for (const text of [name, ...names, ...units.names]) {
    if (text.includes("\0")) throw new RangeError(`${show(text)} must not contain a NUL`);
  }
  checkInteger("maxKeys", maxKeys, 1, MAX_KEYS);
  checkPeriodMs("reservationTtlMs", reservationTtlMs);
  const numbers = new Float64Array(
    new ArrayBuffer(8 * (LIMITER_HEADER + LIMITER_LIMIT * all.length)),
  );
  numbers[LIMITER_HEADER_MAX_KEYS] = maxKeys;
  numbers[LIMITER_HEADER_RESERVATION_TTL_MS] = reservationTtlMs;
  numbers[LIMITER_HEADER_LIMITS] = all.length;
  numbers[LIMITER_HEADER_UNITS] = units.names.length;
  numbers.set(limitNumbers(all, units), LIMITER_HEADER);
  const concurrencyUnits = names.flatMap((limit, i) => {
    const { kind, unit } = all[i]!;
    return kind === "concurrency" ? [{ limit, unit, index: units.indexOf(unit) }] : [];
  });
  const text = [name, ...names, ...units.names].join("\0");
  return { text, numbers, units, limits: all, concurrencyUnits };
}

/** Encodes limits, `LIMITER_LIMIT` numbers each. */
export function limitNumbers(
  limits: readonly LimitDefinition[],
  units: Units,
): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(new ArrayBuffer(8 * LIMITER_LIMIT * limits.length));
  limits.forEach((limit, i) => {
    const fields = numbers.subarray(i * LIMITER_LIMIT);
    fields[LIMIT_FIELD_KIND] = KINDS[limit.kind];
    fields[LIMIT_FIELD_UNIT] = units.indexOf(limit.unit);
    fields[LIMIT_FIELD_LIMIT] = limit.limit;
    if (limit.kind === "rate") {
      fields[LIMIT_FIELD_PERIOD] = limit.perMs;
      fields[LIMIT_FIELD_BURST] = limit.burst;
    } else if (limit.kind === "quota") {
      writeWindow(limit, fields);
    }
  });
  return numbers;
}

/** Refuses a value that is not as `rate`, `quota` or `concurrency` make it. */
export function checkDefinition(name: string, limit: unknown): LimitDefinition {
  const kind = (limit as { kind?: unknown } | null | undefined)?.kind;
  if (kind !== "rate" && kind !== "quota" && kind !== "concurrency") {
    throw new TypeError(`${name} must be a rate(), quota() or concurrency(), not ${show(limit)}`);
  }
  checkMade(name, limit as LimitDefinition);
  return limit as LimitDefinition;
}

/** Refuses a limit of a key whose kind, unit or window is not that of the limiter's own limit. */
export function checkLike(name: string, limit: unknown, limits: Limits): void {
  const own = Object.hasOwn(limits, name) ? limits[name] : undefined;
  if (own === undefined) {
    const names = Object.keys(limits).map((name) => show(name)).join(", ");
    throw new RangeError(`limits has ${show(name)}, which is not one of ${names}`);
  }
  if (limit === undefined) return;
  const other = checkDefinition(`limits.${name}`, limit);
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

/** Encodes the length, the start, the offset and the zone of a quota's windows. */
function writeWindow(quota: QuotaLimit, fields: Float64Array): void {
  const { per, utcOffset = 0, timeZone, weekStart = "monday", monthStart = 1 } = quota;
  const start = per === "week"
    ? WEEKDAYS.indexOf(weekStart)
    : per === "month"
    ? monthStart
    : per === "year"
    ? startOfYear("yearStart", quota.yearStart ?? "01-01")
    : 0;
  fields[LIMIT_FIELD_PERIOD] = typeof per === "number" ? per : -WINDOWS[per];
  fields[LIMIT_FIELD_WINDOW_START] = start;
  fields[LIMIT_FIELD_UTC_OFFSET] = utcOffset;
  fields[LIMIT_FIELD_ZONE] = timeZone === undefined ? 0 : zoneNumber(timeZone);
}
