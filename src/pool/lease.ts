/**
 * A lease: permission for one request to one upstream, given back exactly once.
 *
 * @module
 */
import { readArray } from "../arguments.ts";
import { show } from "../errors.ts";
import { LEASE_OK, LEASE_UNKNOWN } from "../ffi/symbols.gen.ts";
import { failureFrom, type LeaseFailure, readFailure } from "./failure.ts";

/** The result of giving a lease back. Only `"released"` had an effect. */
export type ReleaseResult =
  /** The lease is given back. */
  | "released"
  /** It was given back before. */
  | "already-released"
  /** It had expired, so the pool had taken it back. */
  | "expired";

/** The part of a pool that leases call. */
export interface Lessor {
  /** Gives a lease back. */
  settle(lease: Lease, id: number, outcome: number, restMs: number): ReleaseResult;
  /** Restarts its time to live. Whether it is still held. */
  renew(id: number): boolean;
  /** Reports that the upstream has started to answer well. Whether the lease is still held. */
  confirm(id: number): boolean;
}

/**
 * Permission for one request to one upstream, given back exactly once. Made by
 * {@linkcode UpstreamPool.acquire} and similar methods.
 *
 * A lease belongs to the Worker that acquired it and cannot be sent to another Worker.
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

  /** Whether it was given back. */
  get released(): boolean {
    return this.#id === 0;
  }

  /**
   * Gives the lease back: the request succeeded, or, with `"unknown"`, its outcome is not known, as after an
   * abort by the client. Does not throw for a lease that is gone: only the first call has an effect, and the
   * result says which it was. O(log n).
   */
  release(outcome: "ok" | "unknown" = "ok"): ReleaseResult {
    if (outcome !== "ok" && outcome !== "unknown") {
      throw new TypeError(`outcome must be "ok" or "unknown", not ${show(outcome)}`);
    }
    return this.#settle(outcome === "ok" ? LEASE_OK : LEASE_UNKNOWN, 0);
  }

  /**
   * Gives the lease back and reports that the request failed, which may eject the upstream. With
   * `retryAfterMs` the upstream rests for that long from now on. A `Response` stands for its status and, with
   * 429, 500 and above, its `Retry-After`. O(log n).
   */
  fail(failure: LeaseFailure | Response = {}): ReleaseResult {
    const { outcome, restMs } = readFailure(failureFrom(failure));
    return this.#settle(outcome, restMs);
  }

  /**
   * Restarts the lease's time to live, `leaseTtlMs`. Call it for every part of a stream. O(1).
   *
   * @returns Whether the lease is still held; false once given back or expired.
   */
  renew(): boolean {
    return this.#id !== 0 && this.#lessor.renew(this.#id);
  }

  /**
   * Reports that the upstream has started to answer well, long before the end of a stream. This matters if the
   * lease probes an upstream after an ejection or a rest: the upstream is back in use at once then.
   * {@linkcode UpstreamPool.fetch} does this by itself. O(log n).
   *
   * @returns Whether the lease is still held; false once given back or expired.
   */
  confirm(): boolean {
    return this.#id !== 0 && this.#lessor.confirm(this.#id);
  }

  /** {@linkcode Lease.release}, for `using`. Has no effect after `fail`. */
  [Symbol.dispose](): void {
    this.#settle(LEASE_OK, 0);
  }

  /** {@linkcode Lease.release}, for `await using`. Has no effect after `fail`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#settle(LEASE_OK, 0);
    return Promise.resolve();
  }

  /** @ignore Whether it is a lease, and does not only have the prototype of one. */
  static isLease(value: unknown): value is Lease {
    return typeof value === "object" && value !== null && #lessor in value;
  }

  /** @ignore Whether `lessor` granted it. */
  static isOf(lease: Lease, lessor: Lessor): boolean {
    return lease.#lessor === lessor;
  }

  /** @ignore The id, for batches. The lease is given back as far as this object knows. */
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
 * The leases of a caller's array. Refuses leases of other pools: ids are unique within a pool only, so the id
 * of another pool could release a lease that is in use here.
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
