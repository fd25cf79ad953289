/**
 * What a text costs in a batch of 1 to 4096, against single calls; where a batch begins to pay;
 * what threads add.
 *
 *     bun bench/batch.ts [--brief] [--out FILE]
 *     deno run -A bench/batch.ts [--brief] [--out FILE]
 *
 * @module
 */
import { Tokenizer } from "../mod.ts";
import { rounded, type Spread, spread } from "./measure.ts";
import { type Bench, expect, program } from "./program.ts";
import { alignRight } from "./text_table.ts";
import { TextWalk } from "./text_walk.ts";

/** How a batch is counted. */
export type Way = "single calls" | "batch, 1 thread" | "batch, 2 threads" | "batch, automatic";

/** Nanoseconds per text of one way, text size and batch size. */
export interface BatchCell extends Spread {
  readonly way: Way;
  /** UTF-16 units per text, of English prose. */
  readonly size: number;
  /** Texts per batch. */
  readonly batch: number;
}

const WAYS: readonly Way[] = [
  "single calls",
  "batch, 1 thread",
  "batch, 2 threads",
  "batch, automatic",
];
const TEXT_SIZES = [50, 1000] as const;
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2048, 4096];

/** Texts that a size has in all: batches walk through them, so that one is not always the next. */
const TEXTS = 8192;

const bench: Bench<BatchCell[]> = {
  name: "batch",

  run(brief) {
    using tokenizer = new Tokenizer("o200k_base");
    const cells: BatchCell[] = [];
    for (const size of TEXT_SIZES) {
      const texts = new TextWalk("english").take(TEXTS, size);
      for (const batch of brief ? [1, 64, 1000] : BATCH_SIZES) {
        const batches = cut(texts, batch);
        // The ways take turns within each round, so that they share what the machine does then.
        const times = WAYS.map((): number[] => []);
        for (let round = 0; round < (brief ? 1 : 9); round++) {
          WAYS.forEach((way, i) => {
            times[i]!.push(perText(callOf(way, tokenizer), batches, brief ? 1 : 20));
          });
        }
        WAYS.forEach((way, i) => {
          const { median, low, high } = spread(times[i]!);
          const ns = { median: rounded(median), low: rounded(low), high: rounded(high) };
          cells.push({ way, size, batch, ...ns });
        });
      }
      checkCounts(tokenizer, texts);
    }
    return Promise.resolve(cells);
  },

  check(cells) {
    for (const { way, batch, median } of cells) {
      expect(median > 0 && Number.isFinite(median), `${way} of ${batch} takes time`);
    }
  },

  describe(cells) {
    const rows = [["ns per text", "batch", ...WAYS]];
    for (const cell of cells) {
      if (cell.way !== "single calls") continue;
      const times = WAYS.map((way) => same(cells, cell, way).median.toPrecision(3));
      rows.push([`${cell.size} characters`, String(cell.batch), ...times]);
    }
    const lines = alignRight(rows);
    for (const size of TEXT_SIZES) {
      const at = breakEven(cells, size);
      lines.push(`${size} characters: a batch pays from ${at ?? "no size measured"} texts on`);
    }
    return lines;
  },
};

/** The smallest batch from which on every batch is cheaper per text than single calls. */
export function breakEven(cells: readonly BatchCell[], size: number): number | undefined {
  const batches = cells.filter((cell) => cell.size === size && cell.way === "batch, automatic");
  let from: number | undefined;
  for (const cell of batches.toReversed()) {
    if (cell.median >= same(cells, cell, "single calls").median) break;
    from = cell.batch;
  }
  return from;
}

/** The cell of the same batch that was counted in another way. */
export function same(cells: readonly BatchCell[], { size, batch }: BatchCell, way: Way): BatchCell {
  return cells.find((cell) => cell.size === size && cell.batch === batch && cell.way === way)!;
}

type CountAll = (texts: readonly string[]) => unknown;

function callOf(way: Way, tokenizer: Tokenizer): CountAll {
  switch (way) {
    case "single calls":
      return (texts) => {
        let tokens = 0;
        for (const text of texts) tokens += tokenizer.count(text);
        return tokens;
      };
    case "batch, 1 thread":
      return (texts) => tokenizer.countBatch(texts, { threads: 1 });
    case "batch, 2 threads":
      return (texts) => tokenizer.countBatch(texts, { threads: 2 });
    case "batch, automatic":
      return (texts) => tokenizer.countBatch(texts);
  }
}

/** Nanoseconds per text, over as many batches as fit in `budget` milliseconds. */
function perText(countAll: CountAll, batches: readonly string[][], budget: number): number {
  const start = performance.now();
  let texts = 0;
  let elapsed = 0;
  for (let i = 0; elapsed < budget; i++) {
    // A look at the clock costs as much as a short call: one look for at least 256 texts.
    for (let since = 0; since < 256; i++) {
      const batch = batches[i % batches.length]!;
      countAll(batch);
      since += batch.length;
      texts += batch.length;
    }
    elapsed = performance.now() - start;
  }
  return elapsed * 1e6 / texts;
}

function cut(texts: readonly string[], batch: number): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at + batch <= texts.length; at += batch) {
    batches.push(texts.slice(at, at + batch));
  }
  return batches;
}

function checkCounts(tokenizer: Tokenizer, texts: readonly string[]): void {
  const some = texts.slice(0, 1000);
  const counts = tokenizer.countBatch(some);
  expect(some.every((text, i) => counts[i] === tokenizer.count(text)), "a batch counts the same");
}

if (import.meta.main) await program(bench);
