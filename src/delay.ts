/**
 * Timers as promises.
 *
 * It uses the global timers. The first import of a `node:` module costs a Deno program 20 ms (`bench/record`,
 * clock and units).
 *
 * @module
 */

/**
 * Resolves after `ms` milliseconds.
 *
 * @throws The reason of the signal when it aborts.
 */
export function delay(ms: number, signal?: AbortSignal | undefined): Promise<void> {
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

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
