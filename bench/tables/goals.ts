/**
 * What was aimed at, and whether it was met: the end of a section of the README.
 *
 * @module
 */
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";

/** Something aimed at, and what a bench's cells say of it. */
export interface Goal<C> {
  /** In words, with the figure that is to be reached. */
  readonly goal: string;
  /** What came of it; NaN if it was not measured. */
  readonly value: (cells: readonly C[]) => number;
  /** Whether that is enough. */
  readonly met: (value: number) => boolean;
  /** How it is shown; as a ratio if this is not said. */
  readonly show?: (value: number) => string;
}

/** Each goal with what came of it in each runtime, met or missed. */
export function goalTable<C>({ runtimes }: BenchRecord<C>, goals: readonly Goal<C>[]): string[] {
  const results = Object.values(runtimes);
  const rows = goals.map(({ goal, value, met, show = times }) => [
    goal,
    ...results.map(({ result }) => {
      const reached = value(result);
      if (Number.isNaN(reached)) return "–";
      return `${show(reached)}: ${met(reached) ? "met" : "**missed**"}`;
    }),
  ]);
  return [
    "What was aimed at:",
    "",
    ...markdown(["", ...results.map(({ runtime }) => runtime)], rows),
  ];
}

/** A ratio for a table. */
export function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio).toLocaleString("en")}x`;
}

/** Whether a value is at least `least`. */
export function atLeast(least: number): (value: number) => boolean {
  return (value) => value >= least;
}

/** Whether a value is at most `most`. */
export function atMost(most: number): (value: number) => boolean {
  return (value) => value <= most;
}
