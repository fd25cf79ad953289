/**
 * A pool member: the native handle of one `UpstreamPool` object, which acquires leases and takes them back.
 *
 * @module
 */
import { SluiceError, statusError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import { NativeHandle } from "../ffi/native_handle.ts";
import {
  CHORE_MAIL,
  CHORE_RING,
  LEASE_NEWS,
  LEASE_UNKNOWN,
  LEASE_UPSTREAM_SHIFT,
  LEASE_WAITER,
  MAX_UPSTREAMS,
  STATUS_ACQUIRE_TIMEOUT,
  STATUS_INVALID_HANDLE,
} from "../ffi/symbols.gen.ts";
import type { PoolCalls } from "../shared/pool_seam.ts";
import { AcquireTimeoutError } from "./acquire_timeout.ts";
import type { LeaseLeaks } from "./leaks.ts";
import { Lease, type Lessor, type ReleaseResult } from "./lease.ts";
import { Mailbox, type MailboxOwner } from "./mailbox.ts";
import type { PackedPool } from "./settings.ts";
import { readSharing } from "./shared_stats.ts";
import { type PoolStats, StatsReader } from "./stats.ts";
import { UpstreamNames } from "./upstream_names.ts";

/** A member of a pool. Its handle stays open until all of its leases are back. */
export class PoolMember extends NativeHandle implements Lessor, MailboxOwner {
  readonly #name: string;
  #isClosing = false;
  /** Whether the native side closed it, because the program was reloaded: see `ffi/copies.ts`. */
  #isReloaded = false;
  /** Whether it grants no more leases: it is closed, or drained. */
  #isRetired = false;
  readonly #names: UpstreamNames;
  readonly #mailbox: Mailbox;
  readonly #stats = new StatsReader();
  /** The statistics for all requests that time out in this turn of the event loop. */
  #timeoutStats: PoolStats | undefined;
  /** Set if leaks are tracked. */
  leaks: LeaseLeaks | undefined;
  /** Is called after a failure was reported, which may have made an event. */
  onFailure: (() => void) | undefined;
  /** Is called when a request is about to be fetched. */
  onFetch: (() => void) | undefined;
  /** Is called after this member changed how many leases may be in use. */
  onCapsChanged: (() => void) | undefined;
  /** Set if the pool is shared with other processes. */
  sharing: PoolCalls | undefined;
  /** Is called when the member is closed. */
  onClose: (() => void) | undefined;

  /**
   * Opens the pool.
   *
   * @param pollMs See {@linkcode WaitingLine}.
   */
  constructor(name: string, packed: PackedPool, pollMs?: number) {
    super(open(packed), `Pool ${JSON.stringify(name)}`, close);
    this.#name = name;
    this.#names = new UpstreamNames(name, this.handle, packed.upstreams);
    this.#mailbox = new Mailbox(this, pollMs);
  }

  /** The number of queued requests of this member. */
  get waiting(): number {
    return this.#mailbox.size;
  }

  /** Whether it was closed. Leases may still be in use. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** A lease, or null. */
  tryAcquire(prefer: string | undefined): Lease | null {
    const token = this.#token(prefer);
    const id = this.native.sluice_lease_acquire(this.handle, token, 0, -1);
    if (id > 0) return this.grant(id);
    if (id < 0 || this.#isRetired) throw this.#acquireError(id);
    this.sharing?.ask(1);
    return null;
  }

  /** A lease at once, or a promise of one. */
  acquire(
    prefer: string | undefined,
    priority: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Lease | Promise<Lease> {
    const token = this.#token(prefer);
    const id = this.native.sluice_lease_acquire(this.handle, token, priority, timeoutMs);
    if (id < 0) throw this.#acquireError(id);
    if (id < LEASE_WAITER) return this.grant(id);
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + timeoutMs;
      this.#mailbox.add(id, { resolve, reject, deadline, timeoutMs, signal });
      this.sharing?.ask(0);
    });
  }

  /** As many leases as are free, at most `count`. */
  acquireBatch(count: number, prefer: string | undefined): Lease[] {
    const token = this.#token(prefer);
    const ids = new Float64Array(new ArrayBuffer(8 * count));
    const taken = this.native.sluice_lease_acquire_batch(this.handle, token, ids, count);
    if (taken < 0 || this.#isRetired) throw this.#acquireError(taken);
    const leases: Lease[] = [];
    for (let i = 0; i < taken; i++) leases.push(this.grant(ids[i]!));
    if (taken < count) this.sharing?.ask(count - taken);
    return leases;
  }

  /** Gives leases back. Returns how many of them were held. */
  releaseBatch(leases: readonly Lease[]): number {
    const ids = new Float64Array(new ArrayBuffer(8 * leases.length));
    let count = 0;
    for (const lease of leases) {
      const id = Lease.take(lease);
      if (id === 0) continue;
      this.leaks?.forget(lease);
      ids[count++] = id;
    }
    if (count === 0 || this.handle === 0) return 0;
    const result = this.native.sluice_lease_release_batch(this.handle, ids, count);
    if (this.isClosedBy(result)) return 0;
    const held = unwrap(result);
    this.#mailbox.see(CHORE_MAIL | CHORE_RING);
    if (this.#isClosing) this.close();
    return held;
  }

  /** @inheritdoc */
  settle(lease: Lease | undefined, id: number, outcome: number, restMs: number): ReleaseResult {
    const chores = this.native.sluice_lease_release(this.handle, id, outcome, restMs);
    if (lease !== undefined) this.leaks?.forget(lease);
    if (chores !== 0) {
      // A stale id, for whatever reason: the lease is not held any more.
      if (chores < 0) {
        this.isClosedBy(chores);
        return "expired";
      }
      this.#mailbox.see(chores);
    }
    if (outcome > LEASE_UNKNOWN || this.#isClosing) {
      if (this.#isClosing) this.close();
      this.sharing?.ask(0);
      this.onFailure?.();
    }
    return "released";
  }

  /** @inheritdoc */
  renew(id: number): boolean {
    const result = this.native.sluice_lease_renew(this.handle, id);
    // Requests that are in flight when a program is reloaded may finish; their leases are not counted.
    return result === 0 || this.isClosedBy(result) || this.#isReloaded;
  }

  /** @inheritdoc */
  confirm(id: number): boolean {
    const chores = this.native.sluice_lease_confirm(this.handle, id);
    if (chores > 0) this.#mailbox.see(chores);
    this.sharing?.ask(0);
    return chores >= 0;
  }

  /** @inheritdoc */
  giveBack(id: number): void {
    this.settle(undefined, id, LEASE_UNKNOWN, 0);
  }

  /** Gives back a lease that was garbage-collected. Whether it was held. */
  reclaim(id: number): boolean {
    return this.handle !== 0 && this.settle(undefined, id, LEASE_UNKNOWN, 0) === "released";
  }

  /** Does the chores that a native call returned, or throws its error. */
  see(result: number): void {
    this.#mailbox.see(this.unwrap(result));
    this.sharing?.ask(0);
  }

  /** Passes on a result, or throws the error of a negative one. */
  override unwrap(result: number): number {
    if (this.isClosedBy(result)) throw this.closedError();
    return super.unwrap(result);
  }

  /** Grants no more leases. Whether all leases are back and no request is queued. */
  drains(): boolean {
    const leases = this.unwrap(this.native.sluice_pool_retire(this.openHandle));
    this.#isRetired = true;
    return leases === 0 && this.waiting === 0;
  }

  /** Rejects the queued requests, and closes the handle as soon as the last lease is back. */
  override close(): void {
    if (this.handle === 0) return;
    if (!this.#isClosing) this.onClose?.();
    this.#isClosing = this.#isRetired = true;
    this.#mailbox.refuse(() => this.closedError());
    this.sharing?.leave();
    super.close();
  }

  /** The error of a call after the close or the drain. */
  override closedError(): SluiceError {
    const isClosed = this.handle === 0 || this.#isClosing || !this.#isRetired;
    const state = this.#isReloaded
      ? "is closed for this instance of the module, because the program was reloaded"
      : isClosed
      ? "is closed"
      : "is drained and grants no more leases here";
    return new SluiceError("SLUICE_POOL_CLOSED", `Pool ${JSON.stringify(this.#name)} ${state}`);
  }

  /** Forgets the ids of upstreams, which may have changed. @param added An id that was added. */
  forgetNames(added?: string): void {
    this.#names.forget();
    if (added !== undefined) this.#names.meet(added);
  }

  /** The statistics of the pool. */
  stats(): PoolStats {
    const stats = this.#stats.read(this);
    if (this.sharing === undefined) return stats;
    const { shared, upstreams } = readSharing(this, this.sharing, stats.upstreams.length);
    const joined = stats.upstreams.map((upstream, i) => ({ ...upstream, shared: upstreams[i]! }));
    return { ...stats, shared, upstreams: joined };
  }

  /** @inheritdoc */
  isClosedBy(result: number): boolean {
    if (result !== STATUS_INVALID_HANDLE || this.handle === 0) return false;
    this.#isReloaded = true;
    this.close();
    return true;
  }

  /** @inheritdoc */
  grant(granted: number): Lease {
    let id = granted;
    if (id >= LEASE_NEWS) {
      id -= LEASE_NEWS;
      this.#names.forget();
      queueMicrotask(() => this.#mailbox.see(CHORE_MAIL | CHORE_RING));
    }
    const index = (id >>> LEASE_UPSTREAM_SHIFT) & (MAX_UPSTREAMS - 1);
    const upstream = this.#names.id(index);
    const lease = new Lease(this, id, upstream);
    this.sharing?.watch();
    this.leaks?.watch(lease, { id, upstream });
    return lease;
  }

  /** @inheritdoc */
  refusal(status: number, timeoutMs: number): SluiceError {
    if (status !== STATUS_ACQUIRE_TIMEOUT) {
      return statusError(status, `Pool ${JSON.stringify(this.#name)} refused a queued request`);
    }
    // Many requests time out together, so the statistics are read once for all of them.
    this.#timeoutStats ??= this.stats();
    queueMicrotask(() => this.#timeoutStats = undefined);
    return new AcquireTimeoutError(this.#name, timeoutMs, this.#timeoutStats);
  }

  #token(prefer: string | undefined): number {
    return prefer === undefined ? -1 : this.#names.token(prefer);
  }

  /** The error of an acquire that returned no lease. */
  #acquireError(result: number): SluiceError {
    if (this.isClosedBy(result) || this.handle === 0 || this.#isClosing || result >= 0) {
      return this.closedError();
    }
    const pool = `Pool ${JSON.stringify(this.#name)}`;
    try {
      unwrap(result);
    } catch (error) {
      if (error instanceof SluiceError) {
        return new SluiceError(error.code, `${pool}: ${error.message}`);
      }
    }
    return statusError(result, `${pool} refused`);
  }
}

function open({ name, settings, ids }: PackedPool): number {
  const { sluice_pool_open } = native();
  return unwrap(
    sluice_pool_open(name, name.length, settings, settings.length, ids, ids.length),
  );
}

/** Returns how many leases are still in use, which keep the handle open. */
function close(handle: number): number {
  return native().sluice_pool_close(handle);
}
