/**
 * Rate limits: what a check costs beside what can do one in JavaScript; batches, six limits at once,
 * strings for keys; between Workers; memory.
 *
 *     bun bench/limiter.ts [--brief] [--out FILE]
 *     deno run -A bench/limiter.ts [--brief] [--out FILE]
 *
 * @module
 */
import { type CheckName, CHECKS, openCheck } from "./limiter/checks.ts";
import { contest, type Sharing, SHARINGS } from "./limiter/contest.ts";
import { type FloorName, openFloors } from "./limiter/floors.ts";
import {
  BATCHED_KEYS,
  BATCHES,
  type ManyName,
  NAMED_KEYS,
  openBatch,
  openMany,
} from "./limiter/many_keys.ts";
import { type Holder, HOLDERS } from "./limiter/memory.ts";
import { type Contender, type Outcome, race, roundedSpread } from "./limiter/rounds.ts";
import { openSix, SIXES, type SixName } from "./limiter/six.ts";
import type { Spread } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { runSelf } from "./runtimes.ts";
import { duration } from "./tables/duration.ts";
import { alignRight } from "./text_table.ts";

/** One measurement; times are nanoseconds. */
export type LimiterCell =
  /** What a check is made of. */
  | (Spread & { readonly part: "floor"; readonly name: FloorName })
  /** A check of one limit of one key. */
  | (Spread & { readonly part: "check"; readonly name: CheckName; readonly outcome: Outcome })
  /** A check of one of `keys` keys in turn. */
  | (Spread & {
    readonly part: "many";
    readonly name: ManyName;
    readonly keys: number;
    readonly outcome: Outcome;
  })
  /** A check in a batch of so many, of the same keys as `many` has them one by one. */
  | (Spread & { readonly part: "batch"; readonly size: number; readonly outcome: Outcome })
  /** A decision by six limits. */
  | (Spread & { readonly part: "six"; readonly name: SixName; readonly outcome: Outcome })
  /** A check while two Workers check, over both of them. */
  | (Spread & {
    readonly part: "contest";
    readonly name: Sharing;
    /** Whether both check one key, or each its own. */
    readonly isHot: boolean;
    readonly outcome: Outcome;
  })
  /** Bytes of resident memory a key, at so many. */
  | (Spread & { readonly part: "memory"; readonly name: Holder; readonly keys: number });

const OUTCOMES: readonly Outcome[] = ["admitted", "denied"];
const MANY: readonly ManyName[] = ["sluice, by key", "sluice, by string", "Map, own clock"];

const bench: Bench<LimiterCell[]> = {
  name: "limiter",

  async run(brief) {
    return [
      ...await checks(brief),
      ...await many(brief),
      ...await sixes(brief),
      ...await contests(brief),
      ...await memory(brief),
    ];
  },

  check(cells) {
    for (const cell of cells) {
      // Resident memory comes in pages and may not have grown at all in a brief run.
      expect(cell.part === "memory" || cell.median > 0, `${titleOf(cell)} takes time`);
    }
    for (const part of ["floor", "check", "many", "batch", "six", "contest", "memory"]) {
      expect(cells.some((cell) => cell.part === part), `there is a ${part}`);
    }
  },

  describe(cells) {
    const rows = cells.map((cell) => {
      const show = (value: number) =>
        cell.part === "memory" ? `${Math.round(value)} B` : duration(value);
      return [titleOf(cell), show(cell.median), `${show(cell.low)} – ${show(cell.high)}`];
    });
    return alignRight([["", "median", "range"], ...rows]);
  },
};

