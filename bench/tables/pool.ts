/**
 * The section about leases: what they cost beside pools and semaphores, what was aimed at,
 * and whether it was met.
 *
 * @module
 */
import type { PoolCell } from "../pool.ts";
import { RIVALS } from "../pool/rivals.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";
import { atLeast, atMost, type Goal, goalTable, times } from "./goals.ts";
import type { Section } from "./section.ts";

type Cells = readonly PoolCell[];
type Part<P extends PoolCell["part"]> = Extract<PoolCell, { part: P }>;

/** An uncontended pair of calls beside pools and semaphores. */
function head({ runtimes }: BenchRecord<PoolCell>): string[] {
  const results = Object.values(runtimes);
  const all = results.map(({ result }) => result);
  const pairs = RIVALS.map((name) => [
    name,
    ...all.map((cells) => {
      const { median } = pair(cells, name);
      const ratio = median / pair(cells, "sluice, tryAcquire").median;
      return `${duration(median)} (${times(ratio)})`;
    }),
  ]);
  return [
    "Acquire and give back, nobody else there, for each lease; in brackets, times `tryAcquire`. The " +
    "semaphores know no upstreams, health, priorities or other Workers:",
    "",
    ...markdown(["", ...results.map(({ runtime }) => runtime)], pairs),
  ];
}

/** Pairs, contests, memory, and the goals. */
function all(record: BenchRecord<PoolCell>): string[] {
  const results = Object.values(record.runtimes);
  const names = results.map(({ runtime }) => runtime);
  const all = results.map(({ result }) => result);
  return [
    ...head(record),
    "",
    "Two Workers with eight tasks each contend for four permits: time of an operation, and the wait " +
    "that half, 99 % and all of them did not exceed. Atomics have no line: who comes at the right " +
    "moment goes first, and others starve:",
    "",
    ...markdown(["", ...names], contestRows(all)),
    "",
    "Resident memory for each of 100,000:",
    "",
    ...markdown(["", ...names], memoryRows(all)),
    "",
    "![A turn of a line, and a choice among upstreams, by size](bench/plots/pool.svg)",
    "",
    ...goalTable(record, GOALS),
  ];
}

function contestRows(all: readonly Cells[]): string[][] {
  return only(all[0]!, "contest").map(({ name, holds }) => [
    holds ? `${name}, held for a turn of the event loop` : name,
    ...all.map((cells) => {
      const { median, wait50, wait99, longest } = contest(cells, name, holds);
      return `${duration(median)} (${[wait50, wait99, longest].map(duration).join(", ")})`;
    }),
  ]);
}

function memoryRows(all: readonly Cells[]): string[][] {
  return only(all[0]!, "memory").map(({ name, of }) => [
    `${of}, ${name}`,
    ...all.map((cells) => {
      const cell = only(cells, "memory").find((one) => one.name === name && one.of === of)!;
      return `${Math.round(cell.median).toLocaleString("en")} B`;
    }),
  ]);
}

const GOALS: readonly Goal<PoolCell>[] = [
  {
    goal: "`tryAcquire` at least 5x generic-pool",
    value: (cells) => against(cells, "generic-pool"),
    met: atLeast(5),
  },
  {
    goal: "`tryAcquire` at least 10x tarn",
    value: (cells) => against(cells, "tarn"),
    met: atLeast(10),
  },
  ...[false, true].map((holds) => ({
    goal: `hand-over between Workers at least 3x an owner Worker${
      holds ? ", held for a turn" : ""
    }`,
    value: (cells: Cells) =>
      contest(cells, "owner Worker", holds).median / contest(cells, "sluice", holds).median,
    met: atLeast(3),
  })),
  growth("line", "a turn in a line of 10,000, times one in a line of 10"),
  growth("choice", "a choice among 1,000 upstreams, times one among 10"),
];

/** Logarithmic is less than a factor of four over three decades; with room for caches, eight. */
function growth(part: "line" | "choice", title: string): Goal<PoolCell> {
  const size = (cell: Part<"line"> | Part<"choice">) =>
    cell.part === "line" ? cell.waiters : cell.upstreams;
  return {
    goal: `${title}, at most 8`,
    value(cells) {
      const ours = cells.filter((cell) =>
        cell.part === part && cell.name.startsWith("sluice")
      ) as readonly (Part<"line"> | Part<"choice">)[];
      const small = ours.find((cell) => size(cell) === 10);
      return (ours.at(-1)?.median ?? NaN) / (small?.median ?? NaN);
    },
    met: atMost(8),
  };
}

function against(cells: Cells, name: string): number {
  return pair(cells, name).median / pair(cells, "sluice, tryAcquire").median;
}

function only<P extends PoolCell["part"]>(cells: Cells, part: P): Part<P>[] {
  return cells.filter((cell): cell is Part<P> => cell.part === part);
}

function pair(cells: Cells, name: string): Part<"pair"> {
  return only(cells, "pair").find((cell) => cell.name === name)!;
}

function contest(cells: Cells, name: string, holds: boolean): Part<"contest"> {
  return only(cells, "contest").find((cell) => cell.name === name && cell.holds === holds)!;
}

/** The section of the bench `pool`. */
export const POOL: Section<PoolCell> = { title: "Leases", all, head, goals: GOALS };
