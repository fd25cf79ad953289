/**
 * What a pool tells of itself, in one crossing.
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
import type { PoolMember } from "./member.ts";

/**
 * What use an upstream is in:
 *
 * - `"healthy"`: in use;
 * - `"ejected"`: taken out of use by failures, until `restsForMs` has passed;
 * - `"cooling"`: resting because it asked to, by `Retry-After`, until `restsForMs` has passed;
 * - `"probing"`: waiting for, or under, the one lease that decides whether it is back;
 * - `"draining"`: given no new leases, by {@linkcode UpstreamPool.drainUpstream}.
 */
export type UpstreamState = "healthy" | "ejected" | "cooling" | "probing" | "draining";

/** One upstream at one moment. */
export interface UpstreamStats {
  /** Its id. */
  readonly id: string;
  /** What use it is in. */
  readonly state: UpstreamState;
  /** Leases in use, over all Workers. */
  readonly inFlight: number;
  /** The most that may be. */
  readonly maxInFlight: number;
  /** How many leases may be in use now: less than `maxInFlight` where `adaptive` says so. */
  readonly limit: number;
  /** Its share of the load. */
  readonly weight: number;
  /** Its tier. */
  readonly tier: number;
  /** Leases granted since the pool was opened. */
  readonly granted: number;
  /** Failures told since the pool was opened. */
  readonly failed: number;
  /** Failures since the last success. */
  readonly failuresInARow: number;
  /** How long it rests from now on, in milliseconds; 0 unless ejected or cooling. */
  readonly restsForMs: number;
}

/** A pool at one moment. */
export interface PoolStats {
  /** Leases in use, over all upstreams and Workers. */
  readonly inFlight: number;
  /** The most that may be. */
  readonly maxInFlight: number;
  /** Places taken in the line, over all Workers. */
  readonly waiting: number;
  /** Workers (more exactly: `UpstreamPool` objects) that have the pool open. */
  readonly members: number;
  /** Of those the leases that this one holds. */
  readonly ownInFlight: number;
  /** Leases granted since the pool was opened, over all Workers; and so the counts below. */
  readonly granted: number;
  /** Grants that went to somebody in line. */
  readonly handedOver: number;
  /** Waits that ended with `SLUICE_ACQUIRE_TIMEOUT`. */
  readonly timedOut: number;
  /** Acquires refused with `SLUICE_QUEUE_FULL`. */
  readonly refused: number;
  /** Places given up, by a signal. */
  readonly cancelled: number;
  /** Leases that outlived their time. */
  readonly expired: number;
  /** Leases that Workers left behind when they ended. */
  readonly reaped: number;
  /** Ejections by failures. */
  readonly ejections: number;
  /** The upstreams, by index. */
  readonly upstreams: readonly UpstreamStats[];
}

const STATES: Readonly<Record<number, UpstreamState>> = {
  [UPSTREAM_STATE_HEALTHY]: "healthy",
  [UPSTREAM_STATE_EJECTED]: "ejected",
  [UPSTREAM_STATE_PROBING]: "probing",
  [UPSTREAM_STATE_COOLING]: "cooling",
};

const decoder = new TextDecoder();

/** Reads the stats of a pool, into buffers that stay and grow when they have to. */
export class StatsReader {
  #numbers = new Float64Array(new ArrayBuffer(8 * (POOL_STATS + 16 * POOL_UPSTREAM_STATS)));
  #ids = new Uint8Array(new ArrayBuffer(16 * 32));

  /** One crossing, unless there are more upstreams than ever before. */
  read(member: Pick<PoolMember, "native" | "handle" | "unwrap">): PoolStats {
    const { native, handle } = member;
    for (;;) {
      const [numbers, ids] = [this.#numbers, this.#ids];
      const length = member.unwrap(
        native.sluice_pool_stats(handle, numbers, numbers.length, ids, ids.length),
      );
      const bytes = numbers[POOL_STAT_ID_BYTES]!;
      if (length <= numbers.length && bytes <= ids.length) return statsOf(numbers, length, ids);
      // Room for as many again, if upstreams are being added.
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
