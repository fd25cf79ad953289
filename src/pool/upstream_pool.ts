/**
 * The upstream pool: a concurrency limiter and load balancer whose leases all Workers of a process share.
 *
 * @module
 */
import { cancelFinalizer, closeWhenCollected } from "../ffi/native_handle.ts";
import { checkKnown } from "../known_options.ts";
import { Leaks } from "../leaks.ts";
import { until } from "../until.ts";
import { watchCeiling } from "./ceiling_warning.ts";
import { PoolEvents } from "./events.ts";
import { type EventSink, type Leaked, leakListener } from "./leaks.ts";
import { type Lease, readLeases } from "./lease.ts";
import { leasedFetch, type PoolFetchOptions } from "./leased_fetch.ts";
import type { MakeRequest } from "./made_request.ts";
import { PoolMember } from "./member.ts";
import type {
  AcquireOptions,
  DrainOptions,
  PoolOptions,
  TryAcquireOptions,
  UpstreamChanges,
  UpstreamOptions,
} from "./options.ts";
import {
  ACQUIRE,
  checkCount,
  checkDrain,
  checkPrefer,
  checkPriority,
  checkSignal,
  checkTimeout,
  checkTryAcquire,
  checkWatching,
  packPool,
} from "./settings.ts";
import type { PoolStats } from "./stats.ts";
import { UpstreamSet } from "./upstream_set.ts";

/**
 * Decides, for all Workers of the process, how many requests are in flight to which upstream, in what order
 * queued requests are served, and which upstreams are healthy.
 *
 * It grants leases, not sockets: the sockets belong to the `fetch` of the runtime. Objects cannot be sent to
 * another Worker either, so a lease is used where it was acquired. Counts, queue and health are shared by all
 * Workers that open a pool of the same name. The leases of a Worker that ends, even by `terminate()`, are
 * taken back.
 *
 * Acquire and release are O(log n) in upstreams and queued requests.
 *
 * @example
 * ```ts
 * import { UpstreamPool } from "./mod.ts";
 *
 * await using pool = new UpstreamPool({
 *   name: "openai",
 *   upstreams: [{ id: "key-a", maxInFlight: 2, weight: 2 }, { id: "key-b", maxInFlight: 1 }],
 * });
 * await using lease = await pool.acquire({ prefer: "key-a" });
 * console.log(lease.upstream); // key-a
 * ```
 */
export class UpstreamPool implements Disposable, AsyncDisposable {
  /** The name under which Workers share it; a random one if none was given. */
  readonly name: string;
  /** The time to live of a lease without {@linkcode Lease.renew}, in milliseconds. */
  readonly leaseTtlMs: number;
  readonly #member: PoolMember;
  readonly #upstreams: UpstreamSet;
  readonly #timeoutMs: number;
  readonly #events: PoolEvents | undefined;
  /** Set if leaks are tracked. */
  readonly #leaked: Leaked | undefined;

