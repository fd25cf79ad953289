/**
 * Parsers for values of header fields: numbers, durations and dates.
 *
 * The values come from other programs, so no parser throws. A value that cannot be parsed is undefined.
 *
 * @module
 */
import { MAX_AMOUNT, MAX_PERIOD_MS } from "../ffi/symbols.gen.ts";

/** From here on, a bare number is a date and not a delay: 1e9 seconds is 2001, as is 1e12 milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/** A header has `µ` as `Âµ`: each of its two UTF-8 bytes is a character. */
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|Â?µs|ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|Â?µs|ms|s|m|h|d)/g;
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  Âµs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
  d: 864e5,
};

/** A number of digits with an optional fraction, without a sign or an exponent. */
export function decimal(value: string | null | undefined): number | undefined {
  return typeof value === "string" && /^\s*\d+(?:\.\d+)?\s*$/.test(value)
    ? Number(value)
    : undefined;
}

/** An amount of units, from 0 to 1e12. */
export function amount(value: string | undefined): number | undefined {
  const number = decimal(value);
  return number !== undefined && number <= MAX_AMOUNT ? number : undefined;
}

/** Milliseconds of a duration in Go's format, such as `6m0s`, `1.5s`, `120ms` or `1h2m`. */
export function durationMs(value: string): number | undefined {
  if (!DURATION.test(value)) return undefined;
  let sum = 0;
  for (const [, number, unit] of value.matchAll(DURATION_PART)) {
    sum += Number(number) * UNIT_MS[unit!]!;
  }
  return sum;
}

/** A duration in Go's format, rounded up to a millisecond: `20ms`, `1.5s`, `6m0s`, `1h0m0s`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  if (whole > 0 && whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 36e5);
  const minutes = Math.floor(whole % 36e5 / 6e4);
  const seconds = `${whole % 6e4 / 1000}s`;
  return hours > 0
    ? `${hours}h${minutes}m${seconds}`
    : minutes > 0
    ? `${minutes}m${seconds}`
    : seconds;
}

/**
 * An HTTP date (RFC 9110 §5.6.7), in milliseconds since 1970. `Date.parse` reads many other formats, but only an
 * HTTP date starts with the name of a day.
 */
export function httpDate(value: string | null): number | undefined {
  if (value === null || !/^\s*(?:mon|tue|wed|thu|fri|sat|sun)/i.test(value)) return undefined;
  return finite(Date.parse(value));
}

/** A date and time with an offset (RFC 3339), in milliseconds since 1970. */
function rfc3339(value: string): number | undefined {
  const isOne = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(value);
  return isOne ? finite(Date.parse(value)) : undefined;
}

/**
 * The time until a limit is reset, in milliseconds. The value is a duration, a number of seconds, or a date (RFC
 * 3339, HTTP, or seconds or milliseconds since 1970). A date in the past is 0. More than 366 days are undefined.
 *
 * @param sent The time at which the value was sent, in milliseconds since 1970.
 */
export function resetMs(value: string | undefined, sent: number): number | undefined {
  if (value === undefined) return undefined;
  const number = decimal(value);
  const at = number === undefined
    ? rfc3339(value) ?? httpDate(value)
    : number >= EPOCH_MS
    ? number
    : number >= EPOCH_SECONDS
    ? number * 1000
    : undefined;
  const reset = at !== undefined
    ? Math.max(0, at - sent)
    : number !== undefined
    ? number * 1000
    : durationMs(value);
  return reset === undefined ? undefined : withinYear(reset);
}

/** Passes on milliseconds. Undefined if they are more than 366 days, since no limit is longer. */
export function withinYear(milliseconds: number): number | undefined {
  return milliseconds <= MAX_PERIOD_MS ? milliseconds : undefined;
}

function finite(milliseconds: number): number | undefined {
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
