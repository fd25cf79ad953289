/**
 * Renews the leases of requests that are under way, so that a long stream keeps its lease and a
 * forgotten response does not.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import { LONGEST_TIMER } from "../deadline.ts";
import type { HeldLease } from "./request_hold.ts";

/** A lease is renewed when this share of its time has passed, so that two renewals may be late. */
const SHARE = 1 / 3;

interface Entry {
  readonly everyMs: number;
  renewedAt: number;
  /** Whether somebody waits for the upstream, or something came since the last renewal. */
  isWaiting: boolean;
  wasHeard: boolean;
}

/**
 * The leases under way in this isolate, and one timer for all of them: it runs only while there are
 * any, and never keeps the process alive.
 *
 * While somebody waits for the upstream a lease is renewed however long that takes. While the
 * upstream waits for somebody to read on, its time runs: who stops reading loses the lease in the
 * end.
 */
class Renewals {
  readonly #entries = new Map<HeldLease, Entry>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The period of the timer: the shortest that any lease under way needs. */
  #everyMs = Infinity;

  /** Somebody waits for the upstream. O(1). */
  add(lease: HeldLease, ttlMs: number): void {
    if (ttlMs === Infinity) return;
    const entry = this.#entries.get(lease);
    if (entry !== undefined) {
      entry.isWaiting = true;
      return;
    }
    const everyMs = Math.max(1, ttlMs * SHARE);
    const fresh = { everyMs, renewedAt: performance.now(), isWaiting: true, wasHeard: false };
    this.#entries.set(lease, fresh);
    if (everyMs < this.#everyMs) this.#start(everyMs);
  }

  /** What was waited for came. O(1); the renewal itself is left to the timer. */
  heard(lease: HeldLease): void {
    const entry = this.#entries.get(lease);
    if (entry === undefined) return;
    entry.isWaiting = false;
    entry.wasHeard = true;
  }

  /** The lease is given back. O(1). */
  delete(lease: HeldLease): void {
    if (this.#entries.delete(lease) && this.#entries.size === 0) this.#stop();
  }

  #start(everyMs: number): void {
    clearInterval(this.#timer);
    this.#everyMs = everyMs;
    this.#timer = setInterval(() => this.#renew(), Math.min(everyMs, LONGEST_TIMER));
    this.#timer.unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#everyMs = Infinity;
  }

  #renew(): void {
    const now = performance.now();
    for (const [lease, entry] of this.#entries) {
      // Half a period of slack, because timers are late and early.
      if (now - entry.renewedAt < entry.everyMs / 2) continue;
      if (!entry.isWaiting && !entry.wasHeard) continue;
      entry.wasHeard = false;
      entry.renewedAt = now;
      if (!lease.renew()) this.delete(lease);
    }
  }
}

/** The leases under way in this isolate. */
export const renewals: Renewals = new Renewals();
