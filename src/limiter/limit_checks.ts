/**
 * Checks on limits, as they are made and as they come from elsewhere.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { show } from "../errors.ts";
import {
  MAX_AMOUNT,
  MAX_REFILL_MS,
  MAX_UTC_OFFSET_MINUTES,
  MIN_AMOUNT,
  WINDOW_DAY,
  WINDOW_MONTH,
  WINDOW_WEEK,
  WINDOW_YEAR,
} from "../ffi/symbols.gen.ts";
import { checkKnown } from "../known_options.ts";
import type { ConcurrencyLimit, Limit, QuotaLimit, RateLimit, Weekday } from "./limits.ts";
import { checkMs, periodMs } from "./periods.ts";
import { checkTimeZone } from "./time_zone.ts";

/** The periods of rates that have a name. */
export const PERIODS = { second: 1e3, minute: 6e4, hour: 36e5, day: 864e5 } as const;
/** Windows that have a name; those of a calendar are told from durations by their sign. */
const WINDOWS = {
  minute: 6e4,
  hour: 36e5,
  day: -WINDOW_DAY,
  week: -WINDOW_WEEK,
  month: -WINDOW_MONTH,
  year: -WINDOW_YEAR,
} as const;
const CALENDAR = ["day", "week", "month", "year"] as const;
/** The days of a week, in the order of their numbers. */
export const WEEKDAYS: readonly Weekday[] = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
];
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const RATE = { kind: true, unit: true, limit: true, perMs: true, burst: true } as const;
const CONCURRENCY = { kind: true, unit: true, limit: true } as const;
const QUOTA = {
  kind: true,
  unit: true,
  limit: true,
  per: true,
  utcOffset: true,
  timeZone: true,
  weekStart: true,
  monthStart: true,
  yearStart: true,
} as const;

/** Where and when a quota's windows begin. */
type WindowPlace = Omit<QuotaLimit, "kind" | "unit" | "limit" | "per">;

/** Refuses what is not as `rate`, `quota` and `concurrency` make it; posted and parsed ones are. */
export function checkMade(name: string, limit: Limit): void {
  const what = name === "" ? "a limit" : name;
  const of = name === "" ? "" : `${name}.`;
  if (limit.kind === "rate") checkKnown<RateLimit>(what, limit, RATE);
  else if (limit.kind === "quota") checkKnown<QuotaLimit>(what, limit, QUOTA);
  else checkKnown<ConcurrencyLimit>(what, limit, CONCURRENCY);
  checkUnit(`${of}unit`, limit.unit);
  checkUnits(`${of}limit`, limit.limit);
  if (limit.kind === "rate") {
    checkMs(`${of}perMs`, limit.perMs);
    checkUnits(`${of}burst`, limit.burst);
    checkRefill(`${of}burst`, limit);
  }
  if (limit.kind === "quota") {
    const { per } = limit;
    const isDay = CALENDAR.some((word) => word === per);
    if (typeof per === "number") checkMs(`${of}per`, per);
    else if (!isDay) {
      const words = CALENDAR.map((word) => show(word)).join(", ");
      throw new TypeError(`${of}per must be one of ${words} or milliseconds, not ${show(per)}`);
    }
    checkWindowPlace(of, per, limit);
  }
}

/** A quota's window as a made limit has it. */
export function windowOf(name: string, per: unknown): QuotaLimit["per"] {
  const ms = periodMs(name, per, WINDOWS);
  return ms > 0 ? ms : CALENDAR.find((word) => WINDOWS[word] === ms)!;
}

/** Where and when windows begin: those of the options that say it, which must go with the window. */
export function checkWindowPlace(
  of: string,
  per: QuotaLimit["per"],
  options: Partial<WindowPlace>,
): WindowPlace {
  const { timeZone, utcOffset = 0, weekStart, monthStart, yearStart } = options;
  const place: { -readonly [Key in keyof WindowPlace]: WindowPlace[Key] } = {
    utcOffset: checkOffset(`${of}utcOffset`, utcOffset),
  };
  if (timeZone !== undefined) {
    place.timeZone = checkTimeZone(`${of}timeZone`, timeZone);
    if (typeof per === "number") {
      throw new RangeError(`${of}timeZone is for days, weeks, months and years`);
    }
    if (utcOffset !== 0) {
      throw new RangeError(`${of}utcOffset cannot go with a timeZone, which has its own offsets`);
    }
  }
  const starts = { week: weekStart, month: monthStart, year: yearStart };
  for (const [word, start] of Object.entries(starts)) {
    if (start !== undefined && per !== word) {
      throw new RangeError(`${of}${word}Start is for windows of a ${word}, not ${show(per)}`);
    }
  }
  if (weekStart !== undefined) place.weekStart = checkWeekday(`${of}weekStart`, weekStart);
  if (monthStart !== undefined) place.monthStart = checkDay(`${of}monthStart`, monthStart, 31);
  if (yearStart !== undefined) {
    startOfYear(`${of}yearStart`, yearStart);
    place.yearStart = yearStart;
  }
  return place;
}

/** 100 times the month, and the day, of `"MM-DD"`. */
export function startOfYear(name: string, value: unknown): number {
  checkString(name, value);
  const [, month, day] = /^(\d\d)-(\d\d)$/.exec(value)?.map(Number) ?? [];
  const last = MONTH_DAYS[(month ?? 0) - 1] ?? 0;
  if (!(day! >= 1 && day! <= last)) {
    throw new RangeError(`${name} must be a day such as "04-06", not ${show(value)}`);
  }
  return 100 * month! + day!;
}

/** Refuses what is no unit. */
export function checkUnit(name: string, unit: unknown): void {
  checkString(name, unit);
  if (unit === "") throw new RangeError(`${name} must not be empty`);
}

/** Refuses what is no limit. */
export function checkUnits(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value === 0 || value === Infinity || value >= MIN_AMOUNT && value <= MAX_AMOUNT)) {
    throw new RangeError(
      `${name} must be 0, from 0.000001 to 1e12, or Infinity, not ${value}`,
    );
  }
  return value;
}

function checkRefill(name: string, { limit, burst, perMs }: RateLimit): void {
  // Infinity in Infinity, and nothing of nothing, are there at once.
  if (burst / limit * perMs > MAX_REFILL_MS) {
    throw new RangeError(
      `${name} must come back within 36 years, but ${burst} at ${limit} in ${perMs} ms does not`,
    );
  }
}

function checkOffset(name: string, minutes: unknown): number {
  if (typeof minutes !== "number") {
    throw new TypeError(`${name} must be a number of minutes, not ${show(minutes)}`);
  }
  if (!Number.isInteger(minutes) || Math.abs(minutes) > MAX_UTC_OFFSET_MINUTES) {
    throw new RangeError(
      `${name} must be a whole number of minutes from -${MAX_UTC_OFFSET_MINUTES} to ` +
        `${MAX_UTC_OFFSET_MINUTES}, not ${minutes}`,
    );
  }
  return minutes;
}

function checkWeekday(name: string, value: unknown): Weekday {
  checkString(name, value);
  const day = WEEKDAYS.find((day) => day === value);
  if (day === undefined) {
    const days = WEEKDAYS.map((day) => show(day)).join(", ");
    throw new RangeError(`${name} must be one of ${days}, not ${show(value)}`);
  }
  return day;
}

function checkDay(name: string, value: unknown, last: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!Number.isInteger(value) || value < 1 || value > last) {
    throw new RangeError(`${name} must be an integer from 1 to ${last}, not ${value}`);
  }
  return value;
}
