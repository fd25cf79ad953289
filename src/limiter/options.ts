/**
 * The data types of a limiter's options and statistics.
 *
 * @module
 */
import type { Limits } from "./limit_definitions.ts";
import type { SharedStats } from "./shared_stats.ts";
import type { SharedStore } from "./shared_store.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** The options of a {@linkcode RateLimiter}. */
export interface RateLimiterOptions<L extends Limits = Limits> {
  /**
   * The name of the limiter. The same name in any Worker opens the same limiter, if all other options are the
   * same too. The limiter lives until every object that opened it has been closed. A Worker that ends closes
   * nothing: its limiter stays as long as a key has used any of a limit or has limits of its own, so that the
   * next Worker finds the counts. After that it makes room when other limiters are made. Without a name the
   * limiter belongs to this object alone.
   */
  readonly name?: string | undefined;
  /**
   * 1 to 16 limits, by name: made by {@linkcode rate}, {@linkcode quota} and {@linkcode concurrency}. Their
   * order matters where others open the same limiter: it is the order of {@linkcode RateLimiter.units}, and
   * of two limits that refuse for equally long the first one is reported.
   */
  readonly limits: L;
  /**
   * The most keys. When it is reached, a new key evicts an idle one, which stands as a new key would. Up to
   * 1,024 slots are searched for an idle key, and the next new key continues from there. If none of them is
   * idle, the new key is refused. @default 1_000_000
   */
  readonly maxKeys?: number | undefined;
  /**
   * The clock. `"coarse"` lags by up to 4 ms and is cheaper to read on Linux, though not by much on x86-64.
   * Both are monotonic and stop while the machine is suspended: rates give nothing back in that time, and
   * reservations do not expire. Windows of quotas follow the wall clock. @default "precise"
   */
  readonly clock?: "precise" | "coarse" | VirtualClock | undefined;
  /**
   * The lifetime of a reservation in milliseconds. One that is not ended in time is settled in full: see
   * {@linkcode ReserveOptions.ttlMs}. @default 600_000
   */
  readonly reservationTtlMs?: number | undefined;
  /**
   * Whether to warn of reservations that the garbage collector found before they were ended, with the stack
   * that made them, and to settle them in full. It applies to this object alone, and each reservation then
   * takes a stack trace. @default false
   */
  readonly trackLeaks?: boolean | undefined;
  /**
   * What the limits are shared through with other processes: made by `valkey()` of `sluice/shared`. The limits
   * then hold over all processes that open a limiter of this name with the same store, and
   * {@linkcode RateLimiter.takeShared} and {@linkcode RateLimiter.reserveShared} ask it where the credit of this
   * process does not suffice. All other calls use that credit alone. `name` is required, and `clock` must be a
   * {@linkcode VirtualClock} or left out. @default Limits of this process alone.
   */
  readonly shared?: SharedStore | undefined;
}

/** The statistics of a limiter, over all Workers. */
export interface LimiterStats<Name extends string = string> {
  /** The number of keys that have a slot. */
  readonly keys: number;
  /** The number of slots. */
  readonly maxKeys: number;
  /** The number of idle keys that were evicted. Keys that are not idle never are. */
  readonly evicted: number;
  /** The number of new keys that were refused: none of the 1,024 slots that were searched was idle. */
  readonly refused: number;
  /** The number of open reservations, each counted once for each of the limiter's keys in it. */
  readonly reservations: number;
  /** The number of reservations that expired, counted in the same way. */
  readonly expired: number;
  /** The statistics of limits that other processes share. Undefined without the option `shared`. */
  readonly shared?: SharedStats<Name> | undefined;
}
