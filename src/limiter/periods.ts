/**
 * Lengths of time, as limits are told them: never a bare number, which does not say its unit.
 *
 * @module
 */
import { show } from "../errors.ts";
import { MAX_PERIOD_MS, MIN_PERIOD_MS } from "../ffi/symbols.gen.ts";
import { checkKnown } from "../known_options.ts";

/** A length of time in parts, which add up: `{ minutes: 1, seconds: 30 }`. */
export interface DurationParts {
  /** 86,400 seconds each. */
  readonly days?: number;
  /** 3,600 seconds each. */
  readonly hours?: number;
  /** 60 seconds each. */
  readonly minutes?: number;
  /** Seconds. */
  readonly seconds?: number;
  /** Thousandths of a second. */
  readonly milliseconds?: number;
}

/**
 * A length of time: one decimal number and its unit (`"500ms"`, `"60s"`, `"1.5m"`, `"2h"`, `"1d"`), where
 * `m` is a minute and `d` is 24 hours; or its parts.
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
 * The milliseconds of a period.
 *
 * @param words What may stand for a period beside durations.
 */
export function periodMs(
  name: string,
  period: unknown,
  words: Readonly<Record<string, number>>,
): number {
  if (typeof period === "string") {
    if (Object.hasOwn(words, period)) return words[period]!;
    const [, number, unit] = DURATION.exec(period) ?? [];
    if (unit !== undefined) return checkMs(name, Number(number) * UNIT_MS[unit]!);
  } else if (typeof period === "object" && period !== null) {
    return checkMs(name, sum(name, period));
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

/** Passes on milliseconds that a period may have. */
export function checkMs(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= MIN_PERIOD_MS && value <= MAX_PERIOD_MS)) {
    throw new RangeError(
      `${name} must be above 0 and at most 366 days (${MAX_PERIOD_MS} ms), not ${value} ms`,
    );
  }
  return value;
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
