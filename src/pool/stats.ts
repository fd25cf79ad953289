/**
 * Statistics of a pool, read in one crossing.
 *
 * @module
 */
import {
  POOL_STAT_CANCELLED,
  POOL_STAT_EJECTIONS,
  POOL_STAT_EXPIRED,
  POOL_STAT_GRANTED,
  POOL_STAT_HANDED_OVER,
  POOL_STAT_ID_BYTES,
  POOL_STAT_IN_FLIGHT,
  POOL_STAT_MAX_IN_FLIGHT,
  POOL_STAT_MEMBERS,
  POOL_STAT_OWN_IN_FLIGHT,
  POOL_STAT_REAPED,
  POOL_STAT_REFUSED,
  POOL_STAT_TIMED_OUT,
  POOL_STAT_WAITING,
  POOL_STATS,
  POOL_UPSTREAM_STAT_DRAINING,
  POOL_UPSTREAM_STAT_FAILED,
  POOL_UPSTREAM_STAT_FAILURES_IN_A_ROW,
  POOL_UPSTREAM_STAT_GRANTED,
  POOL_UPSTREAM_STAT_ID_BYTES,
  POOL_UPSTREAM_STAT_IN_FLIGHT,
  POOL_UPSTREAM_STAT_LIMIT,
  POOL_UPSTREAM_STAT_MAX_IN_FLIGHT,
  POOL_UPSTREAM_STAT_RESTS_FOR_MS,
  POOL_UPSTREAM_STAT_STATE,
  POOL_UPSTREAM_STAT_TIER,
  POOL_UPSTREAM_STAT_WEIGHT,
  POOL_UPSTREAM_STATS,
  UPSTREAM_STATE_COOLING,
  UPSTREAM_STATE_EJECTED,
  UPSTREAM_STATE_HEALTHY,
  UPSTREAM_STATE_PROBING,
} from "../ffi/symbols.gen.ts";
import type { NativeHandle } from "../ffi/native_handle.ts";
import type { SharedPoolStats, SharedUpstreamStats } from "./shared_stats.ts";

/**
 * The state of an upstream:
 *
 * - `"healthy"`: in use;
 * - `"ejected"`: taken out of use by failures, until `restsForMs` has passed;
 * - `"cooling"`: resting because it asked for it by `Retry-After`, until `restsForMs` has passed;
 * - `"probing"`: one lease, granted or still to be granted, decides whether it is healthy again;
 * - `"draining"`: granted no new leases, by {@linkcode UpstreamPool.drainUpstream}.
 */
export type UpstreamState = "healthy" | "ejected" | "cooling" | "probing" | "draining";

/** A snapshot of one upstream. */
export interface UpstreamStats {
  /** Its id. */
  readonly id: string;
  /** Its state. */
  readonly state: UpstreamState;
  /** Leases in use, in all Workers. */
  readonly inFlight: number;
  /** The highest number of leases in use at a time. */
  readonly maxInFlight: number;
  /** The limit of leases in use now: with `adaptive` it may be below `maxInFlight`. */
  readonly limit: number;
  /** Its share of the load. */
  readonly weight: number;
  /** Its tier. */
  readonly tier: number;
  /** Leases granted since the pool was opened. */
  readonly granted: number;
  /** Failures reported since the pool was opened. */
  readonly failed: number;
  /** Failures since the last success. */
  readonly failuresInARow: number;
  /** The rest of its ejection or cooldown, in milliseconds; 0 unless ejected or cooling. */
  readonly restsForMs: number;
  /** What is known over all processes; undefined unless the pool has the option `shared`. */
  readonly shared?: SharedUpstreamStats;
}

/** A snapshot of a pool. */
export interface PoolStats {
  /** Leases in use, of all upstreams and in all Workers. */
  readonly inFlight: number;
  /** The highest number of leases in use at a time. */
  readonly maxInFlight: number;
  /** Requests in the queue, of all Workers. */
  readonly waiting: number;
  /** `UpstreamPool` objects that have the pool open, usually one per Worker. */
  readonly members: number;
  /** Leases in use that this object acquired. */
  readonly ownInFlight: number;
  /** Leases granted since the pool was opened, in all Workers, as for the counts below. */
  readonly granted: number;
  /** Leases granted to a request in the queue. */
  readonly handedOver: number;
  /** Waits that ended with `SLUICE_ACQUIRE_TIMEOUT`. */
  readonly timedOut: number;
  /** Acquires refused with `SLUICE_QUEUE_FULL`. */
  readonly refused: number;
  /** Requests that left the queue because their signal aborted. */
  readonly cancelled: number;
  /** Leases that expired. */
  readonly expired: number;
  /** Leases of Workers that ended, which were taken back. */
  readonly reaped: number;
  /** Ejections by failures. */
  readonly ejections: number;
  /** The upstreams, by index. */
  readonly upstreams: readonly UpstreamStats[];
  /** How the pool stands to other processes; undefined unless it has the option `shared`. */
  readonly shared?: SharedPoolStats;
}

