/**
 * The table of blame: why a request ended, and what its pool is told of the upstream.
 *
 * Only an upstream's own failures count against it. Whatever a caller, its client or a request's body
 * does may end a request and never take an upstream out of use, or anybody could. `docs/blame.md` is
 * this table for people, and `tests/pool_fetch_blame_test.ts` is it for machines.
 *
 * @module
 */
import { retryAfterMs } from "../http/retry_after.ts";
import type { Failure } from "./lease.ts";

/** Why a request that held a lease ended. */
export type Cause =
  /** The body was read to its end, or there was none. */
  | "answered"
  /** Nothing was sent: `makeRequest` or `init` failed, or what they made is no request. */
  | "unsent"
  /** The request's own body failed: its stream threw, or the client that sent it left. */
  | "request-body"
  /** The upstream redirects where that is not allowed, or in circles, or to nowhere. */
  | "redirects"
  /** `classify` failed. */
  | "unclassified"
  /** A signal of the caller's aborted. */
  | "aborted"
  /** The body was cancelled. */
  | "left"
  /** Nobody read the body to its end: the garbage collector found it, or the lease's time ran out. */
  | "unread"
  /** No name, no connection, a reset, no HTTP; before the headers or in the body. */
  | "network"
  /** Too long a silence of the upstream's. */
  | "timeout";

/** What a pool is told: that it went well, that nothing is known, or how it failed. */
export type Verdict = "ok" | "unknown" | Failure;

const VERDICTS: Readonly<Record<Cause, Verdict>> = {
  "answered": "ok",
  // An answer all the same.
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
 * @param said What the headers said of the upstream, if it was bad: that stands, however the rest went.
 */
export function verdict(cause: Cause, said: Failure | undefined): Verdict {
  return said ?? VERDICTS[cause];
}

/** 429 and 500 and above, with their `Retry-After`; 529 is how Anthropic says that it is overloaded. */
export function failureOf({ status, headers }: Response): Failure | undefined {
  if (status !== 429 && status < 500) return undefined;
  const rest = retryAfterMs(headers);
  return rest === undefined ? { status } : { status, retryAfterMs: rest };
}

/** Whether an error or a signal's reason is that of a timeout. */
export function isTimeout(reason: unknown): boolean {
  return (reason as { name?: unknown } | null | undefined)?.name === "TimeoutError";
}
