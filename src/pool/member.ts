/**
 * This Worker's part in a pool: a native handle, the promises of who waits here, and the chores
 * that a native call leaves (mail to collect, others to wake).
 *
 * @module
 */
import { Bell, ring } from "./bell.ts";
import { AcquireTimeoutError } from "./acquire_timeout.ts";
import { SluiceError, statusError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import type { Native } from "../ffi/native.ts";
import {
  ANSWER_LEASE,
  ANSWER_WAITER,
  ANSWERS as ANSWER_NUMBERS,
  CHORE_BELL,
  CHORE_MAIL,
  CHORE_RING,
  CHORES,
  LEASE_NEWS,
  LEASE_UNKNOWN,
  LEASE_UPSTREAM_SHIFT,
  LEASE_WAITER,
  MAX_UPSTREAMS,
  STATUS_ACQUIRE_TIMEOUT,
  STATUS_INVALID_HANDLE,
} from "../ffi/symbols.gen.ts";
import { Lease, type Lessor, type ReleaseResult } from "./lease.ts";
import type { LeaseLeaks } from "./leaks.ts";
import type { PackedPool } from "./settings.ts";
import { type PoolStats, StatsReader } from "./stats.ts";
import { UpstreamNames } from "./upstream_names.ts";
import { WaitingLine } from "./waiting_line.ts";

/** Answers that are collected in one crossing. */
const ANSWERS = 64;

/** A member of a pool. */
export class PoolMember implements Lessor {
  readonly native: Native = native();
  readonly #name: string;
  /** 0 once closed. */
  #handle: number;
  #isClosing = false;
  /** Whether this side learned from the native one that it is closed. */
  #isLeft = false;
  /** Whether it takes no new leases: it is closed, or drained. */
  #isLeaving = false;
  readonly #names: UpstreamNames;
  readonly #line: WaitingLine<Lease>;
  readonly #bell = new Bell();
  readonly #stats = new StatsReader();
  readonly #answers = new Float64Array(new ArrayBuffer(8 * ANSWER_NUMBERS * ANSWERS));
  /** What those were told who were late in this turn. */
  #seen: PoolStats | undefined;
  /** Set where leaks are tracked. */
  leaks: LeaseLeaks | undefined;
  /** Called after a failure was told, which may have made an event. */
  onFailure: (() => void) | undefined;
  /** Called when it is closed. */
  onClose: (() => void) | undefined;

  /**
   * Opens the pool.
   *
   * @param pollMs See {@linkcode WaitingLine}.
   */
  constructor(name: string, packed: PackedPool, pollMs?: number) {
    const { name: bytes, settings, ids, upstreams } = packed;
    this.#name = name;
    this.#handle = unwrap(
      this.native.sluice_pool_open(bytes, bytes.length, settings, settings.length, ids, ids.length),
    );
    this.#names = new UpstreamNames(name, this.#handle, upstreams);
    this.#line = new WaitingLine(
      () => this.collect(),
      (place) => this.#see(this.native.sluice_waiter_cancel(this.#handle, place)),
      pollMs,
    );
  }

  /** The native handle; throws once closed. */
  get handle(): number {
    if (this.#handle === 0) throw this.closed();
    return this.#handle;
  }

  /** How many wait here. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Whether it was closed, perhaps with leases still out. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** A lease, or null. */
  tryAcquire(prefer: string | undefined): Lease | null {
    const token = prefer === undefined ? -1 : this.#names.token(prefer);
    const id = this.native.sluice_lease_acquire(this.#handle, token, 0, -1);
    if (id > 0) return this.#lease(id);
    if (id < 0 || this.#isLeaving) throw this.#refusal(id);
    return null;
  }

  /** A lease, now or later. */
  acquire(
    prefer: string | undefined,
    priority: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Lease | Promise<Lease> {
    const token = prefer === undefined ? -1 : this.#names.token(prefer);
    const id = this.native.sluice_lease_acquire(this.#handle, token, priority, timeoutMs);
    if (id < 0) throw this.#refusal(id);
    if (id < LEASE_WAITER) return this.#lease(id);
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + timeoutMs;
      this.#line.add(id, { resolve, reject, deadline, timeoutMs, signal });
      // Armed, then looked, then asleep: what comes in between is in the mailbox or rings.
      this.collect();
    });
  }

  /** As many leases as are free, `count` at most. */
  acquireBatch(count: number, prefer: string | undefined): Lease[] {
    const token = prefer === undefined ? -1 : this.#names.token(prefer);
    const ids = new Float64Array(new ArrayBuffer(8 * count));
    const taken = this.native.sluice_lease_acquire_batch(this.#handle, token, ids, count);
    if (taken < 0 || this.#isLeaving) throw this.#refusal(taken);
    const leases: Lease[] = [];
    for (let i = 0; i < taken; i++) leases.push(this.#lease(ids[i]!));
    return leases;
  }

  /** Gives leases back; returns how many were held. */
  releaseBatch(leases: readonly Lease[]): number {
    const ids = new Float64Array(new ArrayBuffer(8 * leases.length));
    let count = 0;
    for (const lease of leases) {
      const id = Lease.take(lease);
      if (id === 0) continue;
      this.leaks?.forget(lease);
      ids[count++] = id;
    }
    if (count === 0 || this.#handle === 0) return 0;
    const result = this.native.sluice_lease_release_batch(this.#handle, ids, count);
    if (this.#leaves(result)) return 0;
    const held = unwrap(result);
    this.#see(CHORE_MAIL | CHORE_RING);
    if (this.#isClosing) this.close();
    return held;
  }

  /** @inheritdoc */
  settle(lease: Lease | undefined, id: number, outcome: number, restMs: number): ReleaseResult {
    const chores = this.native.sluice_lease_release(this.#handle, id, outcome, restMs);
    if (lease !== undefined) this.leaks?.forget(lease);
    if (chores !== 0) {
      // Stale, whatever the reason: it is not this side's any more.
      if (chores < 0) {
        this.#leaves(chores);
        return "expired";
      }
      this.#see(chores);
    }
    if (outcome > LEASE_UNKNOWN || this.#isClosing) {
      if (this.#isClosing) this.close();
      this.onFailure?.();
    }
    return "released";
  }

  /** @inheritdoc */
  renew(id: number): boolean {
    const result = this.native.sluice_lease_renew(this.#handle, id);
    // What is under way when a program is loaded anew may finish, and nobody counts it any more.
    return result === 0 || this.#leaves(result) || this.#isLeft;
  }

  /** @inheritdoc */
  confirm(id: number): boolean {
    const chores = this.native.sluice_lease_confirm(this.#handle, id);
    if (chores > 0) this.#see(chores);
    return chores >= 0;
  }

  /** Collects the answers that wait, and sleeps if somebody waits still. */
  collect(): void {
    let result: number;
    do {
      if (this.#handle === 0) return;
      this.#bell.arm();
      const room = this.#answers.length;
      result = this.native.sluice_waiter_collect(this.#handle, this.#answers, room);
      if (result < 0) return void this.#leaves(result);
      const answers = Math.floor(result / CHORES);
      for (let i = 0; i < answers; i++) {
        const at = ANSWER_NUMBERS * i;
        this.#answer(this.#answers[at + ANSWER_WAITER]!, this.#answers[at + ANSWER_LEASE]!);
      }
      if (result & CHORE_RING) this.#ring();
      if (result & CHORE_BELL) this.#bell.show(this.#handle);
    } while (result & CHORE_MAIL);
    if (this.#line.size > 0) this.#bell.sleep(() => this.collect());
  }

  /** Sees to what a native call left. */
  see(result: number): void {
    this.#see(this.unwrap(result));
  }

  /** Passes on a result, or throws what it stands for. */
  unwrap(result: number): number {
    if (this.#leaves(result)) throw this.closed();
    return unwrap(result);
  }

  /** Takes no new leases; returns how many are out. */
  retire(): number {
    const leases = this.unwrap(this.native.sluice_pool_retire(this.handle));
    this.#isLeaving = true;
    return leases;
  }

  /** Refuses who waits, and closes the handle once the last lease is back. */
  close(): void {
    if (this.#handle === 0) return;
    if (!this.#isClosing) this.onClose?.();
    this.#isClosing = this.#isLeaving = true;
    this.#line.refuse(() => this.closed());
    const leases = this.native.sluice_pool_close(this.#handle);
    if (leases <= 0) this.#handle = 0;
  }

  /** The error of who comes too late. */
  closed(): SluiceError {
    const name = JSON.stringify(this.#name);
    const isClosed = this.#handle === 0 || this.#isClosing || !this.#isLeaving;
    const what = this.#isLeft
      ? "is closed for this instance of the module, because the program was loaded anew"
      : isClosed
      ? "is closed"
      : "is drained and grants no more here";
    return new SluiceError("SLUICE_POOL_CLOSED", `Pool ${name} ${what}`);
  }

  /** Forgets what the upstreams were called, which may have changed: `added` came. */
  forgetNames(added?: string): void {
    this.#names.forget();
    if (added !== undefined) this.#names.meet(added);
  }

  /** What the pool is doing. */
  stats(): PoolStats {
    return this.#stats.read(this);
  }

  /** The handle was closed by a program that was loaded anew in this thread: see `ffi/copies.ts`. */
  #leaves(result: number): boolean {
    if (result !== STATUS_INVALID_HANDLE || this.#handle === 0) return false;
    this.#isLeft = true;
    this.close();
    return true;
  }

  #see(chores: number): void {
    if (chores & CHORE_RING) this.#ring();
    if (chores & CHORE_MAIL) this.collect();
  }

  #ring(): void {
    for (;;) {
      const bell = this.native.sluice_bell_next(this.#handle);
      if (bell <= 0) return;
      if (bell === this.#handle) queueMicrotask(() => this.collect());
      else ring(bell);
    }
  }

  #answer(place: number, answer: number): void {
    const waiting = this.#line.take(place);
    if (waiting === undefined) {
      // Given up in the same moment: the lease goes on to the next.
      if (answer > 0) this.settle(undefined, answer % LEASE_NEWS, LEASE_UNKNOWN, 0);
    } else if (answer > 0) {
      waiting.resolve(this.#lease(answer));
    } else {
      waiting.reject(this.#lateness(answer, waiting.timeoutMs));
    }
  }

  /** Who is late is told why. Many are at a time, so the pool is read once for all of them. */
  #lateness(answer: number, timeoutMs: number): SluiceError {
    if (answer !== STATUS_ACQUIRE_TIMEOUT) {
      return statusError(answer, `Pool ${JSON.stringify(this.#name)} refused who waited`);
    }
    this.#seen ??= this.stats();
    queueMicrotask(() => this.#seen = undefined);
    return new AcquireTimeoutError(this.#name, timeoutMs, this.#seen);
  }

  #lease(told: number): Lease {
    let id = told;
    if (id >= LEASE_NEWS) {
      id -= LEASE_NEWS;
      this.#names.forget();
      queueMicrotask(() => this.#see(CHORE_MAIL | CHORE_RING));
    }
    const index = (id >>> LEASE_UPSTREAM_SHIFT) & (MAX_UPSTREAMS - 1);
    const upstream = this.#names.id(index);
    const lease = new Lease(this, id, upstream);
    this.leaks?.watch(lease, { id, upstream });
    return lease;
  }

  #refusal(result: number): SluiceError {
    if (this.#leaves(result) || this.#handle === 0 || this.#isClosing || result >= 0) {
      return this.closed();
    }
    try {
      unwrap(result);
    } catch (error) {
      if (error instanceof SluiceError) {
        return new SluiceError(error.code, `Pool ${JSON.stringify(this.#name)}: ${error.message}`);
      }
    }
    return statusError(result, `Pool ${JSON.stringify(this.#name)} refused`);
  }

  /** Gives back what the garbage collector found. */
  reclaim(id: number): boolean {
    return this.#handle !== 0 && this.settle(undefined, id, LEASE_UNKNOWN, 0) === "released";
  }
}
