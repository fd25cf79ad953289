/**
 * Measures one engine in this process, as an order on the command line says, and prints the result as JSON. Started by
 * `measurePasses`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { type Engine, engineOf, ENGINES } from "./engines.ts";
import { median } from "./measure.ts";
import type { Order, Passes, TextSet } from "./passes.ts";

/** Tokenizes texts until a deadline; returns how many it reached. */
type Pass = (texts: readonly string[], counts: Uint32Array, deadline: number) => number;

const REHEARSAL = ["The quick brown fox jumps over the lazy dog. ".repeat(8)];
const REHEARSAL_MS = 30;
const MIN_WARM_PASSES = 3;
const MAX_WARM_PASSES = 50;
/** A set is skipped if one of its texts would take longer, in milliseconds. */
const MAX_TEXT_MS = 1000;
/** Characters between two readings of the clock, which takes as long as a short call. */
const CHARACTERS_PER_LOOK = 4096;

const { gc: collectGarbage } = globalThis as { gc?: () => void };

/** Compiles a loop of its own, so that each call site sees one engine only and can inline it. */
function compile(call: (text: string) => number, charactersPerText: number): Pass {
  const mask = 2 ** Math.floor(Math.log2(Math.max(1, CHARACTERS_PER_LOOK / charactersPerText))) - 1;
  const make = new Function(
    "call",
    "now",
    `return function pass(texts, counts, deadline) {
       for (let i = 0; i < texts.length; i++) {
         counts[i] = call(texts[i]);
         if ((i & ${mask}) === 0 && now() > deadline) return i + 1;
       }
       return texts.length;
     };`,
  ) as (call: (text: string) => number, now: () => number) => Pass;
  return make(call, () => performance.now());
}

function read(path: string): string[] {
  return JSON.parse(readFileSync(path, "utf8")) as string[];
}

async function load({ engine, encoding, checkout }: Order): Promise<Engine> {
  if (checkout === undefined) return await ENGINES[engine](encoding);
  const { Tokenizer } = await import(pathToFileURL(`${checkout}/mod.ts`).href);
  return engineOf(new Tokenizer(encoding));
}

async function measure(order: Order): Promise<(Passes | null)[]> {
  const engine = await load(order);
  const rehearsal = order.rehearsal === undefined ? REHEARSAL : read(order.rehearsal);
  /** Characters per millisecond of the last set of an operation. */
  const speeds: Record<string, number> = {};
  return order.sets.map(({ operation, texts: path }) => {
    const texts = read(path);
    const longest = Math.max(...texts.map(({ length }) => length));
    if (order.isCut && longest / (speeds[operation] ?? Infinity) > MAX_TEXT_MS) return null;
    const passes = measureSet(order, engine, operation, texts, rehearsal);
    const characters = texts.slice(0, passes.counts.length).reduce(
      (sum, { length }) => sum + length,
      0,
    );
    speeds[operation] = characters / (order.isFresh ? passes.first : passes.warm);
    return passes;
  });
}

function measureSet(
  { isFresh, isCut, budget }: Order,
  engine: Engine,
  operation: TextSet["operation"],
  texts: readonly string[],
  rehearsal: readonly string[],
): Passes {
  const call = operation === "count" ? engine.count : (text: string) => engine.encode(text).length;
  const pass = compile(call, texts[0]!.length);
  const timed = (some: readonly string[], counts: Uint32Array, deadline = Infinity) => {
    const start = performance.now();
    const done = pass(some, counts, start + deadline);
    return { done, ms: performance.now() - start };
  };
  if (!isFresh) {
    // So that the first pass is the first over these texts, and not the first run of the code.
    const unused = new Uint32Array(rehearsal.length);
    const duration = rehearsal === REHEARSAL ? REHEARSAL_MS : 2 * REHEARSAL_MS;
    for (let ms = 0; ms < duration;) ms += timed(rehearsal, unused, duration).ms;
    collectGarbage?.();
  }
  const counts = new Uint32Array(texts.length);
  const { done, ms: first } = timed(texts, counts, isCut ? budget : Infinity);
  const seen = texts.slice(0, done);
  const warm: number[] = [];
  const end = performance.now() + budget;
  while (
    !isFresh &&
    (warm.length < (isCut ? 1 : MIN_WARM_PASSES) ||
      (performance.now() < end && warm.length < MAX_WARM_PASSES))
  ) warm.push(timed(seen, counts).ms);
  return {
    counts: [...counts.subarray(0, done)],
    bytes: seen.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    first,
    warm: isFresh ? 0 : median(warm),
    fastest: isFresh ? 0 : Math.min(...warm),
    digest: operation === "count" || isCut ? 0 : digest(engine, seen),
  };
}

/** FNV-1a over all token ids. */
function digest(engine: Engine, texts: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const text of texts) {
    const ids = engine.encode(text);
    for (let i = 0; i < ids.length; i++) hash = Math.imul(hash ^ ids[i]!, 0x01000193) >>> 0;
  }
  return hash;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { order: { type: "string" } },
  });
  console.log(JSON.stringify(await measure(JSON.parse(values.order!) as Order)));
  process.exit(0);
}
