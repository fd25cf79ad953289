/**
 * Contenders timed in turn, round by round, so that a busy moment of the machine hits all alike.
 *
 * @module
 */
import { rounded, type Spread, spread } from "../measure.ts";
import { expect, progress } from "../program.ts";

/** Whether what is timed is let through or turned away. */
export type Outcome = "admitted" | "denied";

/** Does its thing so many times, and returns how many were admitted. */
export type Run = (times: number) => number | Promise<number>;

/** One of those that are timed. */
export interface Contender {
  readonly run: Run;
  close?(): void;
}

/** Nanoseconds a time, for each contender in order; throws if one did not do what it should. */
export async function race(
  title: string,
  outcome: Outcome,
  contenders: readonly (readonly [name: string, contender: Contender])[],
  brief: boolean,
): Promise<Spread[]> {
  const ms = brief ? 2 : 80;
  const all: { name: string; run: Run; times: number; ns: number[] }[] = [];
  for (const [name, { run }] of contenders) {
    all.push({ name, run, times: await calibrated(run, ms), ns: [] });
  }
  for (let round = 0; round < (brief ? 2 : 15); round++) {
    progress(`limiter: ${title}, ${outcome}, round ${round + 1}`);
    for (const { name, run, times, ns } of all) {
      const start = performance.now();
      const admitted = await run(times);
      ns.push((performance.now() - start) * 1e6 / times);
      const wanted = outcome === "admitted" ? times : 0;
      expect(admitted === wanted, `${title}: ${name} admits ${wanted}, but ${admitted}`);
    }
  }
  for (const [, contender] of contenders) contender.close?.();
  return all.map(({ ns }) => roundedSpread(ns));
}

/** More than there are keys in turn: what is to be denied has had its one after as many. */
const FIRST = 5120;

/** How often to do it so that it takes about `ms`. Warms it up, and takes what there is to take. */
async function calibrated(run: Run, ms: number): Promise<number> {
  await run(FIRST);
  for (let times = 512;; times *= 4) {
    const start = performance.now();
    await run(times);
    const took = performance.now() - start;
    if (took > ms / 4) return Math.max(512, Math.ceil(times * ms / took / 512) * 512);
  }
}

/** Four significant digits. */
export function roundedSpread(values: readonly number[]): Spread {
  const { median, low, high } = spread(values);
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}
