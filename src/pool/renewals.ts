/**
 * A keep-alive timer for the leases of requests in flight.
 *
 * A long stream keeps its lease. A request whose response is not read loses its lease when it expires, and ends.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";

/** A lease is renewed after this share of its time to live, so that two renewals may be late. */
const SHARE = 1 / 3;

/** A request that holds a lease. */
export interface Holder {
  /** Restarts the lease's time to live. False if it has expired. */
  renew(): boolean;
  /** The lease has expired. @param wasWaiting Whether the caller was waiting for the upstream. */
  lose(wasWaiting: boolean): void;
}

interface Entry {
  readonly ttlMs: number;
  readonly everyMs: number;
  renewedAt: number;
  /** Whether the caller waits for the upstream, and whether data has arrived since the last renewal. */
  isWaiting: boolean;
  wasHeard: boolean;
  /** Set when the lease is about to expire. */
  end: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The leases of this isolate's requests in flight, and one timer for all of them. It runs only while there are
 * any, and does not keep the process alive. A lease that is about to expire has a timer of its own, because a
 * request that continues after its lease would be one too many for the upstream.
 *
 * While the caller waits for the upstream, a lease is renewed for as long as that takes. While the upstream
 * waits for the caller to read on, its time to live runs. So a caller that stops reading loses the lease, and
 * the request with it.
 */
class Renewals {
  readonly #entries = new Map<Holder, Entry>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The period of the timer: the shortest that any lease under way needs. */
  #everyMs = Infinity;

  /** Adds a lease whose time to live starts now, before the caller waits for the upstream. O(1). */
  add(holder: Holder, ttlMs: number): void {
    if (ttlMs === Infinity) return;
    const everyMs = Math.max(1, ttlMs * SHARE);
    const [renewedAt, end] = [performance.now(), undefined];
    const entry = { ttlMs, everyMs, renewedAt, isWaiting: false, wasHeard: false, end };
    this.#entries.set(holder, entry);
    if (everyMs < this.#everyMs) this.#start(everyMs);
  }

  /** The caller waits for the upstream. O(1). */
  awaited(holder: Holder): void {
    const entry = this.#entries.get(holder);
    if (entry === undefined) return;
    entry.isWaiting = true;
    // The shared timer may come too late for it.
    if (entry.end !== undefined) this.#renew(holder, entry);
  }

  /** The upstream has answered. O(1); the timer renews the lease. */
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
      // Half a period of tolerance, because timers are early and late.
      if (now - entry.renewedAt < entry.everyMs / 2) continue;
      if (entry.isWaiting || entry.wasHeard) this.#renew(holder, entry);
      // It could expire before the next look, which may be late.
      else if (entry.renewedAt + entry.ttlMs - now < 2 * entry.everyMs) this.#expect(holder, entry);
    }
  }

  #renew(holder: Holder, entry: Entry): void {
    clearTimeout(entry.end);
    entry.end = undefined;
    entry.wasHeard = false;
    if (holder.renew()) {
      // Read only now, so that the request does not end before the lease.
      entry.renewedAt = performance.now();
    } else {
      this.delete(holder);
      holder.lose(entry.isWaiting);
    }
  }

  /** Ends the request when the lease expires, unless it is renewed before. */
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

/** The leases of this isolate's requests in flight. */
export const renewals: Renewals = new Renewals();
