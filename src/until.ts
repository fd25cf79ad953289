/**
 * Waiting for what nobody announces, such as the end of a drain that other Workers have a part in.
 *
 * @module
 */
import { delay } from "./delay.ts";

/** How often to look, in milliseconds. */
const INTERVAL_MS = 20;

/**
 * Resolves when `done` is true.
 *
 * @throws The signal's reason when it aborts.
 */
export async function until(signal: AbortSignal | undefined, done: () => boolean): Promise<void> {
  while (!done()) {
    await delay(INTERVAL_MS, signal);
  }
}
