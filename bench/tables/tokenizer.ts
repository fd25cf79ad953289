/**
 * The section about speed.
 *
 * @module
 */
import { ENGINE_NAMES, type EngineName } from "../engines.ts";
import { geometricMean, median } from "../measure.ts";
import type { BenchRecord } from "../record.ts";
import { markdown } from "../text_table.ts";
import { CLASS_TITLES, TEXT_CLASSES } from "../text_walk.ts";
import { pairedRatio, pairs, SIZES } from "../tokenizer.ts";
import type { Cell, Operation } from "../tokenizer_cells.ts";
import { atLeast, atMost, type Goal, goalTable } from "./goals.ts";
import type { Section } from "./section.ts";

const PASSES = ["first", "warm"] as const;
const OPERATIONS: readonly Operation[] = ["count", "encode"];

/** Leads, and every cell that was lost. */
function head(record: BenchRecord<Cell>): string[] {
  return [
    "![Speed by class and length of text](bench/plots/tokenizer.svg)",
    "",
    "How many times as fast as each rival sluice is: geometric mean over all cells (8 classes of " +
    "text, 6 lengths, 2 encodings), lowest and highest cell. *First*: texts " +
    "the process has never seen. *Warm*: the same texts again. The corpora of Chinese and Japanese and " +
    "of Russian, and from 4,000 characters on those of the European languages, are so short that " +
    "their lines come back in other texts, so there a first pass meets words that are known.",
    "",
    ...leads(record),
    "",
    ...losses(record),
  ];
}

/** How many times as fast it counts, and what is lost, in one table and one line. */
function brief(record: BenchRecord<Cell>): string[] {
  const all = Object.values(record.runtimes).flatMap(({ result }) =>
    ENGINE_NAMES.slice(1).flatMap((rival) =>
      PASSES.flatMap((pass) => ratios(result, rival, pass)).map((ratio) => ({ rival, ratio }))
    )
  );
  const lost = all.filter(({ ratio }) => ratio < 1);
  const worst = Math.min(...lost.map(({ ratio }) => ratio));
  const rivals = [...new Set(lost.map(({ rival }) => rival))].join(", ");
  return [
    "How many times as fast as each rival sluice counts: the geometric mean over 8 classes of text, " +
    "6 lengths and 2 encodings, with the lowest and the highest. *First*: texts that the process " +
    "has never seen. *Warm*: the same texts again.",
    "",
    ...leads(record, ["count"]),
    "",
    lost.length === 0
      ? `**Lost:** none of ${all.length} cells, those of \`encode\` included.`
      : `**Lost:** ${lost.length} of ${all.length} cells, those of \`encode\` included, to ${rivals}; ` +
        `at worst ${times(worst)}.`,
  ];
}

/** Leads and losses, speeds by class, and speeds by length. */
function all(record: BenchRecord<Cell>): string[] {
  return [
    ...head(record),
    "",
    ...byClass(record),
    "Megabytes a second, count, `o200k_base`, English prose, first pass / warm:",
    "",
    ...bySize(record),
    "",
    ...goalTable(record, GOALS),
  ];
}

const GOALS: readonly Goal<Cell>[] = [
  ...([["hypertok", 2], ["gpt-tokenizer", 10]] as const).flatMap(([rival, least]) =>
    PASSES.map((pass) => ({
      goal: `at least ${least}x ${rival} in the mean, ${pass}`,
      value: (cells: readonly Cell[]) => geometricMean(ratios(cells, rival, pass)),
      met: atLeast(least),
    }))
  ),
  {
    goal: "as geometric mean over hypertok where lines never come back (English, code, emoji, " +
      "base64, chat logs), first: at least 2x",
    value: (cells) => {
      const fresh = cells.filter((cell) => !["european", "cjk", "russian"].includes(cell.class));
      return geometricMean(ratios(fresh, "hypertok", "first"));
    },
    met: atLeast(2),
  },
  {
    goal: "behind hypertok in no cell",
    value: (cells) =>
      PASSES.flatMap((pass) => ratios(cells, "hypertok", pass)).filter((ratio) => ratio < 1).length,
    met: atMost(0),
    show: (cells) => `${cells}`,
  },
];

function ratios(cells: readonly Cell[], rival: EngineName, pass: "first" | "warm"): number[] {
  return pairs(cells, rival).map(([ours, theirs]) => pairedRatio(ours, theirs, pass));
}

