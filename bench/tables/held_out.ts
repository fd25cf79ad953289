/**
 * The section about texts that nothing was tuned on.
 *
 * @module
 */
import {
  type Contender,
  CONTENDERS,
  type HeldOutCell,
  OPERATIONS,
  PASSES,
  ratios,
} from "../held_out.ts";
import { FRESH } from "../held_out/measured.ts";
import { geometricMean, median } from "../measure.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { atLeast, atMost, type Goal, goalTable, times } from "./goals.ts";
import type { Section } from "./section.ts";

function all(record: BenchRecord<HeldOutCell>): string[] {
  return [
    "How many times as fast as each rival sluice is, `o200k_base`: geometric mean over all cells (corpora, and " +
    "lengths of 400, 4,000, 32,000 characters and whole), lowest and highest cell. *Fresh*: the first 4,000 " +
    "characters of a process, as they come. *First*: a first pass, after the loop was compiled on one sentence.",
    "",
    ...leads(record),
    "",
    ...byCorpus(record),
    ...goalTable(record, GOALS),
  ];
}

function mean(
  cells: readonly HeldOutCell[],
  rival: Contender,
  title: string,
  filter: (cell: HeldOutCell) => boolean = () => true,
): number {
  const [, pass, has] = PASSES.find(([name]) => name === title)!;
  const found = ratios(cells, rival, pass, (cell) => has(cell) && filter(cell));
  return found.length === 0 ? NaN : geometricMean(found.map(({ ratio }) => ratio));
}

const isBulk = ({ operation, length }: HeldOutCell) =>
  operation === "encode" && (length === 0 || length === 4_000);

const GOALS: readonly Goal<HeldOutCell>[] = [
  ...["first", "warm"].map((title) => ({
    goal: `at least 2x hypertok in the mean, ${title}`,
    value: (cells: readonly HeldOutCell[]) => mean(cells, "hypertok", title),
    met: atLeast(2),
  })),
  ...["first", "warm"].map((title) => ({
    goal: `encode at least as fast as gigatoken, whole and by 4,000 characters, ${title}`,
    value: (cells: readonly HeldOutCell[]) => mean(cells, "gigatoken", title, isBulk),
    met: atLeast(1),
  })),
  {
    goal: "behind hypertok in no cell",
    value: (cells) =>
      PASSES.flatMap(([, pass, has]) => ratios(cells, "hypertok", pass, has))
        .filter(({ ratio }) => ratio < 1).length,
    met: atMost(0),
    show: (cells) => `${cells}`,
  },
];

function leads({ runtimes }: BenchRecord<HeldOutCell>): string[] {
  const head = ["against"];
  for (const { runtime } of Object.values(runtimes)) {
    head.push(...PASSES.map(([title]) => `${runtime}, ${title}`));
  }
  const rows = CONTENDERS.slice(1).flatMap((rival) =>
    OPERATIONS.map((operation) => {
      const row = [`${rival}, ${operation}`];
      for (const { result } of Object.values(runtimes)) {
        for (const [, pass, has] of PASSES) {
          const found = ratios(result, rival, pass, (cell) =>
            has(cell) && cell.operation === operation)
            .map(({ ratio }) =>
              ratio
            );
          if (found.length === 0) {
            row.push("–");
            continue;
          }
          const lost = found.filter((ratio) =>
            ratio < 1
          ).length;
          row.push(
            `**${times(geometricMean(found))}** (${times(Math.min(...found))}–` +
              `${times(Math.max(...found))}${lost === 0 ? "" : `, ${lost} lost`})`,
          );
        }
      }
      return row;
    })
  );
  return markdown(head, rows);
}

/** Speeds by corpus, of texts of 4,000 characters. */
function byCorpus({ runtimes }: BenchRecord<HeldOutCell>): string[] {
  return Object.values(runtimes).flatMap(({ runtime, result }) => {
    const head = [
      "",
      "fresh, ns a byte",
      ...OPERATIONS.flatMap((operation) => CONTENDERS.map((name) => `${operation}, ${name}`)),
    ];
    const names = [...new Set(result.map(({ corpus }) => corpus))];
    const rows = names.map((corpus) => {
      const find = (contender: Contender, operation: string, length: number) =>
        result.find((cell) =>
          cell.corpus === corpus && cell.contender === contender && cell.operation === operation &&
          cell.length === length
        );
      const fresh = find("sluice", "count", FRESH);
      return [
        corpus,
        fresh === undefined ? "–" : (1e3 / median(fresh.first)).toFixed(0),
        ...OPERATIONS.flatMap((operation) =>
          CONTENDERS.map((contender) => {
            const cell = find(contender, operation, 4_000);
            if (cell === undefined) return "–";
            const same = cell.equal ? "" : " ≠";
            return `${speed(median(cell.first))} / ${speed(median(cell.warm))}${same}`;
          })
        ),
      ];
    });
    return [
      `Megabytes a second in ${runtime}, texts of 4,000 characters, first pass / warm (≠: some counts or ids ` +
      "differ from tiktoken's):",
      "",
      ...markdown(head, rows),
      "",
    ];
  });
}

function speed(megabytes: number): string {
  return megabytes < 10 ? megabytes.toPrecision(2) : megabytes.toFixed(0);
}

/** The section of the bench `held_out`. */
export const HELD_OUT: Section<HeldOutCell> = { title: "Held-out texts", all, goals: GOALS };
