/**
 * A parser for `Retry-After` and `retry-after-ms`.
 *
 * @module
 */
import { decimal, httpDate } from "./field_values.ts";

/** The longest wait. No provider means a longer one. */
const DAY_MS = 86_400_000;

/**
 * The wait that `retry-after-ms` or `Retry-After` (seconds, or an HTTP date; RFC 9110 §10.2.3) asks for, in
 * milliseconds, at most a day. Undefined if there is neither, or neither can be parsed. A date in the past is 0.
 *
 * @param now The wall clock, in milliseconds since 1970. Dates are compared with the `Date` of the response if
 * it has one, so that a wrong local clock does no harm.
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

/** When a response was sent: its `Date`, or `now` if it has none. */
export function sentAt(headers: Headers, now: number): number {
  return httpDate(headers.get("date")) ?? now;
}
