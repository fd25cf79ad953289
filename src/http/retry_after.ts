/**
 * How long a response asks to be left alone.
 *
 * @module
 */
import { decimal, httpDate } from "./field_values.ts";

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
  const seconds = decimal(value);
  if (seconds !== undefined) return Math.min(seconds * 1000, DAY_MS);
  const until = httpDate(value);
  if (until === undefined) return undefined;
  return Math.min(Math.max(0, until - sentAt(headers, now)), DAY_MS);
}

/** When a response was sent: its own `Date`, or `now` if it has none. */
export function sentAt(headers: Headers, now: number): number {
  return httpDate(headers.get("date")) ?? now;
}
