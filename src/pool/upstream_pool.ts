/**
 * The upstream pool: leases shared by all Workers of a process.
 *
 * @module
 */
import { UPSTREAM_DRAINING } from "../ffi/symbols.gen.ts";
import { checkKnown } from "../known_options.ts";
import { CeilingShare } from "./ceiling_warning.ts";
import { Leaks } from "../leaks.ts";
import { type Leaked, leakListener } from "./leaks.ts";
import { type Lease, readLeases } from "./lease.ts";
import { type FetchOptions, leasedFetch } from "./leased_fetch.ts";
import type { MakeRequest } from "./made_request.ts";
import { PoolEvents } from "./events.ts";
import { PoolMember } from "./member.ts";
import type {
  AcquireOptions,
  PoolOptions,
  TryAcquireOptions,
  UpstreamChanges,
  UpstreamOptions,
} from "./options.ts";
import {
  ACQUIRE,
  checkCount,
  checkDrain,
  checkId,
  checkMaxInFlight,
  checkPrefer,
  checkPriority,
  checkSignal,
  checkTimeout,
  checkTryAcquire,
  checkWatching,
  packChanges,
  packPool,
  packUpstream,
} from "./settings.ts";
import type { PoolStats } from "./stats.ts";
import { until } from "../until.ts";

/** Leaves pools that nobody closed, unless somebody waits there: whom a lease will reach yet. */
const abandoned = new FinalizationRegistry<PoolMember>((member) => {
  if (member.waiting === 0) member.close();
});

/**
 * Decides, over all Workers of the process, how many requests are in flight to which upstream, who
 * waits and in what order, and which upstream is fit for use.
 *
 * What it hands out are leases, not sockets: `fetch` owns those in Bun and Deno. Objects cannot
 * cross Workers either, so a lease is used where it was acquired; the counts, the line and the
 * health of upstreams are shared by all Workers that open a pool of the same name. What a Worker
 * holds when it ends, also by `terminate()`, comes back by itself.
 *
 * Acquire and release are O(log n) in upstreams and waiters.
 *
 * @example
 * ```ts
 * import { UpstreamPool } from "./mod.ts";
 *
 * using pool = new UpstreamPool({
 *   name: "openai",
 *   upstreams: [{ id: "key-a", maxInFlight: 2, weight: 2 }, { id: "key-b", maxInFlight: 1 }],
 * });
 * await using lease = await pool.acquire({ prefer: "key-a" });
 * console.log(lease.upstream); // key-a
 * ```
 */
export class UpstreamPool implements Disposable {
  /** The name that Workers share it under; a random one if none was given. */
  readonly name: string;
  /** How long a lease lives without {@linkcode Lease.renew}, in milliseconds. */
  readonly leaseTtlMs: number;
  readonly #member: PoolMember;
  readonly #timeoutMs: number;
  readonly #events: PoolEvents | undefined;
  /** Set where leaks are tracked. */
  readonly #leaked: Leaked | undefined;
  readonly #ceiling: CeilingShare;

