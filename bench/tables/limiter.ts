/**
 * The README's section about rate limits: what a check costs beside what does one in JavaScript, what
 * was aimed at, and whether it was met.
 *
 * @module
 */
import type { LimiterCell } from "../limiter.ts";
import { CHECKS } from "../limiter/checks.ts";
import { SHARINGS } from "../limiter/contest.ts";
import { FLOORS } from "../limiter/floors.ts";
import { BATCHED_KEYS, NAMED_KEYS } from "../limiter/many_keys.ts";
import { HOLDERS } from "../limiter/memory.ts";
import type { Outcome } from "../limiter/rounds.ts";
import { SIXES } from "../limiter/six.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { duration } from "./duration.ts";

type Cells = readonly LimiterCell[];
type Part<P extends LimiterCell["part"]> = Extract<LimiterCell, { part: P }>;
type Find = (cells: Cells) => LimiterCell | undefined;

const OUTCOMES: readonly Outcome[] = ["admitted", "denied"];
const OURS = "sluice, by key";

/** Checks, batches, six limits, Workers, memory, and the goals. */
export function limiterTable({ runtimes }: BenchRecord<LimiterCell>): string[] {
  const results = Object.values(runtimes);
  const all = results.map(({ result }) => result);
  const head = ["", ...results.flatMap(({ runtime }) => OUTCOMES.map((o) => `${runtime}, ${o}`))];
  const plain = ["", ...results.map(({ runtime }) => runtime)];
  const both = (title: string, find: (outcome: Outcome) => Find, base?: (o: Outcome) => Find) => [
    title,
    ...all.flatMap((cells) =>
      OUTCOMES.map((outcome) => timed(find(outcome)(cells), base?.(outcome)(cells)))
    ),
  ];
  const keys = (count: number) => count.toLocaleString("en");
  return [
    "![Time of a check](bench/plots/limiter.svg)",
    "",
    "A check of one limit of one key; in brackets, times *sluice, by key*. The `Map` and the atomics " +
    "are GCRA in some twenty lines, with no eviction, units or reservations, and the `Map` is one " +
    "Worker's; a cached clock is read once in 1,024 checks:",
    "",
    ...markdown(
      head,
      CHECKS.map((name) => both(name, (o) => check(name, o), (o) => check(OURS, o))),
    ),
    "",
    "What a check is made of; a clock costs what it adds to a crossing with a buffer:",
    "",
    ...markdown(
      plain,
      FLOORS.map((name) => [name, ...all.map((cells) => timed(floor(name)(cells)))]),
    ),
    "",
    `Many keys in turn, one by one and in batches, for each check:`,
    "",
    ...markdown(head, [
      ...[BATCHED_KEYS, NAMED_KEYS].flatMap((count) =>
        names(all[0]!, "many").map((name) =>
          both(`${keys(count)} keys, ${name}`, (o) => many(name, count, o))
        )
      ),
      ...sizes(all[0]!).map((size) =>
        both(`${keys(BATCHED_KEYS)} keys, sluice, batches of ${size}`, (o) => batch(size, o))
      ),
    ]),
    "",
    "Six limits, requests and tokens of a key, a user and a team; the last refuses. The chain that " +
    "charges at once has spent five of them by then:",
    "",
    ...markdown(head, SIXES.map((name) => both(name, (o) => six(name, o)))),
    "",
    "Two Workers at the same time, time of a check over both; each has eight questions on their way " +
    "to the owner:",
    "",
    ...markdown(
      head,
      [true, false].flatMap((isHot) =>
        SHARINGS.map((name) =>
          both(`${isHot ? "one key" : "a key each"}, ${name}`, (o) => contest(name, isHot, o))
        )
      ),
    ),
    "",
    ...memoryRows(all, plain),
    "",
    "What was aimed at:",
    "",
    ...markdown(plain, goals(all)),
  ];
}

function memoryRows(all: readonly Cells[], head: readonly string[]): string[] {
  const count = only(all[0]!, "memory")[0]!.keys.toLocaleString("en");
  return [
    `Resident memory for each of ${count} keys that have used something. The \`Map\` and the packages ` +
    "keep the names too, and nothing in them but rate-limiter-flexible's timers is ever forgotten:",
    "",
    ...markdown(
      head,
      HOLDERS.map((name) => [
        name,
        ...all.map((cells) => `${Math.round(memory(cells, name)).toLocaleString("en")} B`),
      ]),
    ),
  ];
}

