/**
 * An index of a record's cells by their identifying fields, and the formats of their figures.
 *
 * @module
 */
import { geometricMean, median, type Spread } from "../measure.ts";
import type { BenchRecord, Cell } from "../record.ts";

/** Fields with the values that a cell must have; see {@linkcode matches}. */
export type Match = Readonly<Record<string, unknown>>;

/** The cells of a record, each with its runtime as a field. */
export class Cells {
  readonly all: readonly Cell[];
  readonly #keys: readonly string[];
  readonly #index: ReadonlyMap<string, Cell>;

  /** @param keys The fields that identify a cell within a runtime. */
  constructor(all: readonly Cell[], keys: readonly string[]) {
    this.all = all;
    this.#keys = ["runtime", ...keys];
    const index = new Map<string, Cell>();
    for (const cell of all) {
      const key = this.#key(cell);
      // Such as when a record was made with another schema and lacks a field.
      if (index.has(key)) throw new Error(`two cells have ${this.#keys}: ${JSON.stringify(key)}`);
      index.set(key, cell);
    }
    this.#index = index;
  }

  static of({ runtimes }: BenchRecord, keys: readonly string[]): Cells {
    const all = Object.values(runtimes).flatMap(({ runtime, result }) =>
      result.map((cell) => ({ runtime, ...cell }))
    );
    return new Cells(all, keys);
  }

  /** The cells of one runtime. */
  in(runtime: string): Cells {
    return new Cells(this.all.filter((cell) => cell["runtime"] === runtime), this.#keys.slice(1));
  }

  filter(match: Match): Cell[] {
    return this.all.filter((cell) => matches(cell, match));
  }

  /** The distinct values of a field, in order of appearance. */
  values(field: string, cells: readonly Cell[] = this.all): unknown[] {
    return [...new Set(cells.map((cell) => cell[field]))].filter((value) => value !== undefined);
  }

  /** The cell that differs from `cell` in these fields only. */
  sibling(cell: Cell, changes: Match): Cell | undefined {
    return this.#index.get(this.#key({ ...cell, ...changes }));
  }

  /** The figure of the only cell that matches; NaN if there is none. */
  figure(match: Match, field = "median"): number {
    const found = this.filter(match);
    if (found.length > 1) throw new Error(`${found.length} cells match ${JSON.stringify(match)}`);
    return found[0] === undefined ? NaN : figure(found[0], field);
  }

  #key(cell: Cell): string {
    return this.#keys.map((key) => String(cell[key] ?? "")).join("|");
  }
}

/** Whether a cell has these values: each is a value, null for none, or `{not}`, `{above}` or `{in}`. */
export function matches(cell: Cell, match: Match): boolean {
  return Object.entries(match).every(([field, wanted]) => {
    const value = cell[field];
    if (typeof wanted !== "object" || wanted === null) return value === (wanted ?? undefined);
    const condition = wanted as { not?: unknown; above?: number; in?: readonly unknown[] };
    if (condition.above !== undefined) return (value as number) > condition.above;
    return condition.in?.includes(value) ?? value !== condition.not;
  });
}

/** A figure of a cell: a number, or the median of a spread or of one figure for each round. */
export function figure(cell: Cell, field = "median"): number {
  const value = cell[field];
  if (Array.isArray(value)) return median(value);
  return typeof value === "number" ? value : (value as Spread).median;
}

/** The ratio of a figure of two cells: the median of the rounds' ratios if both have rounds. */
export function ratio(above: Cell, below: Cell, field = "median"): number {
  const [a, b] = [above[field], below[field]];
  if (!Array.isArray(a) || !Array.isArray(b)) return figure(above, field) / figure(below, field);
  return median(b.slice(0, a.length).map((value, round) => a[round] / value));
}

/** "3.1 ns", "45 µs", "1.2 ms". */
export function duration(nanoseconds: number): string {
  const [value, unit] = nanoseconds < 1e3
    ? [nanoseconds, "ns"]
    : nanoseconds < 1e6
    ? [nanoseconds / 1e3, "µs"]
    : [nanoseconds / 1e6, "ms"];
  return `${short(value)} ${unit}`;
}

/** Two significant digits below 10, an integer above. */
export function short(value: number): string {
  return value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString("en");
}

/** "3.1x". */
export function times(ratio: number): string {
  return `${short(ratio)}x`;
}

/** "45 %". */
export function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/** A geometric mean with the lowest and highest of its ratios. */
export function meanRange(ratios: readonly number[]): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `**${times(geometricMean(ratios))}** (${times(low)}–${times(high)})`;
}