  /**
   * Opens the pool of a name, or joins it if another Worker has it open. Without a name, opens one of its own.
   * O(upstreams).
   *
   * @throws {SluiceError} `SLUICE_POOL_MISMATCH` if it is open with other options, and the errors of loading
   * the library.
   */
  constructor(options: PoolOptions) {
    const packed = packPool(options);
    const { onEvent, trackLeaks } = checkWatching(options);
    this.name = packed.title;
    this.leaseTtlMs = packed.leaseTtlMs;
    this.#timeoutMs = packed.timeoutMs;
    const member = new PoolMember(this.name, packed);
    this.#member = member;
    const { shared } = options;
    if (shared !== undefined) member.sharing = shared.servePool(member, this.name);
    this.#upstreams = new UpstreamSet(member);
    watchCeiling(this.name, member);
    closeWhenCollected(this, leaver(member));
    let events: WeakRef<EventSink> | undefined;
    if (onEvent !== undefined) {
      this.#events = new PoolEvents(member, onEvent);
      // Weakly, because the member lives as long as any of its leases.
      const weakly = new WeakRef(this.#events);
      member.onFailure = () => weakly.deref()?.read();
      events = weakly;
    }
    if (trackLeaks) {
      const leaked = leakListener(this.name, events);
      this.#leaked = leaked;
      member.leaks = new Leaks(({ id, upstream, stack }) => {
        if (member.reclaim(id)) leaked(upstream, stack);
      });
    }
  }

  /**
   * A lease: at once if one is free, otherwise when it is this request's turn, which is the order of arrival
   * within `priority`. O(log n).
   *
   * @throws {SluiceError} `SLUICE_ACQUIRE_TIMEOUT`, an {@linkcode AcquireTimeoutError} with the state of the
   * pool; `SLUICE_QUEUE_FULL`; `SLUICE_POOL_CLOSED`; `SLUICE_UNKNOWN_UPSTREAM` for a `prefer` that the pool
   * never had; and the reason of the signal when it aborts. All errors are rejections.
   */
  acquire(options: AcquireOptions = {}): Promise<Lease> {
    try {
      checkKnown<AcquireOptions>("options", options, ACQUIRE);
      const prefer = checkPrefer(options);
      const { priority = 0, timeoutMs = this.#timeoutMs } = options;
      const signal = checkSignal(options);
      signal?.throwIfAborted();
      checkPriority("priority", priority);
      checkTimeout("timeoutMs", timeoutMs);
      return Promise.resolve(this.#member.acquire(prefer, priority, timeoutMs, signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Acquires a lease, makes the request for its upstream, fetches it, and holds the lease until the body of
   * the response ends, is cancelled, fails or is aborted; without a body, until the headers.
   *
   * The lease is renewed while the caller waits for the upstream, so a stream may take longer than
   * `leaseTtlMs`. If the caller stops reading, the request ends when the lease expires: the connection is
   * closed, and later reads fail with `SLUICE_STALE_LEASE`. The garbage collector may end it earlier. So an
   * upstream never has more requests than leases in use.
   *
   * The response differs from that of `fetch` in two ways: its body has no BYOB reader, and if `fetch` has
   * decoded the body, the headers have no `content-encoding` and no `content-length`, so that a server can
   * return it. The body is not buffered. Only bodies that end soon (of failures, or of a known length of up to
   * 64 KB) are read ahead.
   *
   * What the pool is told about the upstream depends on the cause, see `docs/blame.md`: 429, 500 and above
   * with their `Retry-After`, network errors and timeouts are failures. Errors of the caller, clients that
   * disconnect and request bodies that break are not. A failed status is reported when its body ends.
   *
   * In Bun all `fetch` calls of a process share a ceiling of 256 requests. A process warning is emitted if the
   * pools that have fetched in this Worker allow more; once per Worker, because each knows its own pools only.
   *
   * @throws The errors of {@linkcode UpstreamPool.acquire}, of `makeRequest` and of `fetch`; the reason of the
   * signal at any time, even while `makeRequest` is pending; and `SLUICE_STALE_LEASE` if the lease expires
   * before the request is sent, because `makeRequest` took too long.
   *
   * @example
   * ```ts ignore
   * const response = await pool.fetch(
   *   (key) => new Request("https://api.example/v1/chat", { headers: { authorization: key } }),
   *   { signal: request.signal, headersTimeoutMs: 30_000 },
   * );
   * ```
   */
  async fetch(makeRequest: MakeRequest, options?: PoolFetchOptions): Promise<Response> {
    this.#member.onFetch?.();
    return await leasedFetch(this, makeRequest, options, this.#leaked);
  }

  /**
   * A lease, or null if none is free. Never waits, and never overtakes a queued request. O(log n).
   *
   * @throws {SluiceError} `SLUICE_POOL_CLOSED`, `SLUICE_UNKNOWN_UPSTREAM`.
   */
  tryAcquire(options?: TryAcquireOptions): Lease | null {
    return this.#member.tryAcquire(options === undefined ? undefined : checkTryAcquire(options));
  }

  /**
   * As many leases as are free, at most `count`, in one crossing and without waiting. O(count · log n).
   *
   * @throws {SluiceError} `SLUICE_POOL_CLOSED`, `SLUICE_UNKNOWN_UPSTREAM`.
   */
  acquireBatch(count: number, options: TryAcquireOptions = {}): Lease[] {
    return this.#member.acquireBatch(checkCount("count", count), checkTryAcquire(options));
  }

  /**
   * Gives back leases of successful requests in one crossing. Returns how many of them were held.
   *
   * @throws {RangeError} If one was not acquired from this object. Then none is given back.
   */
  releaseBatch(leases: readonly Lease[]): number {
    return this.#member.releaseBatch(readLeases(leases, this.#member));
  }

  /**
   * Adds an upstream, for all Workers. Workers that open the pool later still pass its first options.
   *
   * @throws {SluiceError} `SLUICE_DUPLICATE_UPSTREAM`, `SLUICE_POOL_TOO_LARGE`.
   */
  addUpstream(upstream: UpstreamOptions): void {
    this.#upstreams.add(upstream);
  }

  /**
   * Removes an upstream, for all Workers. Leases of it stay valid, and its id can be used again at once.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM`.
   */
  removeUpstream(id: string): void {
    this.#upstreams.remove(id);
  }

  /**
   * Changes an upstream, for all Workers.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM`.
   */
  updateUpstream(id: string, changes: UpstreamChanges): void {
    this.#upstreams.update(id, changes);
  }

  /** {@linkcode UpstreamPool.updateUpstream} of the weight alone. */
  setWeight(id: string, weight: number): void {
    this.#upstreams.update(id, { weight });
  }

  /** Changes how many leases of all upstreams together may be in use, for all Workers. */
  setMaxInFlight(maxInFlight: number): void {
    this.#upstreams.resize(maxInFlight);
  }

  /**
   * Grants no more leases of an upstream to any Worker, and resolves when none is in use.
   * {@linkcode UpstreamPool.resumeUpstream} takes this back.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM`; and the reason of the signal, which ends the wait but not
   * the draining.
   */
  async drainUpstream(id: string, options: DrainOptions = {}): Promise<void> {
    await this.#upstreams.drain(id, checkDrain(options));
  }

  /** Grants leases of a drained upstream again. */
  resumeUpstream(id: string): void {
    this.#upstreams.resume(id);
  }

  /** A snapshot of the pool, over all Workers, in one crossing. O(upstreams). */
  stats(): PoolStats {
    return this.#member.stats();
  }

  /**
   * Stops granting leases to new requests of this object, serves its queued requests, and resolves when its
   * last lease is back. Other Workers are not affected. The pool stays open, for {@linkcode UpstreamPool.stats}.
   *
   * @throws {SluiceError} `SLUICE_POOL_CLOSED`; and the reason of the signal, which ends the wait but not the
   * draining.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    await until(checkDrain(options), () => this.#member.drains());
  }

  /**
   * Closes gracefully, as undici's `close` and an HTTP server do: {@linkcode UpstreamPool.drain}, then
   * {@linkcode UpstreamPool.destroy}. Without leases and queued requests it is closed when this returns.
   * Closing again has no effect.
   *
   * @throws The reason of the signal, which ends the wait and leaves the pool draining.
   */
  async close(options: DrainOptions = {}): Promise<void> {
    const signal = checkDrain(options);
    const member = this.#member;
    const isDrained = () => member.isClosing || member.handle === 0 || member.drains();
    if (!isDrained()) await until(signal, isDrained);
    this.destroy();
    await member.sharing?.settled();
  }

  /**
   * Leaves the pool at once: queued requests of this object are rejected with `SLUICE_POOL_CLOSED`, and so are
   * later calls. Leases in use stay valid until they are given back. Other Workers are not affected; the last
   * one that leaves takes the pool with it. Calling it again has no effect.
   */
  destroy(): void {
    this.#events?.read();
    this.#events?.stop();
    cancelFinalizer(this);
    this.#member.close();
  }

  /** {@linkcode UpstreamPool.destroy}, for `using`, which cannot wait. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** {@linkcode UpstreamPool.close}, for `await using`: waits for the leases of this object. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Leaves a pool whose object was collected, unless requests are queued that will still be granted a lease. */
function leaver(member: PoolMember): () => void {
  return () => {
    if (member.waiting === 0) member.close();
  };
}
