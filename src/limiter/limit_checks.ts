/**
 * Validation of limits, of those that are made here and of those that were posted or parsed.
 *
 * @module
 */
import { checkInteger, checkPeriodMs, checkString, checkWord } from "../arguments.ts";
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
import type {
  ConcurrencyLimit,
  LimitDefinition,
  QuotaLimit,
  RateLimit,
  Weekday,
} from "./limit_definitions.ts";
import { periodMs } from "./periods.ts";
import type { OnOutage } from "../shared/transport.ts";
import { checkTimeZone } from "./time_zone.ts";

/** The periods of rates that have a name. */
export const PERIODS = { second: 1e3, minute: 6e4, hour: 36e5, day: 864e5 } as const;
/** The windows that have a name. Negative numbers stand for those of a calendar. */
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

const RATE = {
  kind: true,
  unit: true,
  limit: true,
  perMs: true,
  burst: true,
  onOutage: true,
} as const;
const CONCURRENCY = { kind: true, unit: true, limit: true, onOutage: true } as const;
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
  onOutage: true,
} as const;
const OUTAGES: readonly OnOutage[] = ["share", "closed", "open"];

/** The place and the day at which a quota's windows begin. */
type WindowStart = Omit<QuotaLimit, "kind" | "unit" | "limit" | "per" | "onOutage">;

/** Refuses a limit that is not as `rate`, `quota` and `concurrency` make it. */
export function checkMade(name: string, limit: LimitDefinition): void {
  const what = name === "" ? "a limit" : name;
  const of = name === "" ? "" : `${name}.`;
  if (limit.kind === "rate") checkKnown<RateLimit>(what, limit, RATE);
  else if (limit.kind === "quota") checkKnown<QuotaLimit>(what, limit, QUOTA);
  else checkKnown<ConcurrencyLimit>(what, limit, CONCURRENCY);
  checkUnit(`${of}unit`, limit.unit);
  checkUnits(`${of}limit`, limit.limit);
  if (limit.onOutage !== undefined) checkOnOutage(`${of}onOutage`, limit.onOutage);
  if (limit.kind === "rate") {
    checkPeriodMs(`${of}perMs`, limit.perMs);
    checkUnits(`${of}burst`, limit.burst);
    checkRefill(`${of}burst`, limit);
  }
  if (limit.kind === "quota") {
    const { per } = limit;
    const isOfCalendar = CALENDAR.some((word) => word === per);
    if (typeof per === "number") checkPeriodMs(`${of}per`, per);
    else if (!isOfCalendar) {
      const words = CALENDAR.map((word) => show(word)).join(", ");
      throw new TypeError(`${of}per must be one of ${words} or milliseconds, not ${show(per)}`);
    }
    checkWindowStart(of, per, limit);
  }
}

/** Refuses what is no rule for an outage. */
export function checkOnOutage(name: string, value: unknown): OnOutage {
  return checkWord(name, value, OUTAGES);
}

/** Returns a quota's window as a limit holds it: a word of the calendar, or milliseconds. */
export function windowOf(name: string, per: unknown): QuotaLimit["per"] {
  const ms = periodMs(name, per, WINDOWS);
  return ms > 0 ? ms : CALENDAR.find((word) => WINDOWS[word] === ms)!;
}

/** Checks where and when windows begin, and returns what applies to this kind of window. */
export function checkWindowStart(
  of: string,
  per: QuotaLimit["per"],
  options: { readonly [Key in keyof WindowStart]?: WindowStart[Key] | undefined },
): WindowStart {
  const { timeZone, utcOffset = 0, weekStart, monthStart, yearStart } = options;
  const start: { -readonly [Key in keyof WindowStart]: WindowStart[Key] } = {
    utcOffset: checkOffset(`${of}utcOffset`, utcOffset),
  };
  if (timeZone !== undefined) {
    start.timeZone = checkTimeZone(`${of}timeZone`, timeZone);
    if (typeof per === "number") {
      throw new RangeError(`${of}timeZone is for days, weeks, months and years`);
    }
    if (utcOffset !== 0) {
      throw new RangeError(`${of}utcOffset cannot go with a timeZone, which has its own offsets`);
    }
  }
  const starts = { week: weekStart, month: monthStart, year: yearStart };
  for (const [word, day] of Object.entries(starts)) {
    if (day !== undefined && per !== word) {
      throw new RangeError(`${of}${word}Start is for windows of a ${word}, not ${show(per)}`);
    }
  }
  if (weekStart !== undefined) start.weekStart = checkWeekday(`${of}weekStart`, weekStart);
  if (monthStart !== undefined) {
    start.monthStart = checkInteger(`${of}monthStart`, monthStart, 1, 31);
  }
  if (yearStart !== undefined) {
    startOfYear(`${of}yearStart`, yearStart);
    start.yearStart = yearStart;
  }
  return start;
}

/** Returns 100 times the month, and the day, of `"MM-DD"`. */
export function startOfYear(name: string, value: unknown): number {
  checkString(name, value);
  const [, month, day] = /^(\d\d)-(\d\d)$/.exec(value)?.map(Number) ?? [];
  const last = MONTH_DAYS[(month ?? 0) - 1] ?? 0;
  if (!(day! >= 1 && day! <= last)) {
    throw new RangeError(`${name} must be a day such as "04-06", not ${show(value)}`);
  }
  return 100 * month! + day!;
}

/** Refuses a value that is not the name of a unit. */
export function checkUnit(name: string, unit: unknown): void {
  checkString(name, unit);
  if (unit === "") throw new RangeError(`${name} must not be empty`);
}

/** Refuses a value that is not a number of units that a limit can have. */
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
  // Infinity / Infinity and 0 / 0 are NaN: such a bucket is full at once.
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
      `${name} must be a whole number of minutes from -1440 to 1440, not ${minutes}`,
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
