/**
 * The limit of the runtime on concurrent requests of `fetch`.
 *
 * @module
 */
import { bunBackend } from "./bun.ts";

/** The environment variable that sets the limit in Bun. */
export const CEILING_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/** Bun's default, for all threads of the process together. Requests above it wait without a timeout. */
const DEFAULT_CEILING = 256;

/** The largest value that Bun accepts. It uses its default for any other value. */
const LARGEST_CEILING = 65_535;

/** The limit, or `Infinity` if there is none, as in Deno and Node. */
export function requestCeiling(): number {
  const bun = bunBackend();
  if (bun === undefined) return Infinity;
  const value = Number(bun.environment(CEILING_VARIABLE) ?? NaN);
  const isTaken = Number.isInteger(value) && value > 0 && value <= LARGEST_CEILING;
  return isTaken ? value : DEFAULT_CEILING;
}
