/**
 * Renews the leases of requests that are under way, so that a long stream keeps its lease, and ends
 * the requests of those whose time runs out, so that a forgotten response does not.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";

/** A lease is renewed when this share of its time has passed, so that two renewals may be late. */
const SHARE = 1 / 3;

/** A request that holds a lease. */
export interface Holder {
  /** Starts the lease's time anew; false if it is over. */
  renew(): boolean;
  /** The lease's time is over, while somebody waited for the upstream or nobody did. */
  lose(wasWaiting: boolean): void;
}

interface Entry {
  readonly ttlMs: number;
  readonly everyMs: number;
  renewedAt: number;
  /** Whether somebody waits for the upstream, or something came since the last renewal. */
  isWaiting: boolean;
  wasHeard: boolean;
  /** Runs when the lease's time is almost over. */
  end: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The leases under way in this isolate, and one timer for all of them: it runs only while there are
 * any, and never keeps the process alive. Those about to end have a timer of their own, because a
 * request that goes on after its lease is one too many for the upstream.
 *
 * While somebody waits for the upstream a lease is renewed however long that takes. While the
 * upstream waits for somebody to read on, its time runs: who stops reading loses the lease in the
 * end, and the request with it.
 */
class Renewals {
  readonly #entries = new Map<Holder, Entry>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The period of the timer: the shortest that any lease under way needs. */
  #everyMs = Infinity;

  /** A lease's time begins, and nobody waits for the upstream yet. O(1). */
  add(holder: Holder, ttlMs: number): void {
    if (ttlMs === Infinity) return;
    const everyMs = Math.max(1, ttlMs * SHARE);
    const [renewedAt, end] = [performance.now(), undefined];
    const entry = { ttlMs, everyMs, renewedAt, isWaiting: false, wasHeard: false, end };
    this.#entries.set(holder, entry);
    if (everyMs < this.#everyMs) this.#start(everyMs);
  }

  /** Somebody waits for the upstream. O(1). */
  awaited(holder: Holder): void {
    const entry = this.#entries.get(holder);
    if (entry === undefined) return;
    entry.isWaiting = true;
    // The timer of all may come too late for it.
    if (entry.end !== undefined) this.#renew(holder, entry);
  }

  /** What was waited for came. O(1); the renewal itself is left to the timer. */
  heard(holder: Holder): void {
    const entry = this.#entries.get(holder);
    if (entry === undefined) return;
    entry.isWaiting = false;
    entry.wasHeard = true;
  }

  /** The lease is given back. O(1). */
  delete(holder: Holder): void {
    clearTimeout(this.#entries.get(holder)?.end);
    if (this.#entries.delete(holder) && this.#entries.size === 0) this.#stop();
  }

  #start(everyMs: number): void {
    clearInterval(this.#timer);
    this.#everyMs = everyMs;
    this.#timer = setInterval(() => this.#look(), Math.min(everyMs, LONGEST_TIMER));
    this.#timer.unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#everyMs = Infinity;
  }

  #look(): void {
    const now = performance.now();
    for (const [holder, entry] of this.#entries) {
      // Half a period of slack, because timers are late and early.
      if (now - entry.renewedAt < entry.everyMs / 2) continue;
      if (entry.isWaiting || entry.wasHeard) this.#renew(holder, entry);
      // By the next look, which may be late, it could be over.
      else if (entry.renewedAt + entry.ttlMs - now < 2 * entry.everyMs) this.#expect(holder, entry);
    }
  }

  #renew(holder: Holder, entry: Entry): void {
    clearTimeout(entry.end);
    entry.end = undefined;
    entry.wasHeard = false;
    if (holder.renew()) {
      // Looked at only now, so that the request ends no sooner than the lease.
      entry.renewedAt = performance.now();
    } else {
      this.delete(holder);
      holder.lose(entry.isWaiting);
    }
  }

  /** Ends the request when the lease's time is over, unless it is renewed before. */
  #expect(holder: Holder, entry: Entry): void {
    if (entry.end !== undefined) return;
    const leftMs = Math.ceil(entry.renewedAt + entry.ttlMs - performance.now());
    entry.end = setTimeout(() => {
      entry.end = undefined;
      if (entry.isWaiting || entry.wasHeard) return this.#renew(holder, entry);
      if (performance.now() < entry.renewedAt + entry.ttlMs) return this.#expect(holder, entry);
      this.delete(holder);
      holder.lose(false);
    }, Math.min(Math.max(1, leftMs), LONGEST_TIMER));
    entry.end.unref();
  }
}

/** The leases under way in this isolate. */
export const renewals: Renewals = new Renewals();