function leads(
  { runtimes }: BenchRecord<Cell>,
  operations: readonly Operation[] = OPERATIONS,
): string[] {
  const head = ["against"];
  for (const { runtime } of Object.values(runtimes)) {
    head.push(`${runtime}, first`, `${runtime}, warm`);
  }
  const rows = ENGINE_NAMES.slice(1).flatMap((rival) =>
    operations.map((operation) => {
      const row = [`${rival}, ${operation}`];
      for (const { result } of Object.values(runtimes)) {
        const both = pairs(result, rival).filter(([ours]) => ours.operation === operation);
        for (const pass of PASSES) {
          const ratios = both.map(([ours, theirs]) => pairedRatio(ours, theirs, pass));
          row.push(ratios.length === 0 ? "–" : lead(ratios));
        }
      }
      return row;
    })
  );
  return markdown(head, rows);
}

function lead(ratios: readonly number[]): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `**${times(geometricMean(ratios))}** (${times(low)}–${times(high)})`;
}

function byClass({ runtimes }: BenchRecord<Cell>): string[] {
  const lines: string[] = [];
  for (const { runtime, result } of Object.values(runtimes)) {
    const rows = TEXT_CLASSES.map((textClass) => [
      CLASS_TITLES[textClass],
      ...ENGINE_NAMES.map((engine) => {
        const cell = find(result, engine, { class: textClass, size: 4000 });
        return cell === undefined ? "–" : speed(median(cell.warm)) + (cell.equal ? "" : " ≠");
      }),
    ]);
    lines.push(
      `Megabytes a second in ${runtime}, count, \`o200k_base\`, texts of 4,000 characters, warm ` +
        "(≠: some counts differ from tiktoken's):",
      "",
      ...markdown(["", ...ENGINE_NAMES], rows),
      "",
    );
  }
  return lines;
}

function bySize({ runtimes }: BenchRecord<Cell>): string[] {
  const engines: EngineName[] = ["sluice", "hypertok", "gpt-tokenizer"];
  const head = [
    "characters",
    ...Object.values(runtimes).flatMap(({ runtime }) =>
      engines.map((engine) => `${engine}, ${runtime.split(" ")[0]}`)
    ),
  ];
  const rows = SIZES.map((size) => [
    size.toLocaleString("en"),
    ...Object.values(runtimes).flatMap(({ result }) =>
      engines.map((engine) => {
        const cell = find(result, engine, { class: "english", size });
        if (cell === undefined) return "–";
        return `${speed(median(cell.first))} / ${speed(median(cell.warm))}`;
      })
    ),
  ]);
  return markdown(head, rows);
}

/** Where a rival is faster: how many cells of each class, and the worst of them. */
function losses({ runtimes }: BenchRecord<Cell>): string[] {
  const results = Object.values(runtimes);
  let cells = 0;
  let lost = 0;
  const rows = ENGINE_NAMES.slice(1).flatMap((rival) =>
    TEXT_CLASSES.map((textClass) => {
      const row = [`${rival}, ${CLASS_TITLES[textClass]}`];
      for (const { result } of results) {
        const both = pairs(result, rival).filter(([ours]) => ours.class === textClass);
        for (const pass of PASSES) {
          const ratios = both.map(([ours, theirs]) => pairedRatio(ours, theirs, pass));
          const under = ratios.filter((ratio) => ratio < 1);
          cells += ratios.length;
          lost += under.length;
          row.push(
            under.length === 0
              ? "–"
              : `${under.length} of ${ratios.length}, worst ${times(Math.min(...under))}`,
          );
        }
      }
      return row;
    })
  ).filter((row) => row.slice(1).some((cell) => cell !== "–"));
  if (lost === 0) return [`No cell of ${cells} is lost.`];
  const head = results.flatMap(({ runtime }) => [`${runtime}, first`, `${runtime}, warm`]);
  return [
    `**What we lose:** ${lost} of ${cells} cells, by rival and class of text; every cell is in the record.`,
    "",
    ...markdown(["", ...head], rows),
  ];
}

function find(
  cells: readonly Cell[],
  engine: EngineName,
  { class: textClass, size }: Pick<Cell, "class" | "size">,
): Cell | undefined {
  return cells.find((cell) =>
    cell.engine === engine && cell.class === textClass && cell.size === size &&
    cell.operation === "count" && cell.encoding === "o200k_base"
  );
}

function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : ratio.toFixed(0)}x`;
}

function speed(megabytes: number): string {
  return megabytes < 10 ? megabytes.toPrecision(2) : megabytes.toFixed(0);
}

/** The section of the bench `tokenizer`. */
export const TOKENIZER: Section<Cell> = { title: "Speed", all, head, brief, goals: GOALS };
