/**
 * How requests fail, and what a failure says about the upstream.
 *
 * @module
 */
import { checkInteger, checkNumber, checkObject } from "../arguments.ts";
import { LEASE_FAILED, LEASE_OK, LEASE_OVERLOADED } from "../ffi/symbols.gen.ts";
import { retryAfterMs } from "../http/retry_after.ts";

/** How a request failed, for {@linkcode Lease.fail}. */
export interface LeaseFailure {
  /**
   * The HTTP status. A status below 500 other than 408, 425 and 429 is not the upstream's fault and counts as
   * success. No status is a network error.
   */
  readonly status?: number | undefined;
  /**
   * The milliseconds for which the upstream asked for no more requests. It rests for that long from now on.
   * More than a day is read as a day.
   */
  readonly retryAfterMs?: number | undefined;
  /** Whether the request timed out. With `adaptive`, a timeout lowers the limit of the upstream. */
  readonly timedOut?: boolean | undefined;
}

/** A failure as it crosses. */
export interface FailureNumbers {
  /** A `LEASE_*` constant. */
  readonly outcome: number;
  readonly restMs: number;
}

/** The longest rest. No provider means a longer one. */
const DAY_MS = 86_400_000;

/** Request timeout, too many requests, gateway timeout, and the "overloaded" of some providers. */
const OVERLOADED: ReadonlySet<number> = new Set([408, 429, 504, 529]);

/**
 * The failure that a response is, or undefined: 429, 500 and above, with their `Retry-After`. 529 is
 * Anthropic's status for overload.
 */
export function failureOf({ status, headers }: Response): LeaseFailure | undefined {
  if (status !== 429 && status < 500) return undefined;
  const rest = retryAfterMs(headers);
  return rest === undefined ? { status } : { status, retryAfterMs: rest };
}

/** A failure, or that of a response: its status, and with 429, 500 and above its `Retry-After`. */
export function failureFrom(failure: LeaseFailure | Response): LeaseFailure {
  if (!(failure instanceof Response)) return failure;
  return failureOf(failure) ?? { status: failure.status };
}

/**
 * Checks a failure and puts it into numbers.
 *
 * @throws {TypeError | RangeError} naming the member that is wrong.
 */
export function readFailure(failure: LeaseFailure): FailureNumbers {
  checkObject("failure", failure);
  const { status, retryAfterMs: asked = 0, timedOut = false } = failure;
  const restMs = Math.min(checkNumber("retryAfterMs", asked, 0, Infinity), DAY_MS);
  const outcome = outcomeOf(status, timedOut);
  return { outcome: restMs > 0 ? LEASE_OVERLOADED : outcome, restMs };
}

function outcomeOf(status: number | undefined, timedOut: boolean): number {
  if (status === undefined) return timedOut ? LEASE_OVERLOADED : LEASE_FAILED;
  checkInteger("status", status, 100, 999);
  if (timedOut || OVERLOADED.has(status)) return LEASE_OVERLOADED;
  return status >= 500 || status === 425 ? LEASE_FAILED : LEASE_OK;
}
