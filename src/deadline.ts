/**
 * Waiting for something, but not for ever.
 *
 * @module
 */

/** A timer of more milliseconds fires at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/**
 * What `work` comes to, or the error that `late` makes after `limitMs`. The work itself goes on;
 * what it comes to afterwards is for its own handlers.
 */
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

/** Makes the error of something that took longer than it may. */
export function tookTooLong(what: string, limitMs: number): () => DOMException {
  return () => new DOMException(`${what} took more than ${limitMs} ms`, "TimeoutError");
}

/** What `work` comes to, or the reason of `signal` when it aborts first. The work itself goes on. */
export async function unlessAborted<R>(
  work: Promise<R>,
  signal: AbortSignal | undefined,
): Promise<R> {
  if (signal === undefined) return await work;
  // Who is told of the abort hears no more of the work, also if it fails later.
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
