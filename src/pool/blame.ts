/**
 * A decision table: from the cause that ended a request to what its pool is told about the upstream.
 *
 * Only an upstream's own failures count against it. A caller, its client or the body of a request can end a
 * request, but never eject an upstream; otherwise a client could. `docs/blame.md` has this table for people,
 * and `tests/pool_fetch_blame_test.ts` checks it.
 *
 * @module
 */
import type { LeaseFailure } from "./failure.ts";

/** Why a request that held a lease ended. */
export type Cause =
  /** The body was read to its end, or there was none. */
  | "answered"
  /** Nothing was sent: `makeRequest` or `init` failed, or returned something that is not a request. */
  | "unsent"
  /** The body of the request failed: its stream threw, or the client that sends it disconnected. */
  | "request-body"
  /** The upstream redirects where redirects are not allowed, in a cycle, or without a location. */
  | "redirects"
  /** `classify` failed. */
  | "unclassified"
  /** A signal of the caller aborted. */
  | "aborted"
  /** The body of the response was cancelled. */
  | "left"
  /** The body was not read to its end: it was garbage-collected, or the lease expired. */
  | "unread"
  /** DNS, connection, reset or protocol error, before the headers or in the body. */
  | "network"
  /** The upstream was silent for too long. */
  | "timeout";

/** What a pool is told: success, an unknown outcome, or a failure. */
export type Verdict = "ok" | "unknown" | LeaseFailure;

const VERDICTS: Readonly<Record<Cause, Verdict>> = {
  "answered": "ok",
  // A redirect is a valid answer.
  "redirects": "ok",
  "unsent": "unknown",
  "request-body": "unknown",
  "unclassified": "unknown",
  "aborted": "unknown",
  "left": "unknown",
  "unread": "unknown",
  "network": {},
  "timeout": { timedOut: true },
};

/**
 * What the pool is told of a request that ended by `cause`.
 *
 * @param reported The failure that the headers reported. It takes precedence over the cause.
 */
export function verdict(cause: Cause, reported: LeaseFailure | undefined): Verdict {
  return reported ?? VERDICTS[cause];
}

/** Whether an error, or the reason of a signal, is that of a timeout. */
export function isTimeout(reason: unknown): boolean {
  return (reason as { name?: unknown } | null | undefined)?.name === "TimeoutError";
}
