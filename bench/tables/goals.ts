/**
 * What was aimed at, and whether it was met: the end of a section, and all that was missed in one table.
 *
 * @module
 */
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import type { Section } from "./section.ts";

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
export function goalTable<C>(record: BenchRecord<C>, goals: readonly Goal<C>[]): string[] {
  return ["What was aimed at:", "", ...markdown(head(record), rows(record, goals))];
}

/** All goals that a runtime has missed, in one table. */
export function missedTable(
  benches: readonly { readonly section: Section<never>; readonly record: BenchRecord<never> }[],
): string[] {
  const missed = benches.flatMap(({ section: { title, goals = [] }, record }) =>
    rows(record, goals)
      .filter((row) => row.some((cell) => cell.endsWith(MISSED)))
      .map(([goal, ...reached]) => [
        `[${title}](bench/README.md#${title.toLowerCase().replaceAll(" ", "-")}): ${goal}`,
        ...reached,
      ])
  );
  return markdown(head(benches[0]!.record), missed);
}

function head({ runtimes }: BenchRecord<unknown>): string[] {
  return ["", ...Object.values(runtimes).map(({ runtime }) => runtime)];
}

const MISSED = "**missed**";

function rows<C>({ runtimes }: BenchRecord<C>, goals: readonly Goal<C>[]): string[][] {
  return goals.map(({ goal, value, met, show = times }) => [
    goal,
    ...Object.values(runtimes).map(({ result }) => {
      const reached = value(result);
      if (Number.isNaN(reached)) return "–";
      return `${show(reached)}: ${met(reached) ? "met" : MISSED}`;
    }),
  ]);
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
