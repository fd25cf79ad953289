/**
 * The error of a request that was queued for too long, with a snapshot of the pool.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import type { PoolStats, UpstreamStats } from "./stats.ts";

/** The most upstreams that a message lists. */
const LISTED = 8;

/** `SLUICE_ACQUIRE_TIMEOUT`: no lease was free in time. Has the reason for people and for programs. */
export class AcquireTimeoutError extends SluiceError {
  /** How long the request was queued, in milliseconds. */
  readonly waitedMs: number;
  /** The pool at the time of the error. */
  readonly stats: PoolStats;

  /** Made by {@linkcode UpstreamPool.acquire}. */
  constructor(pool: string, waitedMs: number, stats: PoolStats) {
    super("SLUICE_ACQUIRE_TIMEOUT", messageOf(pool, waitedMs, stats));
    this.waitedMs = waitedMs;
    this.stats = stats;
  }
}

function messageOf(pool: string, waitedMs: number, stats: PoolStats): string {
  const { inFlight, maxInFlight, ownInFlight, waiting, upstreams } = stats;
  const listed = upstreams.slice(0, LISTED).map(stateOf);
  if (upstreams.length > LISTED) listed.push(`${upstreams.length - LISTED} more upstreams`);
  return `No lease of pool ${JSON.stringify(pool)} was free within ${Math.round(waitedMs)} ms: ` +
    `${inFlight}/${maxInFlight} in flight (${ownInFlight} of this Worker), ${waiting} queued; ` +
    (listed.length === 0 ? "it has no upstreams" : listed.join(", "));
}

function stateOf({ id, state, inFlight, limit, restsForMs }: UpstreamStats): string {
  const rests = restsForMs > 0 ? ` for ${(restsForMs / 1000).toFixed(1)} s` : "";
  return `${id} ${inFlight}/${limit} ${state}${rests}`;
}
