/**
 * Waiting for time to pass.
 *
 * Timers are the runtime's global ones: the library imports nothing of `node:` that it does not need yet,
 * as the first such import costs a Deno program 20 ms (`bench/record`, clock and units).
 *
 * @module
 */

/**
 * Resolves after `ms` milliseconds.
 *
 * @throws The signal's reason, at once when it aborts.
 */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Resolves when the event loop has gone round. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
