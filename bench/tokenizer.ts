/**
 * Count and encode, by class and length of text, against every tokenizer that npm has.
 *
 *     bun bench/tokenizer.ts [--brief] [--out FILE]
 *     deno run -A bench/tokenizer.ts [--brief] [--out FILE]
 *
 * @module
 */
import { BENCHED_ENCODINGS, ENGINE_NAMES, type EngineName, ENGINES } from "./engines.ts";
import { geometricMean, median } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { runSelf } from "./runtimes.ts";
import { CLASS_TITLES, TEXT_CLASSES } from "./text_walk.ts";
import { alignRight } from "./text_table.ts";
import type { Cell, CellOrder } from "./tokenizer_cells.ts";

/** UTF-16 units per text. */
export const SIZES = [10, 40, 400, 4_000, 32_000, 1_000_000] as const;

const FULL: Omit<CellOrder, "encodings" | "classes"> = {
  engines: ENGINE_NAMES,
  sizes: SIZES,
  rounds: 3,
  budget: 20,
};

/** Those whose cells are close; measured in further processes, since rounds of first passes differ much. */
const CLOSE: readonly EngineName[] = ["sluice", "hypertok"];
const FURTHER_PROCESSES = 2;

const BRIEF: CellOrder = {
  encodings: ["o200k_base"],
  classes: TEXT_CLASSES,
  engines: ENGINE_NAMES.filter((name) => name !== "ai-tokenizer"),
  sizes: [10, 400, 4000],
  rounds: 1,
  budget: 2,
};

/** sluice's lead over a rival, round by round within one cell: the median of paired ratios. */
export function pairedRatio(
  ours: Cell,
  theirs: Cell,
  pass: "first" | "warm",
): number {
  return median(theirs[pass].map((speed, round) => ours[pass][round]! / speed));
}

/** Adds to `cells` the rounds of those cells that were measured again. */
function addRounds(cells: readonly Cell[], again: readonly Cell[]): Cell[] {
  const more = new Map(again.map((cell) => [nameOf(cell), cell]));
  return cells.map((cell) => {
    const same = more.get(nameOf(cell));
    if (same === undefined) return cell;
    return {
      ...cell,
      first: [...cell.first, ...same.first],
      warm: [...cell.warm, ...same.warm],
      equal: cell.equal && same.equal,
    };
  });
}

function nameOf(cell: Cell): string {
  return [cell.encoding, cell.class, cell.size, cell.operation, cell.engine].join();
}

/** Pairs each cell of sluice with the same cell of `rival`. */
export function pairs(cells: readonly Cell[], rival: EngineName): [ours: Cell, theirs: Cell][] {
  const key = (cell: Cell) => [cell.encoding, cell.class, cell.size, cell.operation].join();
  const theirs = new Map(
    cells.filter(({ engine }) => engine === rival).map((cell) => [key(cell), cell]),
  );
  return cells
    .filter((cell) => cell.engine === "sluice" && theirs.has(key(cell)))
    .map((cell) => [cell, theirs.get(key(cell))!]);
}

/** The cells of an order, measured in a process of their own. */
async function measured(order: CellOrder): Promise<Cell[]> {
  const output = await runSelf("tokenizer_cells.ts", ["--order", JSON.stringify(order)], true);
  return JSON.parse(output) as Cell[];
}

const bench: Bench<Cell[]> = {
  name: "tokenizer",

  async run(brief) {
    const orders = brief
      ? [BRIEF]
      : BENCHED_ENCODINGS.flatMap((encoding) =>
        TEXT_CLASSES.map((textClass) => ({ ...FULL, encodings: [encoding], classes: [textClass] }))
      );
    const cells: Cell[] = [];
    for (const order of orders) {
      progress(`tokenizer: ${order.encodings.join()}, ${order.classes.join()}`);
      let group = await measured(order);
      for (let i = 0; i < (brief ? 0 : FURTHER_PROCESSES); i++) {
        group = addRounds(group, await measured({ ...order, engines: CLOSE }));
      }
      cells.push(...group);
    }
    return cells;
  },

  check(cells) {
    for (const cell of cells) {
      const name = `${cell.engine} on ${cell.class}, ${cell.size} characters, ${cell.operation}`;
      expect(cell.warm.every((speed) => speed > 0 && Number.isFinite(speed)), `${name}: no speed`);
      expect(cell.equal || !ENGINES[cell.engine].exact, `${name}: counts differ from sluice's`);
    }
    const ours = cells.filter(({ engine }) => engine === "sluice").length;
    expect(ours > 0 && pairs(cells, "hypertok").length === ours, "every cell has its rival");
  },

  describe(cells) {
    const rows = [["class", "size", "", ...ENGINE_NAMES, "MB/s warm, o200k_base"]];
    for (const cell of cells) {
      if (cell.engine !== "sluice" || cell.encoding !== "o200k_base") continue;
      const speeds = ENGINE_NAMES.map((engine) => {
        const same = cells.find((other) =>
          other.engine === engine && other.encoding === cell.encoding &&
          other.class === cell.class && other.size === cell.size &&
          other.operation === cell.operation
        );
        return same === undefined ? "-" : median(same.warm).toPrecision(3);
      });
      rows.push([CLASS_TITLES[cell.class], String(cell.size), cell.operation, ...speeds, ""]);
    }
    const lines = alignRight(rows);
    for (const rival of ENGINE_NAMES.slice(1)) {
      const both = pairs(cells, rival);
      if (both.length === 0) continue;
      for (const pass of ["first", "warm"] as const) {
        const ratios = both.map(([ours, theirs]) => pairedRatio(ours, theirs, pass));
        const lost = ratios.filter((ratio) => ratio < 1).length;
        lines.push(
          `${rival}, ${pass}: sluice is ${geometricMean(ratios).toFixed(2)}x as fast ` +
            `(geometric mean of ${ratios.length} cells, ${Math.min(...ratios).toFixed(2)}x to ` +
            `${Math.max(...ratios).toFixed(1)}x; ${lost} lost)`,
        );
      }
    }
    return lines;
  },
};

if (import.meta.main) await program(bench);
