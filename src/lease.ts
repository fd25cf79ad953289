/**
 * A lease: permission for one request to one upstream.
 *
 * @module
 */

/** How a request went that failed. */
export interface Failure {
  /**
   * The HTTP status. Statuses below 500 other than 408, 425 and 429 are no fault of the upstream
   * and count as success; without a status it is a network error.
   */
  readonly status?: number;
  /**
   * How long the upstream asked to be left alone, in milliseconds: it is, from now on, at once.
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

/** Who grants leases and takes them back. */
export interface Lessor {
  /** @ignore */
  settle(lease: Lease, outcome: number, retryAfterMs: number): ReleaseResult;
  /** @ignore */
  renew(lease: Lease): boolean;
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
  /** @ignore */
  readonly id: number;
  readonly #lessor: Lessor;

  /** @ignore Use {@linkcode UpstreamPool.acquire}. */
  constructor(lessor: Lessor, id: number, upstream: string) {
    this.#lessor = lessor;
    this.id = id;
    this.upstream = upstream;
  }

  /**
   * Gives the lease back: the request succeeded, or, with `"unknown"`, nothing is known of how it
   * went (it was aborted by the client). Never throws; of several calls the first counts. O(log n).
   */
  release(_outcome: "ok" | "unknown" = "ok"): ReleaseResult {
    return this.#lessor.settle(this, 0, 0);
  }

  /**
   * Gives the lease back and says that the request failed, which may eject the upstream. With
   * `retryAfterMs` the upstream rests for that long at once. O(log n).
   */
  fail(_failure: Failure = {}): ReleaseResult {
    return this.#lessor.settle(this, 1, 0);
  }

  /**
   * Starts the lease's time (`leaseTtlMs`) anew; for streams, with every part that comes. O(1).
   *
   * @returns Whether the lease is still held; false once given back or expired.
   */
  renew(): boolean {
    return this.#lessor.renew(this);
  }

  /** {@linkcode Lease.release}, for `using`; after `fail` it does nothing. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** {@linkcode Lease.release}, for `await using`; after `fail` it does nothing. */
  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}
