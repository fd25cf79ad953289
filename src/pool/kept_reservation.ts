/**
 * An interval timer that renews a caller's reservation for as long as a request is under way.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";
import { show } from "../errors.ts";

/** What ends by itself after a time unless it is renewed, such as a `Reservation` of a limiter. */
export interface Renewable {
  /** How long it lives without being renewed, in milliseconds. */
  readonly ttlMs: number;
  /** Starts its time anew; false if it is over. */
  renew(): boolean;
}

/** It is renewed when this share of its time has passed, so that two renewals may be late. */
const SHARE = 1 / 3;

/**
 * Renews a reservation by its own time and not by that of the lease, which may be far longer. Whether
 * anybody reads does not matter: a request under way keeps its place, and it ends with its lease.
 *
 * The timer must not keep what the caller made, from which a response may be reachable, so it knows the
 * reservation weakly: whoever can still read the response has to keep it.
 */
export class KeptReservation {
  readonly #reservation: WeakRef<Renewable>;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Renews it now, and then until it is stopped or over. Throws what its `renew` throws now. */
  constructor(reservation: Renewable) {
    const everyMs = Math.max(1, checkTtlMs(reservation) * SHARE);
    reservation.renew();
    this.#reservation = new WeakRef(reservation);
    this.#timer = setInterval(() => this.#renew(), Math.min(everyMs, LONGEST_TIMER));
    this.#timer.unref();
  }

  /** Renews it no more. Stopping again is fine. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #renew(): void {
    try {
      if (this.#reservation.deref()?.renew() === true) return;
    } catch {
      // Nobody can be told here; who settles it is told that it is over.
    }
    this.stop();
  }
}

function checkTtlMs(reservation: unknown): number {
  const { ttlMs, renew } = (reservation ?? {}) as { [Member in keyof Renewable]?: unknown };
  if (typeof renew !== "function" || typeof ttlMs !== "number") {
    throw new TypeError(
      `options.reservation must be a Reservation, or have ttlMs and renew(), not ${
        show(reservation)
      }`,
    );
  }
  if (!(ttlMs > 0)) throw new RangeError(`options.reservation.ttlMs must be above 0, not ${ttlMs}`);
  return ttlMs;
}
