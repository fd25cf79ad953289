/**
 * The README's section about leases: what they cost beside pools and semaphores, what was aimed at,
 * and whether it was met.
 *
 * @module
 */
import type { PoolCell } from "../pool.ts";
import { RIVALS } from "../pool/rivals.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";

type Cells = readonly PoolCell[];
type Part<P extends PoolCell["part"]> = Extract<PoolCell, { part: P }>;

/** Pairs, contests, memory, and the goals. */
export function poolTable({ runtimes }: BenchRecord<PoolCell>): string[] {
  const results = Object.values(runtimes);
  const head = results.map(({ runtime }) => runtime);
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
    ...markdown(["", ...head], pairs),
    "",
    "Two Workers with eight tasks each contend for four permits: time of an operation, and the wait " +
    "that half, 99 % and all of them did not exceed. Atomics have no line: who comes at the right " +
    "moment goes first, and others starve:",
    "",
    ...markdown(["", ...head], contestRows(all)),
    "",
    "Resident memory for each of 100,000:",
    "",
    ...markdown(["", ...head], memoryRows(all)),
    "",
    "What was aimed at:",
    "",
    ...markdown(["", ...head], goals(all)),
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

/** Each goal with what came of it, met or missed. */
function goals(all: readonly Cells[]): string[][] {
  const row = (goal: string, least: number, ratio: (cells: Cells) => number) => [
    goal,
    ...all.map((cells) => verdict(ratio(cells), least)),
  ];
  const against = (name: string) => (cells: Cells) =>
    pair(cells, name).median / pair(cells, "sluice, tryAcquire").median;
  return [
    row("`tryAcquire` at least 5x generic-pool", 5, against("generic-pool")),
    row("`tryAcquire` at least 10x tarn", 10, against("tarn")),
    ...[false, true].map((holds) =>
      row(
        `hand-over between Workers at least 3x an owner Worker${holds ? ", held for a turn" : ""}`,
        3,
        (cells) =>
          contest(cells, "owner Worker", holds).median / contest(cells, "sluice", holds).median,
      )
    ),
    growth(all, "line", "a turn in a line of 10,000, times one in a line of 10"),
    growth(all, "choice", "a choice among 1,000 upstreams, times one among 10"),
  ];
}

/** Logarithmic is less than a factor of four over three decades; with room for caches, eight. */
function growth(all: readonly Cells[], part: "line" | "choice", title: string): string[] {
  return [
    `${title}, at most 8`,
    ...all.map((cells) => {
      const ours = cells.filter((cell) =>
        cell.part === part && cell.name.startsWith("sluice")
      ) as readonly (Part<"line"> | Part<"choice">)[];
      const size = (cell: Part<"line"> | Part<"choice">) =>
        cell.part === "line" ? cell.waiters : cell.upstreams;
      const small = ours.find((cell) => size(cell) === 10);
      const large = ours.at(-1);
      if (small === undefined || large === undefined) return "–";
      const ratio = large.median / small.median;
      return `${times(ratio)}: ${ratio <= 8 ? "met" : "**missed**"}`;
    }),
  ];
}

function verdict(ratio: number, least: number): string {
  return `${times(ratio)}: ${ratio >= least ? "met" : "**missed**"}`;
}

function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio).toLocaleString("en")}x`;
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
