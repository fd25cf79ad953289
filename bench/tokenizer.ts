/**
 * Counting and encoding by class and length of text, against the tokenizers of npm. Each engine runs in a process of
 * its own for each encoding and class, and each round has new texts.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BENCHED_ENCODINGS,
  type BenchedEncoding,
  ENGINE_NAMES,
  type EngineName,
  EXACT_ENGINES,
} from "./engines.ts";
import { rounded } from "./measure.ts";
import { measurePasses, OPERATIONS, type Passes, speedOf } from "./passes.ts";
import { expect, program, progress } from "./program.ts";
import { CLASS_TITLES, TEXT_CLASSES, type TextClass, TextWalk } from "./text_walk.ts";

/** One engine on texts of one class and length. Speeds are MB/s, one for each round. */
interface TokenizerCell {
  readonly encoding: string;
  readonly class: string;
  /** UTF-16 units per text. */
  readonly size: number;
  readonly operation: string;
  readonly engine: string;
  /** Mean UTF-8 bytes per text. */
  readonly bytes: number;
  readonly first: number[];
  readonly warm: number[];
  /** Whether every count equals sluice's. */
  equal: boolean;
}

const SIZES = [10, 40, 400, 4_000, 32_000, 1_000_000];
const ROUNDS = 3;
/** These are close to each other; first passes differ much from round to round. */
const CLOSE: readonly EngineName[] = ["sluice", "hypertok"];
const ROUNDS_OF_CLOSE = 9;
/** The others take seconds to load. */
const BRIEF_ENGINES: readonly EngineName[] = ["sluice", "hypertok", "gpt-tokenizer"];
/** Milliseconds of a pass. */
const BUDGET = 20;
/** UTF-16 units of the texts of a set. */
const UNITS_PER_SET = 8000 * BUDGET;

interface Scope {
  readonly folder: string;
  readonly sizes: readonly number[];
  readonly engines: readonly EngineName[];
  readonly budget: number;
}

/** Measures all engines in turns on the next texts of a walk, and adds the figures to the cells. */
async function addRound(
  cells: Map<string, TokenizerCell>,
  { folder, sizes, engines, budget }: Scope,
  encoding: BenchedEncoding,
  textClass: TextClass,
  walk: TextWalk,
): Promise<void> {
  const write = (name: string, texts: readonly string[]) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(texts));
    return path;
  };
  const sets = sizes.flatMap((size) =>
    OPERATIONS.map((operation) => {
      const count = Math.max(1, Math.min(2000, Math.round(UNITS_PER_SET / size)));
      const texts = walk.take(count, size);
      const bytes = Math.round(Buffer.byteLength(texts.join("")) / count);
      return { size, operation, bytes, texts: write(`${size}-${operation}`, texts) };
    })
  );
  const order = { encoding, sets, budget, isCut: true, rehearsal: write("r", walk.take(40, 500)) };
  let ours: (Passes | null)[] = [];
  for (const engine of engines) {
    progress(`tokenizer: ${encoding}, ${textClass}, ${engine}`);
    const results = await measurePasses({ ...order, engine });
    if (engine === "sluice") ours = results;
    results.forEach((passes, i) => {
      if (passes === null) return;
      const { size, operation, bytes } = sets[i]!;
      const key = [engine, size, operation].join();
      const cell = cells.get(key) ?? {
        encoding,
        class: CLASS_TITLES[textClass],
        size,
        operation,
        engine,
        bytes,
        first: [],
        warm: [],
        equal: true,
      };
      cells.set(key, cell);
      cell.first.push(rounded(speedOf(passes.bytes, passes.first)));
      cell.warm.push(rounded(speedOf(passes.bytes, passes.warm)));
      const truth = ours[i]!.counts;
      cell.equal &&= passes.counts.every((count, at) => count === (truth[at] ?? count));
    });
  }
}

async function run(brief: boolean): Promise<TokenizerCell[]> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-tokenizer-"));
  const scope = brief
    ? { folder, sizes: [10, 4000], engines: BRIEF_ENGINES, budget: 1 }
    : { folder, sizes: SIZES, engines: ENGINE_NAMES, budget: BUDGET };
  const all: TokenizerCell[] = [];
  for (const encoding of brief ? ["o200k_base" as const] : BENCHED_ENCODINGS) {
    for (const textClass of brief ? ["chat" as const] : TEXT_CLASSES) {
      const cells = new Map<string, TokenizerCell>();
      const walk = new TextWalk(textClass);
      for (let round = 0; round < (brief ? 1 : ROUNDS_OF_CLOSE); round++) {
        const engines = round < ROUNDS ? scope.engines : CLOSE;
        await addRound(cells, { ...scope, engines }, encoding, textClass, walk);
      }
      all.push(...cells.values());
    }
  }
  rmSync(folder, { recursive: true });
  for (const { engine, equal, operation, size } of all) {
    const name = `${operation} of ${engine}, ${size} characters`;
    expect(equal || !EXACT_ENGINES.includes(engine), `${name}: counts differ from sluice's`);
  }
  return all;
}

if (import.meta.main) await program({ name: "tokenizer", run });