/** Each goal with what came of it, met or missed; the worse of admitted and denied. */
function goals(all: readonly Cells[]): string[][] {
  const row = (goal: string, met: (ratio: number) => boolean, ratio: (cells: Cells) => number) => [
    goal,
    ...all.map((cells) => verdict(ratio(cells), met)),
  ];
  const atMost = (most: number) => (ratio: number) => ratio <= most;
  const atLeast = (least: number) => (ratio: number) => ratio >= least;
  const least = (theirs: (o: Outcome) => Find, ours: (o: Outcome) => Find) => (cells: Cells) =>
    Math.min(...OUTCOMES.map((o) => median(theirs(o)(cells)) / median(ours(o)(cells))));
  const most = (ours: (o: Outcome) => Find, theirs: (o: Outcome) => Find) => (cells: Cells) =>
    Math.max(...OUTCOMES.map((o) => median(ours(o)(cells)) / median(theirs(o)(cells))));
  const named = (name: string, o: Outcome) => check(name, o);
  const chain = SIXES[4];
  return [
    row(
      "a check by key, above an empty crossing: at most 1.2x the native clock itself",
      atMost(1.2),
      (cells) => aboveCrossing(cells) / clockItself(cells),
    ),
    row(
      "in batches of 64 at least 5x cheaper than one by one",
      atLeast(5),
      least((o) => many(OURS, BATCHED_KEYS, o), (o) => batch(64, o)),
    ),
    row(
      "six limits, `takeAll`, at least 2x as fast as six `Map` checks",
      atLeast(2),
      least((o) => six(chain, o), (o) => six(SIXES[0], o)),
    ),
    row(
      "six limits of one key, at least 2x as fast as six `Map` checks",
      atLeast(2),
      least((o) => six(chain, o), (o) => six(SIXES[2], o)),
    ),
    row(
      `strings at most 1.5x keys, ${NAMED_KEYS.toLocaleString("en")} of them in turn`,
      atMost(1.5),
      most((o) => many("sluice, by string", NAMED_KEYS, o), (o) => many(OURS, NAMED_KEYS, o)),
    ),
    row(
      "at least 5x as fast as rate-limiter-flexible",
      atLeast(5),
      least((o) => named("rate-limiter-flexible", o), (o) => named(OURS, o)),
    ),
    ...[true, false].flatMap((isHot) => {
      const where = isHot ? "two Workers, one key" : "two Workers, a key each";
      const sharing = (name: string) => (o: Outcome) => contest(name, isHot, o);
      return [
        row(
          `${where}: at least as fast as atomics with a clock of their own`,
          atLeast(1),
          least(sharing(SHARINGS[1]), sharing(SHARINGS[0])),
        ),
        row(
          `${where}: at least 100x an owner Worker`,
          atLeast(100),
          least(sharing(SHARINGS[2]), sharing(SHARINGS[0])),
        ),
      ];
    }),
    [
      "at most 200 bytes a key, with four limits",
      ...all.map((cells) => {
        const bytes = memory(cells, "sluice, four limits");
        return `${Math.round(bytes)} B: ${bytes <= 200 ? "met" : "**missed**"}`;
      }),
    ],
  ];
}

/** What an admitted check costs above an empty crossing, in nanoseconds. */
function aboveCrossing(cells: Cells): number {
  return median(check(OURS, "admitted")(cells)) - median(floor("empty crossing")(cells));
}

/** What reading the precise clock costs by itself, in nanoseconds. */
function clockItself(cells: Cells): number {
  const clock = floor("crossing that reads CLOCK_MONOTONIC")(cells);
  return median(clock) - median(floor("crossing with a buffer")(cells));
}

function verdict(ratio: number, met: (ratio: number) => boolean): string {
  if (Number.isNaN(ratio)) return "–";
  return `${times(ratio)}: ${met(ratio) ? "met" : "**missed**"}`;
}

function timed(cell: LimiterCell | undefined, base?: LimiterCell): string {
  if (cell === undefined) return "–";
  const time = duration(cell.median);
  return base === undefined ? time : `${time} (${times(cell.median / base.median)})`;
}

function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio).toLocaleString("en")}x`;
}

/** NaN if it was not measured. */
function median(cell: LimiterCell | undefined): number {
  return cell?.median ?? NaN;
}

function only<P extends LimiterCell["part"]>(cells: Cells, part: P): Part<P>[] {
  return cells.filter((cell): cell is Part<P> => cell.part === part);
}

function names(cells: Cells, part: "many"): string[] {
  return [...new Set(only(cells, part).map(({ name }) => name))];
}

function sizes(cells: Cells): number[] {
  return [...new Set(only(cells, "batch").map(({ size }) => size))];
}

function floor(name: string): Find {
  return (cells) => only(cells, "floor").find((cell) => cell.name === name);
}

function check(name: string, outcome: Outcome): Find {
  return (cells) =>
    only(cells, "check").find((cell) => cell.name === name && cell.outcome === outcome);
}

function many(name: string, keys: number, outcome: Outcome): Find {
  return (cells) =>
    only(cells, "many").find((cell) =>
      cell.name === name && cell.keys === keys && cell.outcome === outcome
    );
}

function batch(size: number, outcome: Outcome): Find {
  return (cells) =>
    only(cells, "batch").find((cell) => cell.size === size && cell.outcome === outcome);
}

function six(name: string, outcome: Outcome): Find {
  return (cells) =>
    only(cells, "six").find((cell) => cell.name === name && cell.outcome === outcome);
}

function contest(name: string, isHot: boolean, outcome: Outcome): Find {
  return (cells) =>
    only(cells, "contest").find((cell) =>
      cell.name === name && cell.isHot === isHot && cell.outcome === outcome
    );
}

function memory(cells: Cells, name: string): number {
  return only(cells, "memory").find((cell) => cell.name === name)!.median;
}
