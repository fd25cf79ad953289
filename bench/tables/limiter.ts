/**
 * The section about rate limits: what a check costs beside what does one in JavaScript, what
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
import { atLeast, atMost, type Goal, goalTable, times } from "./goals.ts";
import type { Section } from "./section.ts";

type Cells = readonly LimiterCell[];
type Part<P extends LimiterCell["part"]> = Extract<LimiterCell, { part: P }>;
type Find = (cells: Cells) => LimiterCell | undefined;

const OUTCOMES: readonly Outcome[] = ["admitted", "denied"];
const OURS = "sluice, by key";

/** A row of admissions and denials in each runtime; with `base`, as multiples of that. */
function both(
  all: readonly Cells[],
  title: string,
  find: (outcome: Outcome) => Find,
  base?: (outcome: Outcome) => Find,
): string[] {
  const times = all.flatMap((cells) =>
    OUTCOMES.map((outcome) => timed(find(outcome)(cells), base?.(outcome)(cells)))
  );
  return [title, ...times];
}

function titles({ runtimes }: BenchRecord<LimiterCell>): string[] {
  const names = Object.values(runtimes).map(({ runtime }) => runtime);
  return ["", ...names.flatMap((name) => OUTCOMES.map((outcome) => `${name}, ${outcome}`))];
}

/** A check of one limit beside others. */
function head(record: BenchRecord<LimiterCell>): string[] {
  const all = Object.values(record.runtimes).map(({ result }) => result);
  return [
    "![Time of a check](bench/plots/limiter.svg)",
    "",
    "A check of one limit of one key; in brackets, times *sluice, by key*. The `Map` and the atomics " +
    "are GCRA in some twenty lines, with no eviction, units or reservations, and the `Map` is one " +
    "Worker's; a cached clock is read once in 1,024 checks:",
    "",
    ...markdown(
      titles(record),
      CHECKS.map((name) => both(all, name, (o) => check(name, o), (o) => check(OURS, o))),
    ),
  ];
}

/** Checks, batches, six limits, Workers, memory, and the goals. */
function all(record: BenchRecord<LimiterCell>): string[] {
  const results = Object.values(record.runtimes);
  const all = results.map(({ result }) => result);
  const wide = titles(record);
  const plain = ["", ...results.map(({ runtime }) => runtime)];
  const keys = (count: number) => count.toLocaleString("en");
  return [
    ...head(record),
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
    ...markdown(wide, [
      ...[BATCHED_KEYS, NAMED_KEYS].flatMap((count) =>
        names(all[0]!, "many").map((name) =>
          both(all, `${keys(count)} keys, ${name}`, (o) => many(name, count, o))
        )
      ),
      ...sizes(all[0]!).map((size) =>
        both(all, `${keys(BATCHED_KEYS)} keys, sluice, batches of ${size}`, (o) => batch(size, o))
      ),
    ]),
    "",
    "Six limits, requests and tokens of a key, a user and a team; the last refuses. The chain that " +
    "charges at once has spent five of them by then:",
    "",
    ...markdown(wide, SIXES.map((name) => both(all, name, (o) => six(name, o)))),
    "",
    "Two Workers at the same time, time of a check over both; each has eight questions on their way " +
    "to the owner:",
    "",
    ...markdown(
      wide,
      [true, false].flatMap((isHot) =>
        SHARINGS.map((name) =>
          both(all, `${isHot ? "one key" : "a key each"}, ${name}`, (o) => contest(name, isHot, o))
        )
      ),
    ),
    "",
    ...memoryRows(all, plain),
    "",
    ...goalTable(record, GOALS),
    "",
    "Each is the worse of admitted and denied.",
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

/** How many times as long theirs takes as ours, the worse of admitted and denied. */
function lead(theirs: (o: Outcome) => Find, ours: (o: Outcome) => Find): (cells: Cells) => number {
  return (cells) =>
    Math.min(...OUTCOMES.map((o) => median(theirs(o)(cells)) / median(ours(o)(cells))));
}

const [SIX_LIMITERS, , SIX_OF_A_KEY, , CHARGING, CHECKING] = SIXES;

const GOALS: readonly Goal<LimiterCell>[] = [
  {
    goal: "a check by key, above an empty crossing: at most 1.2x the native clock itself",
    value: (cells) =>
      Math.max(...OUTCOMES.map((outcome) => aboveCrossing(cells, outcome))) / clockItself(cells),
    met: atMost(1.2),
  },
  {
    goal: "the same, admitted only",
    value: (cells) => aboveCrossing(cells, "admitted") / clockItself(cells),
    met: atMost(1.2),
  },
  {
    goal: "in batches of 64 at least 5x cheaper than one by one",
    value: lead((o) => many(OURS, BATCHED_KEYS, o), (o) => batch(64, o)),
    met: atLeast(5),
  },
  ...([
    ["six limiters, `takeAll`", SIX_LIMITERS],
    ["six limits of one key", SIX_OF_A_KEY],
  ] as const).flatMap(([title, ours]) =>
    ([
      ["that charge at once", CHARGING],
      ["that are checked and then charged", CHECKING],
    ] as const).map(([how, theirs]) => ({
      goal: `${title}, at least 2x as fast as six \`Map\` checks ${how}`,
      value: lead((o) => six(theirs, o), (o) => six(ours, o)),
      met: atLeast(2),
    }))
  ),
  {
    goal: `strings at most 1.5x keys, ${NAMED_KEYS.toLocaleString("en")} of them in turn`,
    value: (cells) =>
      1 / lead((o) => many(OURS, NAMED_KEYS, o), (o) => many("sluice, by string", NAMED_KEYS, o))(
        cells,
      ),
    met: atMost(1.5),
  },
  {
    goal: "at least 5x as fast as rate-limiter-flexible",
    value: lead((o) => check("rate-limiter-flexible", o), (o) => check(OURS, o)),
    met: atLeast(5),
  },
  ...[true, false].flatMap((isHot) => {
    const where = isHot ? "two Workers, one key" : "two Workers, a key each";
    const sharing = (name: string) => (o: Outcome) => contest(name, isHot, o);
    return [
      {
        goal: `${where}: at least as fast as atomics with a clock of their own`,
        value: lead(sharing(SHARINGS[1]), sharing(SHARINGS[0])),
        met: atLeast(1),
      },
      {
        goal: `${where}: at least 100x an owner Worker`,
        value: lead(sharing(SHARINGS[2]), sharing(SHARINGS[0])),
        met: atLeast(100),
      },
    ];
  }),
  {
    goal: "at most 200 bytes a key, with four limits",
    value: (cells) => memory(cells, "sluice, four limits"),
    met: atMost(200),
    show: (bytes) => `${Math.round(bytes)} B`,
  },
];

/** What a check costs above an empty crossing, in nanoseconds. */
function aboveCrossing(cells: Cells, outcome: Outcome): number {
  return median(check(OURS, outcome)(cells)) - median(floor("empty crossing")(cells));
}

/** What reading the precise clock costs by itself, in nanoseconds. */
function clockItself(cells: Cells): number {
  const clock = floor("crossing that reads CLOCK_MONOTONIC")(cells);
  return median(clock) - median(floor("crossing with a buffer")(cells));
}

function timed(cell: LimiterCell | undefined, base?: LimiterCell): string {
  if (cell === undefined) return "–";
  const time = duration(cell.median);
  return base === undefined ? time : `${time} (${times(cell.median / base.median)})`;
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

/** The section of the bench `limiter`. */
export const LIMITER: Section<LimiterCell> = { title: "Limit checks", all, head, goals: GOALS };
