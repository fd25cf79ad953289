/**
 * Bounded waits: promises raced against a timer or a signal.
 *
 * @module
 */

/** The longest timer, in milliseconds. A longer one fires at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** The result of `work`, or the error of `late` after `limitMs`. The work itself continues. */
export async function before<R>(
  work: R | Promise<R>,
  limitMs: number,
  late: () => Error,
): Promise<R> {
  if (limitMs === Infinity) return await work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.min(limitMs, LONGEST_TIMER));
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes the error of a timeout. */
export function tookTooLong(what: string, limitMs: number): () => DOMException {
  return () => new DOMException(`${what} took more than ${limitMs} ms`, "TimeoutError");
}

/** The result of `work`, or the reason of `signal` if it aborts first. The work itself continues. */
export async function unlessAborted<R>(
  work: Promise<R>,
  signal: AbortSignal | undefined,
): Promise<R> {
  if (signal === undefined) return await work;
  // After an abort, a later failure of the work is not reported.
  work.catch(() => {});
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
