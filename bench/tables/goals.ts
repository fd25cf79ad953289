/**
 * The goals of the benches: bounds on values that the records meet or miss. They are data, in `bench/tables.json`.
 *
 * @module
 */
import { geometricMean } from "../measure.ts";
import type { Cell } from "../record.ts";
import { type Cells, figure, type Match, ratio, times } from "./cells.ts";
import { leads } from "./pivot.ts";

/** A bound on a value. One of `figure`, `ratio`, `lead` and `above` says what is taken of each cell. */
export interface Goal {
  /** The goal in words, with its bound. */
  readonly goal: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly where: Match;
  readonly figure?: string;
  /** The ratio of this figure to that of the cell `to`. */
  readonly ratio?: string;
  /** How many times as fast the cell `to` is, by each of these speeds. */
  readonly lead?: readonly string[];
  /** The time above that of this floor, in units of reading the native clock. */
  readonly above?: string;
  readonly to?: Match;
  /** A field that the figure is divided by. */
  readonly per?: string;
  readonly scale?: number;
  /** What is taken of all cells; `lost` counts leads below 1. By default there is one cell. */
  readonly take?: "mean" | "min" | "max" | "lost";
  /** The unit of the value; a ratio has none. */
  readonly unit?: string;
  readonly decimals?: number;
}

/** How a missed goal is marked. */
export const MISSED = "**missed**";

/** What came of a goal in the cells of a runtime: "2.9x: met". */
export function outcome(goal: Goal, cells: Cells): string {
  const { atLeast = -Infinity, atMost = Infinity, take, unit, decimals } = goal;
  const values = valuesOf(goal, cells).filter(Number.isFinite);
  if (values.length === 0) return "–";
  const value = take === "mean"
    ? geometricMean(values)
    : take === "lost"
    ? values.filter((lead) => lead < 1).length
    : Math[take ?? "min"](...values);
  const shown = take === "lost"
    ? String(value)
    : unit === undefined
    ? times(value)
    : value.toFixed(decimals) + unit;
  return `${shown}: ${value >= atLeast && value <= atMost ? "met" : MISSED}`;
}

function valuesOf(goal: Goal, cells: Cells): number[] {
  const group = cells.filter(goal.where);
  const { lead, to = {}, scale = 1 } = goal;
  if (lead !== undefined) return lead.flatMap((field) => leads(group, cells, to, field));
  return group.map((cell) => scale * valueOf(goal, cell, cells));
}

function valueOf(
  { figure: field, ratio: compared, above, per, to = {} }: Goal,
  cell: Cell,
  cells: Cells,
) {
  if (field !== undefined) return figure(cell, field) / (per === undefined ? 1 : figure(cell, per));
  if (above !== undefined) {
    const floor = (name: string) => cells.figure({ part: "floor", name });
    const clock = floor("crossing that reads CLOCK_MONOTONIC") - floor("crossing with a buffer");
    return (figure(cell) - floor(above)) / clock;
  }
  const base = cells.sibling(cell, to);
  if (base === undefined) return NaN;
  return ratio(cell, base, compared!) / (per === undefined ? 1 : ratio(cell, base, per));
}
