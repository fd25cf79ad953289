/**
 * Pivot tables by specification: the cells of a record grouped by rows and columns, each group reduced to text.
 *
 * The specifications are data, in `bench/tables.json`; the interfaces here are their schema.
 *
 * @module
 */
import type { Cell } from "../record.ts";
import { markdown } from "../text_table.ts";
import {
  type Cells,
  duration,
  figure,
  type Match,
  matches,
  meanRange,
  percent,
  ratio,
  short,
  times,
} from "./cells.ts";

/** A table. Rows and columns are all combinations of their factors' headings. */
export interface TableSpec {
  /** The cells that take part; all by default. */
  readonly where?: Match;
  readonly rows: readonly Factor[];
  readonly columns: readonly Factor[];
  /** How a group of cells is shown, unless its column or row says otherwise. */
  readonly show?: Show;
  /** The title of the first column. */
  readonly corner?: string;
  /** Leaves out rows and columns without text. */
  readonly isSparse?: boolean;
}

/** Headings, or a field whose values make them, in order of appearance. */
export type Factor = string | Field | readonly Heading[];

/** A field whose values make headings. */
export interface Field {
  readonly field: string;
  /** These values only. */
  readonly only?: readonly unknown[];
  /** Titles of values; other values are their own titles. */
  readonly titles?: Readonly<Record<string, string>>;
  /** What follows the value in a title. */
  readonly suffix?: string;
}

/** A row or a column. */
export interface Heading {
  readonly title: string;
  readonly match?: Match;
  readonly show?: Show;
}

/** Text and parts in sequence. */
export type Show = readonly (string | Part)[];

/** A part of a table cell. All parts but `lead` and `losses` show the only cell of a group. */
export interface Part {
  /** A time in nanoseconds, or in units of `scale` nanoseconds. */
  readonly time?: string;
  /** A figure with its `unit` and this number of `decimals`. */
  readonly figure?: string;
  /** How many times the figure of the cell `to` this figure is. */
  readonly times?: string;
  /** The share of the figure of the cell `to` that this figure is, or the `inverse`. */
  readonly percent?: string;
  /** How many times as fast the cell `to` is: geometric mean and range over the group. */
  readonly lead?: string;
  /** How many cells of the group are faster than the cell `to`. */
  readonly losses?: string;
  /** A text that is shown unless this field is true. */
  readonly unless?: string;
  readonly text?: string;
  /** The smallest `batch` from which on this way costs less per text than the way `to`. */
  readonly breakEven?: string;
  /** Shows the cell that differs in these fields. */
  readonly at?: Match;
  readonly to?: Match;
  readonly inverse?: boolean;
  /** A field that the figure is divided by. */
  readonly per?: string;
  readonly scale?: number;
  readonly unit?: string;
  readonly decimals?: number;
}

const NONE = "–";

/** A table in Markdown. */
export function pivot(spec: TableSpec, cells: Cells): string[] {
  const part = cells.filter(spec.where ?? {});
  const columns = combined(spec.columns, part, cells);
  const rows = combined(spec.rows, part, cells).map((row) => {
    const inRow = part.filter((cell) => matches(cell, row.match ?? {}));
    return [
      row.title,
      ...columns.map(({ match = {}, show = row.show ?? spec.show! }) => {
        const group = inRow.filter((cell) => matches(cell, match));
        return group.length === 0 ? NONE : shown(show, group, cells);
      }),
    ];
  });
  const head = [spec.corner ?? "", ...columns.map(({ title }) => title)];
  if (!spec.isSparse) return markdown(head, rows);
  const kept = rows.filter((row) => row.slice(1).some((text) => text !== NONE));
  const used = head.map((_, i) => i === 0 || kept.some((row) => row[i] !== NONE));
  const trimmed = (row: readonly string[]) => row.filter((_, i) => used[i]);
  return markdown(trimmed(head), kept.map(trimmed));
}

function combined(factors: readonly Factor[], part: readonly Cell[], cells: Cells): Heading[] {
  return factors.map((factor) => headings(factor, part, cells)).reduce<Heading[]>(
    (left, right) =>
      left.flatMap((a) =>
        right.map((b) => ({
          ...a,
          ...b,
          title: [a.title, b.title].filter((title) => title !== "").join(", "),
          match: { ...a.match, ...b.match },
        }))
      ),
    [{ title: "" }],
  );
}

function headings(factor: Factor, part: readonly Cell[], cells: Cells): readonly Heading[] {
  if (typeof factor !== "string" && !("field" in factor)) return factor;
  const spec: Field = typeof factor === "string" ? { field: factor } : factor;
  const { field, only, titles = {}, suffix = "" } = spec;
  return (only ?? cells.values(field, part)).map((value) => {
    const name = typeof value === "number" ? value.toLocaleString("en") : String(value);
    return { title: titles[String(value)] ?? name + suffix, match: { [field]: value } };
  });
}

function shown(show: Show, group: readonly Cell[], cells: Cells): string {
  return show.map((part) => typeof part === "string" ? part : partOf(part, group, cells)).join("");
}

function partOf(part: Part, group: readonly Cell[], cells: Cells): string {
  const { at, to = {}, per, scale = 1, unit = "", decimals } = part;
  if (part.lead !== undefined || part.losses !== undefined) {
    const ratios = leads(group, cells, to, (part.lead ?? part.losses)!);
    if (part.lead !== undefined) return ratios.length === 0 ? NONE : meanRange(ratios);
    const lost = ratios.filter((ratio) => ratio < 1);
    if (lost.length === 0) return NONE;
    return `${lost.length} of ${ratios.length}, worst ${times(Math.min(...lost))}`;
  }
  if (part.breakEven !== undefined) return breakEven(part.breakEven, group, cells, to);
  if (group.length > 1) throw new Error(`${group.length} cells: ${JSON.stringify(group[0])}`);
  const cell = at === undefined ? group[0] : cells.sibling(group[0]!, at);
  if (cell === undefined) return NONE;
  if (part.unless !== undefined) return cell[part.unless] === true ? "" : part.text!;
  const compared = part.times ?? part.percent;
  if (compared !== undefined) {
    const base = cells.sibling(cell, to);
    if (base === undefined) return NONE;
    const [above, below] = part.inverse ? [base, cell] : [cell, base];
    const value = ratio(above, below, compared) /
      (per === undefined ? 1 : ratio(above, below, per));
    return part.times === undefined ? percent(value) : times(value);
  }
  const divisor = per === undefined ? 1 : figure(cell, per);
  const value = scale * figure(cell, (part.time ?? part.figure)!) / divisor;
  if (part.time !== undefined) return duration(value);
  return (decimals === undefined ? short(value) : value.toFixed(decimals)) + unit;
}

function breakEven(way: string, group: readonly Cell[], cells: Cells, to: Match): string {
  const batches = group.filter((cell) => cell["way"] === way).toReversed();
  const dearer = batches.findIndex((cell) => ratio(cell, cells.sibling(cell, to)!) >= 1);
  if (dearer === 0) return "**never in what was measured**";
  return `from ${batches.at(dearer < 0 ? -1 : dearer - 1)!["batch"]} on`;
}

/** How many times as fast the cell that differs in `to` is as each cell of a group, by a speed. */
export function leads(group: readonly Cell[], cells: Cells, to: Match, field: string): number[] {
  return group.flatMap((cell) => {
    const own = cells.sibling(cell, to);
    const rounds = cell[field];
    if (own === undefined || (Array.isArray(rounds) && rounds.length === 0)) return [];
    return [ratio(own, cell, field)];
  });
}
