/**
 * The warning that pools allow more requests than the runtime's `fetch` carries out.
 *
 * @module
 */
import process from "node:process";
import { CEILING_VARIABLE, requestCeiling } from "../ffi/request_ceiling.ts";
import type { PoolStats } from "./stats.ts";

/** What each pool that fetched in this isolate allows. */
const allowed = new Map<string, number>();
let hasWarned = false;

/**
 * Counts the caps of a pool in, and warns the first time that those of all pools add up to more
 * than the ceiling. Called with every pool's first fetch: reading the caps takes a crossing.
 */
export function checkCeiling(
  name: string,
  stats: Pick<PoolStats, "maxInFlight" | "upstreams">,
  ceiling: number = requestCeiling(),
): void {
  const caps = stats.upstreams.reduce((sum, { maxInFlight }) => sum + maxInFlight, 0);
  allowed.set(name, Math.min(caps, stats.maxInFlight));
  const total = [...allowed.values()].reduce((sum, cap) => sum + cap, 0);
  if (hasWarned || total <= ceiling) return;
  hasWarned = true;
  process.emitWarning(
    `The pools of this process allow ${total} requests in flight, but Bun's fetch carries out ` +
      `${ceiling} at a time, over all Workers and hosts, and lets the rest wait without a ` +
      `timeout: a slow upstream can hold up the others. Set ${CEILING_VARIABLE}=${total} or more ` +
      "in the environment before Bun starts (at most 65535), or lower the pools' maxInFlight.",
    { type: "SluiceWarning", code: "SLUICE_FETCH_CEILING" },
  );
}