function titleOf(cell: LimiterCell): string {
  switch (cell.part) {
    case "floor":
      return `floor: ${cell.name}`;
    case "check":
      return `${cell.outcome}: ${cell.name}`;
    case "many":
      return `${cell.outcome}, ${cell.keys} keys in turn: ${cell.name}`;
    case "batch":
      return `${cell.outcome}, ${BATCHED_KEYS} keys in turn: sluice, in batches of ${cell.size}`;
    case "six":
      return `${cell.outcome}, six limits: ${cell.name}`;
    case "contest":
      return `${cell.outcome}, two Workers, ${cell.isHot ? "one key" : "a key each"}: ${cell.name}`;
    case "memory":
      return `memory of a key, of ${cell.keys}: ${cell.name}`;
  }
}

/** The floors run in the same rounds as the checks above them. */
async function checks(brief: boolean): Promise<LimiterCell[]> {
  const cells: LimiterCell[] = [];
  for (const outcome of OUTCOMES) {
    const floors = outcome === "admitted" ? openFloors() : [];
    const rivals: [CheckName, Contender][] = [];
    for (const name of CHECKS) rivals.push([name, await openCheck(name, outcome)]);
    const times = await race("one key", outcome, [...floors, ...rivals], brief);
    floors.forEach(([name], i) => cells.push({ part: "floor", name, ...times[i]! }));
    rivals.forEach(([name], i) =>
      cells.push({ part: "check", name, outcome, ...times[floors.length + i]! })
    );
  }
  return cells;
}

async function many(brief: boolean): Promise<LimiterCell[]> {
  const cells: LimiterCell[] = [];
  for (const outcome of OUTCOMES) {
    for (const keys of [BATCHED_KEYS, NAMED_KEYS]) {
      const sizes = keys === BATCHED_KEYS ? BATCHES : [];
      const times = await race(`${keys} keys in turn`, outcome, [
        ...MANY.map((name): [string, Contender] => [name, openMany(name, keys, outcome)]),
        ...sizes.map((size): [string, Contender] => [`${size}`, openBatch(size, outcome)]),
      ], brief);
      MANY.forEach((name, i) => cells.push({ part: "many", name, keys, outcome, ...times[i]! }));
      sizes.forEach((size, i) =>
        cells.push({ part: "batch", size, outcome, ...times[MANY.length + i]! })
      );
    }
  }
  return cells;
}

async function sixes(brief: boolean): Promise<LimiterCell[]> {
  const cells: LimiterCell[] = [];
  for (const outcome of OUTCOMES) {
    const rivals = SIXES.map((name): [SixName, Contender] => [name, openSix(name, outcome)]);
    const times = await race("six limits", outcome, rivals, brief);
    SIXES.forEach((name, i) => cells.push({ part: "six", name, outcome, ...times[i]! }));
  }
  return cells;
}

async function contests(brief: boolean): Promise<LimiterCell[]> {
  const runs = OUTCOMES.flatMap((outcome) =>
    [true, false].flatMap((isHot) =>
      SHARINGS.map((name) => ({ name, isHot, outcome, ns: [] as number[] }))
    )
  );
  for (let round = 0; round < (brief ? 1 : 7); round++) {
    for (const { name, isHot, outcome, ns } of runs) {
      progress(`limiter: contest, round ${round + 1}, ${name}`);
      ns.push(await contest(name, isHot, outcome, brief ? 50 : 500));
    }
  }
  return runs.map(({ ns, ...run }) => ({ part: "contest", ...run, ...roundedSpread(ns) }));
}

async function memory(brief: boolean): Promise<LimiterCell[]> {
  const keys = brief ? 1000 : 1_000_000;
  const cells: LimiterCell[] = [];
  for (const name of HOLDERS) {
    const bytes: number[] = [];
    for (let round = 0; round < (brief ? 1 : 3); round++) {
      progress(`limiter: memory, round ${round + 1}, ${name}`);
      const args = ["--name", name, "--keys", `${keys}`];
      const printed = JSON.parse(await runSelf("limiter/memory.ts", args, true)) as {
        bytes: number;
      };
      bytes.push(printed.bytes);
    }
    cells.push({ part: "memory", name, keys, ...roundedSpread(bytes) });
  }
  return cells;
}

if (import.meta.main) await program(bench);
