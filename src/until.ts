/**
 * Polling for a condition that has no notification, such as the end of a drain that involves other Workers.
 *
 * @module
 */
import { delay } from "./delay.ts";

/** The polling interval, in milliseconds. */
const INTERVAL_MS = 20;

/**
 * Resolves when `done` is true.
 *
 * @throws The reason of the signal when it aborts.
 */
export async function until(signal: AbortSignal | undefined, done: () => boolean): Promise<void> {
  while (!done()) {
    await delay(INTERVAL_MS, signal);
  }
}
