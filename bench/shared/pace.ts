/**
 * An open-loop load: requests arrive at a steady rate, whether or not earlier ones have been decided.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicClock } from "../monotonic.ts";
import type { Decider } from "./limit.ts";

/** What came of a load. Times are milliseconds of a clock that all processes share. */
export interface Paced {
  /** When each admitted request was asked for, and when it was admitted. */
  readonly admitted: (readonly [asked: number, at: number])[];
  readonly refused: number;
  /** Requests that were not decided: an error, or no answer at the end. */
  readonly errors: number;
  /** The waits for a decision, errors included, in milliseconds and sorted. */
  readonly waits: number[];
}

/** How long to wait for the decisions that are open at the end: longer than Upstash's own limit of time. */
const LAST_MS = 6000;

/** Sends `rate` requests a second for `ms` milliseconds, those of the keys in turn. */
export async function pace(
  { decide }: Decider,
  keys: readonly string[],
  rate: number,
  ms: number,
): Promise<Paced> {
  const clock = monotonicClock();
  const admitted: (readonly [asked: number, at: number])[] = [];
  const waits: number[] = [];
  let [sent, open, refused, errors] = [0, 0, 0, 0];
  const request = async () => {
    const start = clock();
    open++;
    try {
      const isAdmitted = await decide(keys[sent % keys.length]!);
      if (isAdmitted) admitted.push([start, clock()]);
      else refused++;
    } catch {
      errors++;
    }
    open--;
    waits.push(clock() - start);
  };
  const start = clock();
  for (let now = start; now < start + ms; now = clock()) {
    for (const due = Math.floor((now - start) * rate / 1000); sent < due; sent++) void request();
    await sleep(1);
  }
  for (const end = clock() + LAST_MS; open > 0 && clock() < end;) await sleep(10);
  waits.sort((a, b) => a - b);
  return { admitted, refused, errors: errors + open, waits };
}

/** The value that a share of the sorted values does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
