/**
 * A parser of durations. A bare number is refused, since it does not say its unit.
 *
 * @module
 */
import { checkPeriodMs } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";

/** A duration in parts, which add up: `{ minutes: 1, seconds: 30 }`. */
export interface DurationParts {
  /** Days of 86,400 seconds. */
  readonly days?: number | undefined;
  /** Hours of 3,600 seconds. */
  readonly hours?: number | undefined;
  /** Minutes of 60 seconds. */
  readonly minutes?: number | undefined;
  /** Seconds. */
  readonly seconds?: number | undefined;
  /** Thousandths of a second. */
  readonly milliseconds?: number | undefined;
}

/**
 * A duration: one decimal number and its unit (`"500ms"`, `"60s"`, `"1.5m"`, `"2h"`, `"1d"`), or its parts.
 * `m` is a minute, and `d` is 24 hours.
 */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}` | DurationParts;

const PART_MS: Readonly<Record<keyof DurationParts, number>> = {
  days: 864e5,
  hours: 36e5,
  minutes: 6e4,
  seconds: 1e3,
  milliseconds: 1,
};
const PARTS = {
  days: true,
  hours: true,
  minutes: true,
  seconds: true,
  milliseconds: true,
} as const;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * Returns the milliseconds of a period.
 *
 * @param words The words that stand for periods, with their milliseconds.
 * @throws {TypeError} It is neither a word nor a duration.
 * @throws {RangeError} It is not above 0 and at most 366 days.
 */
export function periodMs(
  name: string,
  period: unknown,
  words: Readonly<Record<string, number>>,
): number {
  if (typeof period === "string") {
    if (Object.hasOwn(words, period)) return words[period]!;
    const [, number, unit] = DURATION.exec(period) ?? [];
    if (unit !== undefined) return checkPeriodMs(name, Number(number) * UNIT_MS[unit]!);
  } else if (typeof period === "object" && period !== null) {
    return checkPeriodMs(name, sum(name, period));
  }
  const isBare = typeof period === "number";
  const known = Object.keys(words).map((word) => JSON.stringify(word)).join(", ");
  throw new TypeError(
    `${name} must be ${known}, or a duration such as "60s" or { seconds: 60 }, not ${
      show(period)
    }` +
      (isBare ? ": a bare number does not say its unit" : ""),
  );
}

function sum(name: string, parts: object): number {
  checkKnown<DurationParts>(`the parts of ${name}`, parts, PARTS);
  let ms = 0;
  for (const [part, value] of Object.entries(parts) as [keyof DurationParts, unknown][]) {
    if (value === undefined) continue;
    if (typeof value !== "number") {
      throw new TypeError(`${name}.${part} must be a number, not ${show(value)}`);
    }
    if (!(value >= 0)) throw new RangeError(`${name}.${part} must not be below 0, not ${value}`);
    ms += value * PART_MS[part];
  }
  return ms;
}
