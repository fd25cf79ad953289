/**
 * A lease: permission for one request to one upstream.
 *
 * @module
 */
import { readArray } from "../arguments.ts";
import { show } from "../errors.ts";
import { LEASE_FAILED, LEASE_OK, LEASE_OVERLOADED, LEASE_UNKNOWN } from "../ffi/symbols.gen.ts";
import { failureOf } from "./blame.ts";
import { checkObject, checkTimeout } from "./settings.ts";

/** How a request went that failed. */
export interface Failure {
  /**
   * The HTTP status. Statuses below 500 other than 408, 425 and 429 are no fault of the upstream
   * and count as success; without a status it is a network error.
   */
  readonly status?: number;
  /**
   * How long the upstream asked to be left alone, in milliseconds: it is, from now on, at once. More
   * than a day is read as a day.
   */
  readonly retryAfterMs?: number;
  /** Whether it was the time that ran out. With `adaptive`, a timeout lowers the limit. */
  readonly timedOut?: boolean;
}

/** What became of giving a lease back; only `"released"` had an effect. */
export type ReleaseResult =
  /** The lease is given back. */
  | "released"
  /** It was given back before. */
  | "already-released"
  /** It had outlived its time and was taken back before. */
  | "expired";

/** Longer than any provider means it. */
const DAY_MS = 86_400_000;

/** Who grants leases and takes them back. */
export interface Lessor {
  /** Gives a lease back. */
  settle(lease: Lease, id: number, outcome: number, restMs: number): ReleaseResult;
  /** Starts its time anew. */
  renew(id: number): boolean;
  /** The upstream has begun to answer well. */
  confirm(id: number): boolean;
}

/**
 * Permission for one request to one upstream, given back exactly once. Made by
 * {@linkcode UpstreamPool.acquire} and its kin.
 *
 * A lease belongs to the Worker that acquired it and cannot be sent to another.
 */
export class Lease implements Disposable, AsyncDisposable {
  /** The id of the upstream. */
  readonly upstream: string;
  readonly #lessor: Lessor;
  /** 0 once given back. */
  #id: number;

  /** @ignore Use {@linkcode UpstreamPool.acquire}. */
  constructor(lessor: Lessor, id: number, upstream: string) {
    this.#lessor = lessor;
    this.#id = id;
    this.upstream = upstream;
  }

  /** Whether it was given back already. */
  get released(): boolean {
    return this.#id === 0;
  }

  /**
   * Gives the lease back: the request succeeded, or, with `"unknown"`, nothing is known of how it
   * went (it was aborted by the client). Never throws for a lease that is gone: of several calls
   * the first counts, and the result says so. O(log n).
   */
  release(outcome: "ok" | "unknown" = "ok"): ReleaseResult {
    if (outcome !== "ok" && outcome !== "unknown") {
      throw new TypeError(`outcome must be "ok" or "unknown", not ${show(outcome)}`);
    }
    return this.#settle(outcome === "ok" ? LEASE_OK : LEASE_UNKNOWN, 0);
  }

  /**
   * Gives the lease back and says that the request failed, which may eject the upstream. With
   * `retryAfterMs` the upstream rests for that long at once. Of a `Response` its status counts, and
   * with 429, 500 and above its `Retry-After`. O(log n).
   */
  fail(failure: Failure | Response = {}): ReleaseResult {
    const { outcome, restMs } = readFailure(failureFrom(failure));
    return this.#settle(outcome, restMs);
  }

  /**
   * Starts the lease's time (`leaseTtlMs`) anew; for streams, with every part that comes. O(1).
   *
   * @returns Whether the lease is still held; false once given back or expired.
   */
  renew(): boolean {
    return this.#id !== 0 && this.#lessor.renew(this.#id);
  }

  /**
   * Says that the upstream has begun to answer well, long before a stream is at its end. It matters
   * if this lease is the one that probes an upstream after an ejection or a rest: others need not
   * wait for the end of it then. {@linkcode UpstreamPool.fetch} does it by itself. O(log n).
   *
   * @returns Whether the lease is still held; false once given back or expired.
   */
  confirm(): boolean {
    return this.#id !== 0 && this.#lessor.confirm(this.#id);
  }

  /** {@linkcode Lease.release}, for `using`; after `fail` it does nothing. */
  [Symbol.dispose](): void {
    this.#settle(LEASE_OK, 0);
  }

  /** {@linkcode Lease.release}, for `await using`; after `fail` it does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#settle(LEASE_OK, 0);
    return Promise.resolve();
  }

  /** @ignore Whether it is one, and not only of that prototype. */
  static isLease(value: unknown): value is Lease {
    return typeof value === "object" && value !== null && #lessor in value;
  }

  /** @ignore Whether `lessor` granted it. */
  static isOf(lease: Lease, lessor: Lessor): boolean {
    return lease.#lessor === lessor;
  }

  /** @ignore The id, for batches; gives up the lease on this side. */
  static take(lease: Lease): number {
    const id = lease.#id;
    lease.#id = 0;
    return id;
  }

  #settle(outcome: number, restMs: number): ReleaseResult {
    const id = this.#id;
    if (id === 0) return "already-released";
    this.#id = 0;
    return this.#lessor.settle(this, id, outcome, restMs);
  }
}

/**
 * The leases of a caller's array. Refuses what is no lease of `lessor`: ids are unique within a pool only,
 * and another's would give back what somebody uses here.
 */
export function readLeases(leases: readonly Lease[], lessor: Lessor): Lease[] {
  return readArray("leases", leases, (lease, i) => {
    if (!Lease.isLease(lease)) {
      throw new TypeError(`leases[${i}] must be a Lease, not ${show(lease)}`);
    }
    if (!Lease.isOf(lease, lessor)) {
      throw new RangeError(
        `leases[${i}] is a lease of another pool, or of another object of this one`,
      );
    }
    return lease;
  });
}

/** Of a response its status, and with 429, 500 and above its `Retry-After`. */
export function failureFrom(failure: Failure | Response): Failure {
  if (!(failure instanceof Response)) return failure;
  return failureOf(failure) ?? { status: failure.status };
}

/**
 * What a failure comes to: its outcome, and the rest that the upstream asked for.
 *
 * @throws {TypeError | RangeError} naming what of it is wrong.
 */
export function readFailure(failure: Failure): { outcome: number; restMs: number } {
  checkObject("failure", failure);
  const restMs = Math.min(checkTimeout("retryAfterMs", failure.retryAfterMs ?? 0), DAY_MS);
  const outcome = outcomeOf(failure);
  return { outcome: restMs > 0 ? LEASE_OVERLOADED : outcome, restMs };
}

/** What a failure means for the upstream. */
function outcomeOf({ status, timedOut = false }: Failure): number {
  if (status === undefined) return timedOut ? LEASE_OVERLOADED : LEASE_FAILED;
  if (typeof status !== "number") {
    throw new TypeError(`status must be a number, not ${show(status)}`);
  }
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`status must be a whole number from 100 to 999, not ${status}`);
  }
  if (timedOut || OVERLOADED.has(status)) return LEASE_OVERLOADED;
  return status >= 500 || status === 425 ? LEASE_FAILED : LEASE_OK;
}

/** Request timeout, too many requests, gateway timeout, and the "overloaded" of some providers. */
const OVERLOADED: ReadonlySet<number> = new Set([408, 429, 504, 529]);
