/**
 * How many requests the runtime's `fetch` has in flight at most.
 *
 * @module
 */
import { bunBackend } from "./bun.ts";

/** The variable that sets the ceiling in Bun. */
export const CEILING_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** Bun's own, for all threads of the process together; what is above it waits without a timeout. */
const DEFAULT_CEILING = 256;

/** The largest that Bun takes; it reads any other value as its default. */
const LARGEST_CEILING = 65_535;

/** The ceiling, `Infinity` where there is none, as in Deno. */
export function requestCeiling(): number {
  const bun = bunBackend();
  if (bun === undefined) return Infinity;
  const value = Number(bun.environment(CEILING_VARIABLE) ?? NaN);
  const isTaken = Number.isInteger(value) && value > 0 && value <= LARGEST_CEILING;
  return isTaken ? value : DEFAULT_CEILING;
}
