/**
 * Times functions in turns, by mitata.
 *
 * @module
 */
import { measure } from "mitata";
import { type Spread, spread } from "./measure.ts";
import { progress } from "./program.ts";

/** A function to be timed, and the fields that identify it in a record. */
export interface Contender<C> {
  readonly cell: C;
  /** A property, so that each contender has its own call site in mitata. */
  readonly call: () => unknown;
  /** Operations of a call, if it is a batch. */
  readonly operations?: number;
  close?(): unknown;
}

const ROUNDS = 9;
/** Nanoseconds of a contender in a round. */
const NS_PER_ROUND = 40e6;
/** Nanoseconds of a sample of calls so short that the clock cannot time one. */
const NS_PER_SAMPLE = 2e5;
const MAX_CALLS_PER_SAMPLE = 4096;

/**
 * The nanoseconds of an operation of each contender: median, lowest and highest of the medians of the rounds. The
 * contenders take turns in each round, so that a busy moment of the machine affects all of them.
 */
export async function race<C extends object>(
  title: string,
  contenders: readonly Contender<C>[],
  brief: boolean,
): Promise<(C & Spread)[]> {
  const times = contenders.map((): number[] => []);
  // Calls per sample, a multiple of the four that mitata unrolls; set by the time of the round before.
  const calls = contenders.map(() => 64);
  for (let round = 0; round < (brief ? 1 : ROUNDS); round++) {
    progress(`${title}, round ${round + 1}`);
    for (const [i, contender] of contenders.entries()) {
      const { p50 } = await measure(contender.call, {
        gc: false,
        min_cpu_time: brief ? 1 : NS_PER_ROUND,
        min_samples: brief ? 1 : 12,
        batch_samples: calls[i]!,
      });
      calls[i] = 4 * Math.ceil(Math.min(MAX_CALLS_PER_SAMPLE, NS_PER_SAMPLE / p50) / 4);
      times[i]!.push(p50 / (contender.operations ?? 1));
    }
  }
  for (const contender of contenders) await contender.close?.();
  return contenders.map(({ cell }, i) => ({ ...cell, ...spread(times[i]!) }));
}
