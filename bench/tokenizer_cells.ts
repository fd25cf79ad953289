/**
 * Measures the cells of the tokenizer bench for some encodings and classes, in this process, and
 * prints them as JSON. Started by `tokenizer.ts`, one process per encoding and class, so that a
 * first pass is one: no engine has seen another cell's texts.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { parseArgs } from "node:util";
import { type BenchedEncoding, type Engine, type EngineName, ENGINES } from "./engines.ts";
import { compilePass, median, type Pass, type PassTimes, rounded, timePasses } from "./measure.ts";
import { type TextClass, TextWalk } from "./text_walk.ts";

/** What is done with a text. */
export type Operation = "count" | "encode";

/** One engine on texts of one class and size. */
export interface Cell {
  readonly encoding: BenchedEncoding;
  readonly class: TextClass;
  /** UTF-16 units per text. */
  readonly size: number;
  readonly operation: Operation;
  readonly engine: EngineName;
  /** Mean UTF-8 bytes per text. */
  readonly bytes: number;
  /** MB/s (10^6 bytes of UTF-8) of the first pass, one for each round. */
  readonly first: readonly number[];
  /** MB/s of passes over texts seen before, one for each round. */
  readonly warm: readonly number[];
  /** Whether every count equals sluice's. */
  readonly equal: boolean;
}

/** The work order of a process. */
export interface CellOrder {
  readonly encodings: readonly BenchedEncoding[];
  readonly classes: readonly TextClass[];
  readonly engines: readonly EngineName[];
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Milliseconds that each pass of each cell may take. */
  readonly budget: number;
}

/** A single text that would take longer than this many milliseconds is left out. */
const LONGEST_TEXT = 1000;

const { gc: collectGarbage } = globalThis as { gc?: () => void };

const OPERATIONS: readonly Operation[] = ["count", "encode"];

interface Runner {
  readonly name: EngineName;
  readonly engine: Engine;
  /** Its speed on the texts one size smaller, in characters per millisecond. */
  speed: number;
}

async function measure(order: CellOrder): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const encoding of order.encodings) {
    const runners: Runner[] = [];
    for (const name of order.engines) {
      runners.push({ name, engine: await ENGINES[name].load(encoding), speed: Infinity });
    }
    for (const textClass of order.classes) {
      const walk = new TextWalk(textClass);
      for (const runner of runners) {
        runner.speed = Infinity;
        warmUp(runner, walk, order.budget);
      }
      for (const size of order.sizes) {
        for (const operation of OPERATIONS) {
          const group = measureGroup(order, walk, runners, size, operation);
          cells.push(...group.map((cell) => ({ encoding, class: textClass, ...cell })));
        }
      }
    }
  }
  return cells;
}

/** Lets the JIT compile each engine, on texts of their own. */
function warmUp({ engine }: Runner, walk: TextWalk, budget: number): void {
  const texts = walk.take(40, 500);
  for (const call of [engine.count, (text: string) => engine.encode(text).length]) {
    const end = performance.now() + 3 * budget;
    for (let i = 0; performance.now() < end; i++) call(texts[i % texts.length]!);
  }
}

/** A cell while it is being measured. */
type GroupCell = { -readonly [K in keyof Omit<Cell, "encoding" | "class">]: Cell[K] } & {
  first: number[];
  warm: number[];
};

/** All engines on the same sets of texts, in turn, round by round: so ratios are of one moment. */
function measureGroup(
  order: CellOrder,
  walk: TextWalk,
  runners: readonly Runner[],
  size: number,
  operation: Operation,
): GroupCell[] {
  const entries = runners
    .filter(({ speed }) => size / speed < LONGEST_TEXT)
    .map((runner) => ({
      runner,
      pass: passOf(runner.engine, operation, size),
      cell: cellOf(runner),
    }));

  function cellOf(runner: Runner): GroupCell {
    return { size, operation, engine: runner.name, bytes: 0, first: [], warm: [], equal: true };
  }

  // So that a first pass is over new texts, and not a first run of the loop.
  const rehearsal = walk.take(Math.min(100, textsPerSet(size, order.budget)), Math.min(size, 4000));
  for (const { pass } of entries) {
    const end = performance.now() + order.budget / 2;
    const counts = new Uint32Array(rehearsal.length);
    while (performance.now() < end) pass(rehearsal, counts, end);
  }

  const rounds = size >= 1e6 ? Math.min(3, order.rounds) : order.rounds;
  for (let round = 0; round < rounds; round++) {
    const texts = walk.take(textsPerSet(size, order.budget), size);
    const bytes = texts.map((text) => Buffer.byteLength(text));
    let truth: PassTimes | undefined;
    // Rotated, so that no engine always follows the same one.
    const turn = rotated(entries, round);
    const results = turn.map(({ runner, pass, cell }) => {
      // Or one engine pays for what the engine before it has left behind.
      collectGarbage?.();
      const times = timePasses(pass, texts, order.budget);
      const done = bytes.slice(0, times.done).reduce((sum, n) => sum + n, 0);
      cell.first.push(rounded(done / times.first / 1e3));
      cell.warm.push(rounded(done / times.warm / 1e3));
      if (runner.name === "sluice") truth = times;
      return { cell, times };
    });
    const mean = Math.round(bytes.reduce((sum, n) => sum + n, 0) / bytes.length);
    for (const { cell, times } of results) {
      cell.bytes = mean;
      const common = Math.min(times.done, truth?.done ?? 0);
      for (let i = 0; i < common; i++) cell.equal &&= times.counts[i] === truth!.counts[i];
    }
  }
  for (const { runner, cell } of entries) {
    runner.speed = median(cell.warm) * 1e3 / cell.bytes * size;
  }
  return entries.map(({ cell }) => cell);
}

function passOf(engine: Engine, operation: Operation, size: number): Pass {
  return compilePass(
    operation === "count" ? engine.count : (text) => engine.encode(text).length,
    size,
  );
}

/** Enough texts that a fast engine runs for a while; the budget ends the slow ones earlier. */
function textsPerSet(size: number, budget: number): number {
  const characters = Math.min(budget, 40) * 8000;
  return Math.max(1, Math.min(2000, Math.round(characters / size)));
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { order: { type: "string" } },
  });
  const order = JSON.parse(values.order ?? "null") as CellOrder;
  console.log(JSON.stringify(await measure(order)));
  process.exit(0);
}