  /**
   * Opens the pool of that name, or joins it if another Worker has it open; without a name, one of its
   * own. O(upstreams).
   *
   * @throws {SluiceError} `SLUICE_POOL_MISMATCH` if it is open with other options, and what loading
   * the library may throw.
   */
  constructor(options: PoolOptions) {
    const packed = packPool(options);
    const { onEvent, trackLeaks } = checkWatching(options);
    this.name = packed.title;
    this.leaseTtlMs = packed.leaseTtlMs;
    this.#timeoutMs = packed.timeoutMs;
    const member = new PoolMember(this.name, packed);
    this.#member = member;
    const ceiling = new CeilingShare(this.name);
    this.#ceiling = ceiling;
    member.onClose = () => ceiling.leave();
    abandoned.register(this, member, member);
    let events: WeakRef<PoolEvents> | undefined;
    if (onEvent !== undefined) {
      this.#events = new PoolEvents(member, onEvent);
      // Weakly: what the member keeps is kept as long as any of its leases.
      const told = new WeakRef(this.#events);
      member.onFailure = () => told.deref()?.read();
      events = told;
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
   * A lease, as soon as it is this call's turn: at once if one is free, else in order of arrival
   * within `priority`. O(log n).
   *
   * @throws {SluiceError} `SLUICE_ACQUIRE_TIMEOUT`, which is an {@linkcode AcquireTimeoutError} and
   * says what there was to wait for; `SLUICE_QUEUE_FULL`, `SLUICE_POOL_CLOSED`, and
   * `SLUICE_UNKNOWN_UPSTREAM` for a `prefer` that never was; and the signal's reason when it aborts.
   * All of them as rejections.
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
   * Acquires a lease, makes the request for its upstream, fetches it, and holds the lease until the
   * body of the response ends, is cancelled, fails or is aborted; without a body, until the headers.
   * The lease is renewed while somebody waits for the upstream, so a stream may outlast
   * `leaseTtlMs`. If nobody reads on, the request ends with the lease's time: its connection is
   * closed, and who reads later gets `SLUICE_STALE_LEASE`. The garbage collector may end it sooner.
   * So the upstream has no more requests than leases are in use.
   *
   * The response is `fetch`'s own in all but this: its body has no BYOB reader, and the headers of a
   * body that `fetch` has decoded have no `content-encoding` and no `content-length` any more, so that
   * a server can return it. Nothing is buffered;
   * only bodies that are sure to end soon (of failures, or of a known length up to 64 KB) are read
   * ahead.
   *
   * What it tells the pool of an upstream is a function of the cause, `docs/blame.md`: 429, 500 and
   * above with their `Retry-After`, network errors and silences are failures; the mistakes of callers,
   * clients that leave and bodies of requests that break are not. A failed status is told when its
   * body ends.
   *
   * In Bun all `fetch` of a process share a ceiling of 256 requests: a warning comes if the caps of
   * the pools that are open here and have fetched allow more; once in each Worker, since each knows
   * of its own pools only.
   *
   * @throws What {@linkcode UpstreamPool.acquire}, `makeRequest` and `fetch` throw; the signal's
   * reason at any point, also while `makeRequest` is pending; and `SLUICE_STALE_LEASE` if the lease's
   * time runs out before the headers, which `makeRequest` alone can bring about.
   *
   * @example
   * ```ts ignore
   * const response = await pool.fetch(
   *   (key) => new Request("https://api.example/v1/chat", { headers: { authorization: key } }),
   *   { signal: request.signal, headersTimeoutMs: 30_000 },
   * );
   * ```
   */
  async fetch(makeRequest: MakeRequest, options?: FetchOptions): Promise<Response> {
    this.#ceiling.enter(() => this.stats());
    return await leasedFetch(this, makeRequest, options, this.#leaked);
  }

  /**
   * A lease, or null if none is free. Never waits, and never goes ahead of who does. O(log n).
   *
   * @throws {SluiceError} `SLUICE_POOL_CLOSED`, `SLUICE_UNKNOWN_UPSTREAM`.
   */
  tryAcquire(options?: TryAcquireOptions): Lease | null {
    return this.#member.tryAcquire(options === undefined ? undefined : checkTryAcquire(options));
  }

  /**
   * As many leases as are free, `count` at most, in one crossing; without waiting.
   *
   * @throws {SluiceError} `SLUICE_POOL_CLOSED`.
   */
  acquireBatch(count: number, options: TryAcquireOptions = {}): Lease[] {
    return this.#member.acquireBatch(checkCount("count", count), checkTryAcquire(options));
  }

  /**
   * Gives leases back whose requests went well, in one crossing; returns how many were held.
   *
   * @throws {RangeError} if one was not acquired from this object; then none is given back.
   */
  releaseBatch(leases: readonly Lease[]): number {
    return this.#member.releaseBatch(readLeases(leases, this.#member));
  }

  /**
   * Adds an upstream, for all Workers. Who opens the pool later still gives the first options.
   *
   * @throws {SluiceError} `SLUICE_DUPLICATE_UPSTREAM`, `SLUICE_POOL_TOO_LARGE`.
   */
  addUpstream(upstream: UpstreamOptions): void {
    const { id, maxInFlight, weight, tier } = packUpstream("upstream", upstream);
    const { native, handle } = this.#member;
    this.#member.see(
      native.sluice_upstream_add(handle, id, id.length, maxInFlight, weight, tier),
    );
    this.#member.forgetNames(upstream.id);
    this.#ceiling.update(() => this.stats());
  }

  /**
   * Takes an upstream out, for all Workers. Leases of it live on; its id is free at once.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM`.
   */
  removeUpstream(id: string): void {
    const bytes = checkId("id", id);
    const { native, handle } = this.#member;
    this.#member.see(native.sluice_upstream_remove(handle, bytes, bytes.length));
    this.#member.forgetNames();
    this.#ceiling.update(() => this.stats());
  }

  /**
   * Changes an upstream, for all Workers.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM`.
   */
  updateUpstream(id: string, changes: UpstreamChanges): void {
    const bytes = checkId("id", id);
    const settings = packChanges(changes);
    const { native, handle } = this.#member;
    this.#member.unwrap(native.sluice_upstream_find(handle, bytes, bytes.length));
    for (const [setting, value] of settings) this.#change(bytes, setting, value);
    this.#ceiling.update(() => this.stats());
  }

  /** {@linkcode UpstreamPool.updateUpstream} of the weight alone. */
  setWeight(id: string, weight: number): void {
    this.updateUpstream(id, { weight });
  }

  /** How many leases may be in use over all upstreams from now on, for all Workers. */
  setMaxInFlight(maxInFlight: number): void {
    const most = checkMaxInFlight("maxInFlight", maxInFlight);
    this.#member.see(this.#member.native.sluice_pool_resize(this.#member.handle, most));
    this.#ceiling.update(() => this.stats());
  }

  /**
   * Gives no new leases of an upstream to any Worker, and resolves when none is in use.
   * {@linkcode UpstreamPool.resumeUpstream} takes it back.
   *
   * @throws {SluiceError} `SLUICE_UNKNOWN_UPSTREAM`; the signal's reason, which ends the waiting
   * but not the draining.
   */
  async drainUpstream(id: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    const bytes = checkId("id", id);
    const signal = checkDrain(options);
    this.#change(bytes, UPSTREAM_DRAINING, 1);
    await until(signal, () => {
      const upstream = this.stats().upstreams.find((upstream) => upstream.id === id);
      return upstream === undefined || upstream.inFlight === 0;
    });
  }

  /** Gives leases of a drained upstream again. */
  resumeUpstream(id: string): void {
    this.#change(checkId("id", id), UPSTREAM_DRAINING, 0);
  }

  /** What the pool is doing, over all Workers, in one crossing. O(upstreams). */
  stats(): PoolStats {
    return this.#member.stats();
  }

  /**
   * Takes no new leases here (other Workers do), serves who is in line here, and resolves when the
   * last lease of this Worker is back. Then {@linkcode UpstreamPool.close} it.
   *
   * @throws The signal's reason, which ends the waiting but not the draining.
   */
  async drain(options: { signal?: AbortSignal } = {}): Promise<void> {
    await until(
      checkDrain(options),
      () => this.#member.retire() === 0 && this.#member.waiting === 0,
    );
  }

  /**
   * Leaves the pool: who waits here is refused with `SLUICE_POOL_CLOSED`, and so are later calls.
   * Leases that are out stay good until they are given back. Closing again is fine. Other Workers
   * go on; the last one takes the pool along.
   */
  close(): void {
    this.#events?.read();
    this.#events?.stop();
    abandoned.unregister(this.#member);
    this.#member.close();
  }

  /** {@linkcode UpstreamPool.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #change(id: Uint8Array, setting: number, value: number): void {
    const { native, handle } = this.#member;
    this.#member.see(native.sluice_upstream_change(handle, id, id.length, setting, value));
  }
}