const STATES: Readonly<Record<number, UpstreamState>> = {
  [UPSTREAM_STATE_HEALTHY]: "healthy",
  [UPSTREAM_STATE_EJECTED]: "ejected",
  [UPSTREAM_STATE_PROBING]: "probing",
  [UPSTREAM_STATE_COOLING]: "cooling",
};

const decoder = new TextDecoder();

/** Reads the statistics of a pool into buffers that are reused, and grow when needed. */
export class StatsReader {
  #numbers = new Float64Array(new ArrayBuffer(8 * (POOL_STATS + 16 * POOL_UPSTREAM_STATS)));
  #ids = new Uint8Array(new ArrayBuffer(16 * 32));

  /** One crossing, unless there are more upstreams than in any call before. */
  read(member: Pick<NativeHandle, "native" | "openHandle" | "unwrap">): PoolStats {
    const { native, openHandle: handle } = member;
    for (;;) {
      const [numbers, ids] = [this.#numbers, this.#ids];
      const length = member.unwrap(
        native.sluice_pool_stats(handle, numbers, numbers.length, ids, ids.length),
      );
      const bytes = numbers[POOL_STAT_ID_BYTES]!;
      if (length <= numbers.length && bytes <= ids.length) return statsOf(numbers, length, ids);
      // Twice the room, because upstreams may be being added.
      if (length > numbers.length) this.#numbers = new Float64Array(new ArrayBuffer(16 * length));
      if (bytes > ids.length) this.#ids = new Uint8Array(new ArrayBuffer(2 * bytes));
    }
  }
}

function statsOf(numbers: Float64Array, length: number, ids: Uint8Array): PoolStats {
  const at = (index: number): number => numbers[index]!;
  const upstreams: UpstreamStats[] = [];
  let id = 0;
  for (let i = POOL_STATS; i < length; i += POOL_UPSTREAM_STATS) {
    const isDraining = at(i + POOL_UPSTREAM_STAT_DRAINING) === 1;
    const state = isDraining ? "draining" : STATES[at(i + POOL_UPSTREAM_STAT_STATE)]!;
    upstreams.push({
      id: decoder.decode(ids.subarray(id, id += at(i + POOL_UPSTREAM_STAT_ID_BYTES))),
      state,
      inFlight: at(i + POOL_UPSTREAM_STAT_IN_FLIGHT),
      maxInFlight: at(i + POOL_UPSTREAM_STAT_MAX_IN_FLIGHT),
      limit: at(i + POOL_UPSTREAM_STAT_LIMIT),
      weight: at(i + POOL_UPSTREAM_STAT_WEIGHT),
      tier: at(i + POOL_UPSTREAM_STAT_TIER),
      granted: at(i + POOL_UPSTREAM_STAT_GRANTED),
      failed: at(i + POOL_UPSTREAM_STAT_FAILED),
      failuresInARow: at(i + POOL_UPSTREAM_STAT_FAILURES_IN_A_ROW),
      restsForMs: at(i + POOL_UPSTREAM_STAT_RESTS_FOR_MS),
    });
  }
  return {
    inFlight: at(POOL_STAT_IN_FLIGHT),
    maxInFlight: at(POOL_STAT_MAX_IN_FLIGHT),
    waiting: at(POOL_STAT_WAITING),
    members: at(POOL_STAT_MEMBERS),
    ownInFlight: at(POOL_STAT_OWN_IN_FLIGHT),
    granted: at(POOL_STAT_GRANTED),
    handedOver: at(POOL_STAT_HANDED_OVER),
    timedOut: at(POOL_STAT_TIMED_OUT),
    refused: at(POOL_STAT_REFUSED),
    cancelled: at(POOL_STAT_CANCELLED),
    expired: at(POOL_STAT_EXPIRED),
    reaped: at(POOL_STAT_REAPED),
    ejections: at(POOL_STAT_EJECTIONS),
    upstreams,
  };
}
