/**
 * Waiting for what nobody announces, such as the end of a drain that other Workers have a part in.
 *
 * @module
 */
import { setTimeout } from "node:timers/promises";

/** How often to look, in milliseconds. */
const INTERVAL_MS = 20;

/**
 * Resolves when `done` is true.
 *
 * @throws The signal's reason when it aborts.
 */
export async function until(signal: AbortSignal | undefined, done: () => boolean): Promise<void> {
  while (!done()) {
    signal?.throwIfAborted();
    try {
      await setTimeout(INTERVAL_MS, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The timer knows only "aborted"; the caller gets the reason that was given.
      signal?.throwIfAborted();
      throw error;
    }
  }
}
