/**
 * How long a response asks to be left alone.
 *
 * @module
 */

/** Longer than any provider means it; what is above is read as this. */
const DAY_MS = 86_400_000;

/**
 * The milliseconds that `retry-after-ms` or `Retry-After` (seconds, or an HTTP date; RFC 9110
 * §10.2.3) ask for, at most a day; undefined if neither is there or can be read. A date that has
 * passed is 0.
 *
 * @param now The wall clock, in milliseconds since 1970; dates are compared with the response's own
 * `Date` if it has one, so that a clock that is off here does no harm.
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const milliseconds = decimal(headers.get("retry-after-ms"));
  if (milliseconds !== undefined) return Math.min(milliseconds, DAY_MS);
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const seconds = decimal(value);
  if (seconds !== undefined) return Math.min(seconds * 1000, DAY_MS);
  const until = httpDate(value);
  if (Number.isNaN(until)) return undefined;
  const sent = httpDate(headers.get("date") ?? "");
  return Math.min(Math.max(0, until - (Number.isNaN(sent) ? now : sent)), DAY_MS);
}

/** A number as providers send it: digits, some with a fraction, none with a sign. */
function decimal(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Milliseconds since 1970; NaN for what begins with no name of a day, as HTTP dates do. */
function httpDate(value: string): number {
  return /^\s*(mon|tue|wed|thu|fri|sat|sun)/i.test(value) ? Date.parse(value) : NaN;
}
