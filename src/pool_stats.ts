/**
 * What a pool tells of itself, in one crossing.
 *
 * @module
 */

/**
 * What use an upstream is in:
 *
 * - `"healthy"`: in use;
 * - `"ejected"`: resting until `restsForMs` has passed;
 * - `"probing"`: waiting for, or under, the one lease that decides whether it is back;
 * - `"draining"`: given no new leases, by {@linkcode UpstreamPool.drainUpstream}.
 */
export type UpstreamState = "healthy" | "ejected" | "probing" | "draining";

/** One upstream at one moment. */
export interface UpstreamStats {
  readonly id: string;
  readonly state: UpstreamState;
  /** Leases in use, over all Workers. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** How many leases may be in use now: less than `maxInFlight` where `adaptive` says so. */
  readonly limit: number;
  readonly weight: number;
  readonly tier: number;
  /** Leases granted since the pool was opened. */
  readonly granted: number;
  /** Failures told since the pool was opened. */
  readonly failed: number;
  /** Failures since the last success. */
  readonly failuresInARow: number;
  /** How long it rests from now on, in milliseconds; 0 unless ejected. */
  readonly restsForMs: number;
}

/** A pool at one moment. */
export interface PoolStats {
  /** Leases in use, over all upstreams and Workers. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** Places taken in the line, over all Workers. */
  readonly waiting: number;
  /** Workers (more exactly: `UpstreamPool` objects) that have the pool open. */
  readonly members: number;
  /** Of those the leases that this one holds. */
  readonly ownInFlight: number;
  /** Counts since the pool was opened, over all Workers. */
  readonly granted: number;
  /** Grants that went to somebody in line. */
  readonly handedOver: number;
  readonly timedOut: number;
  readonly refused: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly reaped: number;
  readonly ejections: number;
  readonly upstreams: readonly UpstreamStats[];
}
