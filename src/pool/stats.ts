/**
 * What a pool tells of itself, in one crossing.
 *
 * @module
 */
import { POOL_STATS, POOL_UPSTREAM_STATS } from "../ffi/symbols.gen.ts";
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

const STATES: readonly UpstreamState[] = ["healthy", "ejected", "probing", "cooling"];

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
      const bytes = numbers[0]!;
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
    const state = at(i + 2) === 1 ? "draining" : STATES[at(i + 1)]!;
    upstreams.push({
      id: decoder.decode(ids.subarray(id, id += at(i))),
      state,
      inFlight: at(i + 3),
      maxInFlight: at(i + 4),
      limit: at(i + 5),
      weight: at(i + 6),
      tier: at(i + 7),
      granted: at(i + 8),
      failed: at(i + 9),
      failuresInARow: at(i + 10),
      restsForMs: at(i + 11),
    });
  }
  return {
    inFlight: at(1),
    maxInFlight: at(2),
    waiting: at(3),
    members: at(4),
    ownInFlight: at(5),
    granted: at(6),
    handedOver: at(7),
    timedOut: at(8),
    refused: at(9),
    cancelled: at(10),
    expired: at(11),
    reaped: at(12),
    ejections: at(13),
    upstreams,
  };
}
