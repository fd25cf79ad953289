/**
 * Timing of what takes well under a millisecond.
 *
 * @module
 */

/** How often to do it so that a round takes about `ms`. Warms it up as well. */
export async function calibrated(run: (times: number) => unknown, ms: number): Promise<number> {
  for (let times = 64;; times *= 4) {
    const took = await timed(() => run(times)) / 1e6;
    if (took > ms / 4) return Math.ceil(times * ms / took / 64) * 64;
  }
}

/** Nanoseconds. */
export async function timed(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) * 1e6;
}

/** Nanoseconds, of what does not wait. */
export function timedNow(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) * 1e6;
}
