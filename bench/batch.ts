/**
 * The cost of a text in batches of 1 to 4,096, with one thread and automatically many, against single calls.
 *
 * @module
 */
import { Tokenizer } from "../mod.ts";
import { expect, program } from "./program.ts";
import { race } from "./race.ts";
import type { Cell } from "./record.ts";
import { TextWalk } from "./text_walk.ts";

const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2048, 4096];
/** Batches walk through these texts, so that none is counted twice in a row. */
const TEXTS = 8192;

async function run(brief: boolean): Promise<Cell[]> {
  using tokenizer = new Tokenizer("o200k_base");
  const ways: Record<string, (texts: readonly string[]) => unknown> = {
    "single calls": (texts) => texts.reduce((sum, text) => sum + tokenizer.count(text), 0),
    "batch, 1 thread": (texts) => tokenizer.countBatch(texts, { threads: 1 }),
    "batch, automatic": (texts) => tokenizer.countBatch(texts),
  };
  const cells: Cell[] = [];
  for (const size of [50, 1000]) {
    const texts = new TextWalk("english").take(brief ? 1000 : TEXTS, size);
    const counts = tokenizer.countBatch(texts.slice(0, 1000));
    expect(counts.every((count, i) => count === tokenizer.count(texts[i]!)), "batches are exact");
    for (const batch of brief ? [1, 64, 1000] : BATCHES) {
      const batches: string[][] = [];
      for (let at = 0; at + batch <= texts.length; at += batch) {
        batches.push(texts.slice(at, at + batch));
      }
      const contenders = Object.entries(ways).map(([way, count]) => {
        let at = 0;
        return {
          cell: { way, size, batch },
          operations: batch,
          call: () => count(batches[at = (at + 1) % batches.length]!),
        };
      });
      cells.push(...await race(`batches of ${batch}`, contenders, brief));
    }
  }
  return cells;
}

if (import.meta.main) await program({ name: "batch", run });
