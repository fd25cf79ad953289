/**
 * The decoder of a shared limiter's statistics.
 *
 * @module
 */
import {
  SHARED_LIMIT_STAT_LEASED,
  SHARED_LIMIT_STAT_OVER_BOUND,
  SHARED_LIMIT_STAT_UNREPORTED,
  SHARED_LIMIT_STATS,
  SHARED_STAT_ANSWERED_MS,
  SHARED_STAT_CALLS,
  SHARED_STAT_CLOCK_JUMPS,
  SHARED_STAT_CREDIT,
  SHARED_STAT_FAILING_MS,
  SHARED_STAT_HOLDERS,
  SHARED_STAT_LOST_EPOCHS,
  SHARED_STAT_OUTAGE,
  SHARED_STAT_ROUND_TRIP_HIGH_MS,
  SHARED_STAT_ROUND_TRIP_MEDIAN_MS,
  SHARED_STAT_SESSIONS,
  SHARED_STAT_STORE,
  SHARED_STAT_WAITING,
  SHARED_STATS,
} from "../ffi/symbols.gen.ts";
import type { NativeLimiter } from "../limiter/native_limiter.ts";
import type { SharedStats } from "../limiter/shared_stats.ts";

/**
 * Returns the statistics of a limiter.
 *
 * @param credited The number of decisions from credit that this Worker has made without the shared calls.
 * @param lastError Why the last call of this Worker failed.
 */
export function statsOf(
  core: NativeLimiter,
  credited: number,
  lastError: string | undefined,
): SharedStats {
  const { limits, native } = core;
  const length = SHARED_STATS + SHARED_LIMIT_STATS * limits.length;
  const numbers = new Float64Array(new ArrayBuffer(8 * length));
  core.unwrap(native.sluice_shared_stats(core.handle, numbers, length));
  const at = (stat: number): number => numbers[stat]!;
  const known = (stat: number): number | undefined => Number.isNaN(at(stat)) ? undefined : at(stat);
  const ofLimits = (stat: number): Record<string, number> => {
    const value = (i: number): number => at(SHARED_STATS + SHARED_LIMIT_STATS * i + stat);
    return Object.fromEntries(limits.map((name, i) => [name, value(i)]));
  };
  const outMs = known(SHARED_STAT_FAILING_MS);
  const lastSyncMs = known(SHARED_STAT_ANSWERED_MS);
  const decided = {
    credit: at(SHARED_STAT_CREDIT) + credited,
    store: at(SHARED_STAT_STORE),
    outage: at(SHARED_STAT_OUTAGE),
  };
  const calls = at(SHARED_STAT_CALLS);
  const decisions = decided.credit + decided.store + decided.outage;
  return {
    state: outMs !== undefined ? "out" : lastSyncMs === undefined ? "idle" : "connected",
    outMs,
    lastSyncMs,
    lastError,
    holders: at(SHARED_STAT_HOLDERS),
    keys: at(SHARED_STAT_SESSIONS),
    waiting: at(SHARED_STAT_WAITING),
    roundTripMs: {
      p50: at(SHARED_STAT_ROUND_TRIP_MEDIAN_MS),
      p99: at(SHARED_STAT_ROUND_TRIP_HIGH_MS),
    },
    calls,
    callsPerDecision: decisions === 0 ? 0 : calls / decisions,
    decided,
    leased: ofLimits(SHARED_LIMIT_STAT_LEASED),
    unreported: ofLimits(SHARED_LIMIT_STAT_UNREPORTED),
    overBoundNow: ofLimits(SHARED_LIMIT_STAT_OVER_BOUND),
    clockJumps: at(SHARED_STAT_CLOCK_JUMPS),
    lostEpochs: at(SHARED_STAT_LOST_EPOCHS),
  };
}
