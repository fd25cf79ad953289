/**
 * Reservations of a limiter that is shared with other processes: they say on what they rest.
 *
 * @module
 */
import type { LimiterKey } from "./key.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { Reservation } from "./reservation.ts";
import type { DecisionSource } from "./shared_decision.ts";

/**
 * An open reservation of a limiter that is shared with other processes. Ending it and topping it up asks no
 * store: what was not used becomes credit of this process again, and {@linkcode Reservation.topUp} takes from
 * that credit alone.
 */
export class SharedReservation<Unit extends string = string, Name extends string = string>
  extends Reservation<Unit, Name> {
  /** What the decision rests on. */
  readonly source: DecisionSource;

  /** @ignore Limiters make these. */
  constructor(
    core: NativeLimiter,
    key: LimiterKey,
    cores: readonly NativeLimiter[],
    number: number,
    ttlMs: number,
    isWatched: boolean,
    source: DecisionSource,
  ) {
    super(core, key, cores, number, ttlMs, isWatched);
    this.source = source;
  }
}
