/**
 * What a limiter is made of, and what it tells about itself.
 *
 * @module
 */
import type { Limit, Limits } from "./limits.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** What a limiter is made of. */
export interface RateLimiterOptions<Name extends string = string, Kind extends Limit = Limit> {
  /**
   * The same name in any Worker opens the same limiter, if all other options are the same too. It lives
   * until all who opened it have closed it. A Worker that ends has closed nothing: its limiter stays as long
   * as a key has used any of a limit or has limits of its own, so that a Worker in its place finds the
   * counts, and makes room when other limiters are made after that. Without a name it is this object's
   * alone.
   */
  readonly name?: string;
  /**
   * 1 to 16 limits, by name: made by {@linkcode rate}, {@linkcode quota}, {@linkcode concurrency}. Their
   * order counts where others open the same limiter: it is that of {@linkcode RateLimiter.units}, and of
   * two limits that refuse for equally long the first is told.
   */
  readonly limits: Limits<Name, Kind>;
  /**
   * So many keys at most. When they are reached, a new key takes the place of an idle one, of which
   * nothing is known that a new key would not have. Up to 1,024 places are looked at for one, the next new
   * key goes on from there; if none of them is idle, it is refused. @default 1_000_000
   */
  readonly maxKeys?: number;
  /**
   * `"coarse"` is behind by up to 4 ms; on Linux cheaper to read, if not by much on x86-64. Both are
   * monotonic and stand still while the machine is suspended: rates give nothing back in that time, and
   * reservations do not expire. Windows of quotas go by the wall clock. @default "precise"
   */
  readonly clock?: "precise" | "coarse" | VirtualClock;
  /** A reservation that nobody ends is settled in full after this time: see {@linkcode ReserveOptions.ttlMs}. @default 600_000 */
  readonly reservationTtlMs?: number;
  /**
   * Warns of reservations that the garbage collector found before anybody ended them, with the stack that
   * made them, and settles them in full. For this object alone; each reservation then takes a stack
   * trace. @default false
   */
  readonly trackLeaks?: boolean;
}

/** What a limiter holds and did, over all Workers. */
export interface LimiterStats {
  /** Keys that have a place. */
  readonly keys: number;
  /** Places. */
  readonly maxKeys: number;
  /** Idle keys whose place was given away. Keys that are not idle never lose theirs. */
  readonly evicted: number;
  /** New keys that found no place: none of the 1,024 that were looked at was idle. */
  readonly refused: number;
  /** Open reservations, counted once for each of the limiter's keys in them. */
  readonly reservations: number;
  /** Reservations that expired, counted once for each of the limiter's keys in them. */
  readonly expired: number;
}
