/**
 * Everything that documents show of the records, by marker: `BENCH.TABLE`, `BENCH.goals`, `BENCH.source`, figures of
 * the prose, and `missed`.
 *
 * @module
 */
import specs from "../tables.json" with { type: "json" };
import { type BenchRecord, machineLine, newestRecord, recordName } from "../record.ts";
import { markdown } from "../text_table.ts";
import { Cells, type Match, ratio, times } from "./cells.ts";
import { type Goal, MISSED, outcome } from "./goals.ts";
import { leads, pivot, type TableSpec } from "./pivot.ts";

interface BenchSpec {
  /** The heading of its section in `docs/benchmarks.md`. */
  readonly title: string;
  /** The fields that identify a cell within a runtime. */
  readonly keys: readonly string[];
  readonly tables: Readonly<Record<string, TableSpec>>;
  readonly goals?: readonly Goal[];
}

const SPECS = specs as unknown as Readonly<Record<string, BenchSpec>>;
const NOT_MEASURED = "*Not measured yet.*";

/** All tables of a record, with its goals, for its page. */
export function recordTables(record: BenchRecord): string[] {
  const { keys, tables, goals = [] } = SPECS[record.bench]!;
  const cells = Cells.of(record, keys);
  const lines = Object.entries(tables).flatMap(([name, spec]) => [
    `## ${name}`,
    "",
    ...pivot(spec, cells),
    "",
  ]);
  if (goals.length === 0) return lines.slice(0, -1);
  return [...lines, "## goals", "", ...goalTable(goals, cells)];
}

/** What stands between each pair of markers: a block of lines, or text within a sentence. */
export function rendered(): Map<string, readonly string[] | string> {
  const all = new Map<string, readonly string[] | string>();
  const missed: string[][] = [];
  for (const [bench, { title, keys, tables, goals = [] }] of Object.entries(SPECS)) {
    const record = newestRecord(bench);
    const cells = record === undefined ? undefined : Cells.of(record, keys);
    for (const [name, spec] of Object.entries(tables)) {
      all.set(`${bench}.${name}`, cells === undefined ? [NOT_MEASURED] : pivot(spec, cells));
    }
    if (goals.length > 0) {
      all.set(`${bench}.goals`, cells === undefined ? [NOT_MEASURED] : goalTable(goals, cells));
    }
    all.set(`${bench}.source`, record === undefined ? NOT_MEASURED : source(record));
    for (const [name, figure] of Object.entries(FIGURES[bench] ?? {})) {
      all.set(`${bench}.${name}`, cells === undefined ? NOT_MEASURED : figure(cells));
    }
    if (cells === undefined) continue;
    for (const goal of goals) {
      const outcomes = runtimesOf(cells).map((name) =>
        `${outcome(goal, cells.in(name))} in ${name}`
      );
      if (!outcomes.some((text) => text.includes(MISSED))) continue;
      const link = `[${title}](#${title.toLowerCase().replaceAll(" ", "-")})`;
      missed.push([`${link}: ${goal.goal}`, outcomes.join("; ")]);
    }
  }
  all.set("missed", markdown(["goal", "reached"], missed));
  return all;
}

function goalTable(goals: readonly Goal[], cells: Cells): string[] {
  const names = runtimesOf(cells);
  return markdown(
    ["goal", ...names],
    goals.map((goal) => [goal.goal, ...names.map((name) => outcome(goal, cells.in(name)))]),
  );
}

function runtimesOf(cells: Cells): string[] {
  return cells.values("runtime") as string[];
}

/** Where the figures come from. The link is relative to the top of the checkout. */
function source(record: BenchRecord): string {
  const { date, machine, runtimes } = record;
  const versions = Object.values(runtimes).map(({ runtime }) => runtime).join(", ");
  return `[${date}](bench/record/${recordName(record)}.md), ${machineLine(machine)}; ${versions}`;
}

/** All ratios to all rivals, in both passes. */
function allLeads(cells: Cells): { engine: unknown; lead: number }[] {
  const ours: Match = { engine: "sluice" };
  return cells.values("engine").filter((engine) => engine !== "sluice").flatMap((engine) =>
    ["first", "warm"].flatMap((pass) => leads(cells.filter({ engine }), cells, ours, pass))
      .map((lead) => ({ engine, lead }))
  );
}

/** Figures within the prose, by bench and name. */
const FIGURES: Readonly<Record<string, Readonly<Record<string, (cells: Cells) => string>>>> = {
  tokenizer: {
    cells: (cells) => allLeads(cells).length.toLocaleString("en"),
    lost: (cells) => String(allLeads(cells).filter(({ lead }) => lead < 1).length),
    worst: (cells) => times(Math.min(...allLeads(cells).map(({ lead }) => lead))),
  },
  held_out: {
    cells: (cells) => allLeads(cells).length.toLocaleString("en"),
    lost: (cells) => String(allLeads(cells).filter(({ lead }) => lead < 1).length),
  },
  router: {
    json: (cells) => slower(cells, "JSON across FFI"),
    packed: (cells) => slower(cells, "packed arrays across FFI"),
  },
  worst: {
    slowest(cells) {
      const all = cells.filter({ megabytes: 1 }).map((cell) => {
        const english = cells.sibling(cell, { input: "English prose" })!;
        return { cell, slower: ratio(cell, english, "ms") / ratio(cell, english, "bytes") };
      });
      const { cell, slower } = all.reduce((a, b) => b.slower > a.slower ? b : a);
      return `${cell["input"]} (${cell["encoding"]}, ${cell["runtime"]}), ${times(slower)}`;
    },
  },
};

/** How many times as long something takes as the choice in plain TypeScript, by runtime. */
function slower(cells: Cells, name: string): string {
  return cells.filter({ name }).map((cell) =>
    `${times(ratio(cell, cells.sibling(cell, { name: "plain TypeScript" })!))} in ` +
    `${cell["runtime"]}`
  ).join(" and ");
}
