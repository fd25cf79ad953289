/**
 * A keep-alive timer for a caller's reservation while a request is in flight.
 *
 * @module
 */
import { checkPositive } from "../arguments.ts";
import { LONGEST_TIMER } from "../deadline.ts";
import { show } from "../errors.ts";

/** Something that expires unless it is renewed, such as a `Reservation` of a limiter. */
export interface Renewable {
  /** Its time to live, in milliseconds. */
  readonly ttlMs: number;
  /** Restarts its time to live. False if it has expired. */
  renew(): boolean;
}

/** It is renewed after this share of its time to live, so that two renewals may be late. */
const SHARE = 1 / 3;

/**
 * Renews a reservation according to its own time to live, which may be far shorter than that of the lease.
 * Whether the response is read does not matter: a request in flight keeps its reservation, and ends with its
 * lease.
 *
 * The timer refers to the reservation weakly, because the response may be reachable from the objects of the
 * caller. Objects from which the response can still be read must refer to it strongly.
 */
export class KeptReservation {
  readonly #reservation: WeakRef<Renewable>;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Renews it now, and then until it is stopped or has expired. Throws what its `renew` throws now. */
  constructor(reservation: Renewable) {
    const everyMs = Math.max(1, checkTtlMs(reservation) * SHARE);
    reservation.renew();
    this.#reservation = new WeakRef(reservation);
    this.#timer = setInterval(() => this.#renew(), Math.min(everyMs, LONGEST_TIMER));
    this.#timer.unref();
  }

  /** Stops renewing it. Calling it again has no effect. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #renew(): void {
    try {
      if (this.#reservation.deref()?.renew() === true) return;
    } catch {
      // There is no caller to report it to. Settling the reservation will fail.
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
  return checkPositive("options.reservation.ttlMs", ttlMs);
}
