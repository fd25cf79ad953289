/**
 * Statistics of a pool that is shared with other processes.
 *
 * @module
 */
import type { NativeHandle } from "../ffi/native_handle.ts";
import {
  POOL_SHARED_STAT_CALLS,
  POOL_SHARED_STAT_FAILING_FOR_MS,
  POOL_SHARED_STAT_FAILURES,
  POOL_SHARED_STAT_FLEET,
  POOL_SHARED_STAT_HOLDERS,
  POOL_SHARED_STAT_LOSSES,
  POOL_SHARED_STAT_STATE,
  POOL_SHARED_STATE_CONNECTED,
  POOL_SHARED_STATE_IDLE,
  POOL_SHARED_STATE_OUT,
  POOL_SHARED_STATS,
  POOL_UPSTREAM_SHARED_STAT_EJECTED,
  POOL_UPSTREAM_SHARED_STAT_FLEET,
  POOL_UPSTREAM_SHARED_STAT_HELD,
  POOL_UPSTREAM_SHARED_STATS,
} from "../ffi/symbols.gen.ts";
import type { PoolCalls } from "../shared/pool_seam.ts";

/** What is known of an upstream over all processes, as of the last call to the store. */
export interface SharedUpstreamStats {
  /** Permits that this process holds: how many leases it may have in use. */
  readonly held: number;
  /** Permits that all processes hold. */
  readonly heldByAll: number;
  /** How many processes have ejected it by failures. */
  readonly ejectedBy: number;
}

/** How a pool stands to the store that it is shared through. */
export interface SharedPoolStats {
  /**
   * - `"idle"`: this process holds no permits, and asks when it needs some;
   * - `"connected"`: it holds permits that have not ended;
   * - `"outage"`: its permits have ended and the store does not answer, so `onOutage` applies.
   */
  readonly state: "idle" | "connected" | "outage";
  /** For how long calls have failed, in milliseconds; 0 if the last one did not. */
  readonly failingForMs: number;
  /** The processes that take part, as of the last call. */
  readonly holders: number;
  /** Permits of all upstreams that all processes hold, as of the last call. */
  readonly heldByAll: number;
  /** Calls that this process has made. */
  readonly calls: number;
  /** Of those, calls that failed. */
  readonly failures: number;
  /** How often the store had lost its state. */
  readonly losses: number;
  /** The median and the 99th percentile of this Worker's last round trips, in milliseconds. */
  readonly roundTripMs: { readonly p50: number; readonly p99: number } | undefined;
  /** The message of this Worker's last failed call. */
  readonly lastError: string | undefined;
}

/** What is known over all processes. */
export interface Sharing {
  readonly shared: SharedPoolStats;
  /** By index of the upstream. */
  readonly upstreams: readonly SharedUpstreamStats[];
}

/** Reads what is known over all processes of a pool with `count` upstreams. One crossing. */
export function readSharing(
  member: Pick<NativeHandle, "native" | "openHandle" | "unwrap">,
  calls: PoolCalls,
  count: number,
): Sharing {
  const length = POOL_SHARED_STATS + POOL_UPSTREAM_SHARED_STATS * count;
  const numbers = new Float64Array(new ArrayBuffer(8 * length));
  member.unwrap(member.native.sluice_pool_sharing(member.openHandle, numbers, length));
  const at = (index: number): number => numbers[index]!;
  const upstreams: SharedUpstreamStats[] = [];
  for (let i = POOL_SHARED_STATS; i < length; i += POOL_UPSTREAM_SHARED_STATS) {
    upstreams.push({
      held: at(i + POOL_UPSTREAM_SHARED_STAT_HELD),
      heldByAll: at(i + POOL_UPSTREAM_SHARED_STAT_FLEET),
      ejectedBy: at(i + POOL_UPSTREAM_SHARED_STAT_EJECTED),
    });
  }
  const shared: SharedPoolStats = {
    state: STATES[at(POOL_SHARED_STAT_STATE)]!,
    failingForMs: at(POOL_SHARED_STAT_FAILING_FOR_MS),
    holders: at(POOL_SHARED_STAT_HOLDERS),
    heldByAll: at(POOL_SHARED_STAT_FLEET),
    calls: at(POOL_SHARED_STAT_CALLS),
    failures: at(POOL_SHARED_STAT_FAILURES),
    losses: at(POOL_SHARED_STAT_LOSSES),
    roundTripMs: calls.roundTripMs,
    lastError: calls.lastError,
  };
  return { shared, upstreams };
}

const STATES: Readonly<Record<number, SharedPoolStats["state"]>> = {
  [POOL_SHARED_STATE_IDLE]: "idle",
  [POOL_SHARED_STATE_CONNECTED]: "connected",
  [POOL_SHARED_STATE_OUT]: "outage",
};
