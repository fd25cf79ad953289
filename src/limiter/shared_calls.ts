/**
 * The seam between a limiter and `sluice/shared`: the calls that may ask a store.
 *
 * @module
 */
import type { LimiterCost } from "./cost.ts";
import { show, SluiceError } from "../errors.ts";
import type { LimiterKey } from "./key.ts";
import type { ConcurrencyUnitsOf, Limits, UnitsOf } from "./limit_definitions.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import type { ReserveOptions } from "./reservation.ts";
import type { SharedDecision, SharedDenied } from "./shared_decision.ts";
import type { SharedReservation } from "./shared_reservation.ts";
import type { SharedStats } from "./shared_stats.ts";
import type { SharedLife } from "./shared_store.ts";

/** The options of one call that may ask the store. */
export interface SharedCallOptions {
  /**
   * Ends the wait for the store: the call rejects with the reason of the signal. A take that the store was
   * asked for may be charged. A reservation holds nothing.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long to wait for the store, in milliseconds. After that the call is decided by `onOutage`. It can only
   * shorten the `timeoutMs` of the store.
   */
  readonly timeoutMs?: number | undefined;
}

/** The cost and the options of {@linkcode RateLimiter.takeShared}: see {@linkcode TakeCost}. */
export type SharedTakeArguments<L extends Limits> = [ConcurrencyUnitsOf<L>] extends [never]
  ? [cost?: LimiterCost<UnitsOf<L>>, options?: SharedCallOptions]
  : string extends ConcurrencyUnitsOf<L>
    ? [cost?: LimiterCost<UnitsOf<L>>, options?: SharedCallOptions]
  : [
    cost: LimiterCost<UnitsOf<L>> & { readonly [Unit in ConcurrencyUnitsOf<L>]: 0 },
    options?: SharedCallOptions,
  ];

/** The options of a reservation that may ask the store. */
export interface SharedReserveOptions extends ReserveOptions, SharedCallOptions {}

/** The calls of one limiter of this isolate that may ask the store. */
export interface SharedCalls extends SharedLife {
  /** Decides after the credit of a key did not suffice. */
  take(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    options: SharedCallOptions,
  ): Promise<SharedDecision>;
  /** Decides at once after the credit of a key did not suffice, and asks for more for the next call. */
  takeNow(core: NativeLimiter, key: LimiterKey, costs: readonly number[]): SharedDecision;
  /** Reserves after the credit of a key did not suffice. */
  reserve(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    ttlMs: number,
    options: SharedCallOptions,
  ): Promise<SharedReservation | SharedDenied>;
  /** Reserves at once, as {@linkcode takeNow} takes. */
  reserveNow(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    ttlMs: number,
  ): SharedReservation | SharedDenied;
  /**
   * Asks for credit of a key ahead.
   *
   * @param costs Those of a call that was refused without any of the other methods.
   */
  ask(core: NativeLimiter, key: LimiterKey, costs?: readonly number[]): void;
  /** Decides as a take would, and charges nothing. */
  peek(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    options: SharedCallOptions,
  ): Promise<SharedDecision>;
  /** Sets the limits of a key in the store, or restores the limiter's own if there are no numbers. */
  setLimits(core: NativeLimiter, key: LimiterKey, numbers: Float64Array): Promise<void>;
  /** Forgets in the store what a key has used. */
  reset(core: NativeLimiter, key: LimiterKey): Promise<void>;
  /** Sees to it that what this process holds is renewed. */
  watch(): void;
  /** The statistics of this process. */
  stats(core: NativeLimiter): SharedStats;
  /** Counts a call that was allowed from credit. */
  credited: number;
}

/** The calls of a limiter that may ask a store, if it is shared with other processes. */
export function sharedOf(core: NativeLimiter): SharedCalls | undefined {
  return core.shared as SharedCalls | undefined;
}

/** The calls of a limiter that may ask a store. Throws if it is not shared. */
export function sharedCallsOf(core: NativeLimiter): SharedCalls {
  const shared = sharedOf(core);
  if (shared !== undefined) return shared;
  throw new SluiceError(
    "SLUICE_NOT_SHARED",
    `The limiter ${show(core.name)} was made without the option shared`,
  );
}
