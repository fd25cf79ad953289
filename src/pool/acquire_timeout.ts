/**
 * The error of who waited in line for too long, with what there was to wait for.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import type { PoolStats, UpstreamStats } from "./stats.ts";

/** So many upstreams are told of in a message. */
const TOLD = 8;

/** `SLUICE_ACQUIRE_TIMEOUT`: no lease came free in time. Says why, for people and for programs. */
export class AcquireTimeoutError extends SluiceError {
  /** How long was waited, in milliseconds. */
  readonly waitedMs: number;
  /** The pool at that moment. */
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
  const told = upstreams.slice(0, TOLD).map(stateOf);
  if (upstreams.length > TOLD) told.push(`${upstreams.length - TOLD} more upstreams`);
  return `No lease of pool ${JSON.stringify(pool)} came free within ${Math.round(waitedMs)} ms: ` +
    `${inFlight}/${maxInFlight} in flight (${ownInFlight} of this Worker), ${waiting} in line; ` +
    (told.length === 0 ? "it has no upstreams" : told.join(", "));
}

function stateOf({ id, state, inFlight, limit, restsForMs }: UpstreamStats): string {
  const rests = restsForMs > 0 ? ` for ${(restsForMs / 1000).toFixed(1)} s` : "";
  return `${id} ${inFlight}/${limit} ${state}${rests}`;
}
