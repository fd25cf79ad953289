/**
 * Measures one engine on the pieces of one corpus in this process, which has seen no other text, and prints the
 * result as JSON. Started by `held_out.ts` and `against.ts`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { type Engine, type EngineName, engineOf, ENGINES } from "../engines.ts";
import { compilePass, median } from "../measure.ts";

/** What a process is to measure. */
export interface Order {
  readonly engine: EngineName;
  /** The folder of another checkout of sluice, to be measured in place of this one. */
  readonly checkout?: string;
  readonly operation: "count" | "encode";
  /** A JSON file with the pieces of the corpus, in order. */
  readonly pieces: string;
  /** Whether only the first call of the process is measured, before anything is compiled or looked up. */
  readonly fresh: boolean;
  /** Milliseconds that warm passes may take. */
  readonly budget: number;
}

/** Times of all pieces, and what they came to. */
export interface Measured {
  /** Milliseconds of the first pass. */
  readonly first: number;
  /** Median milliseconds of the passes after it; 0 for a fresh process. */
  readonly warm: number;
  readonly tokens: number;
  /** A digest of all ids, or 0 where they are only counted. */
  readonly digest: number;
}

/** Loops are compiled on this text alone, so that the tables know hardly anything. */
const REHEARSAL = "The quick brown fox jumps over the lazy dog. ".repeat(8);
const REHEARSAL_MS = 30;
/** Enough for a median where passes are long. */
const LEAST_WARM_PASSES = 3;
const MOST_WARM_PASSES = 50;

async function load({ engine, checkout }: Order): Promise<Engine> {
  if (checkout === undefined) return await ENGINES[engine].load("o200k_base");
  const { Tokenizer } = await import(pathToFileURL(`${checkout}/mod.ts`).href);
  return engineOf(new Tokenizer("o200k_base"));
}

/** FNV-1a over the ids. */
function digestOf(ids: ArrayLike<number>, before: number): number {
  let digest = before;
  for (let i = 0; i < ids.length; i++) digest = Math.imul(digest ^ ids[i]!, 0x01000193) >>> 0;
  return digest;
}

async function measure(order: Order): Promise<Measured> {
  const pieces = JSON.parse(readFileSync(order.pieces, "utf8")) as string[];
  const engine = await load(order);
  const call = order.operation === "count"
    ? engine.count
    : (text: string) => engine.encode(text).length;
  const pass = compilePass(call, pieces[0]!.length);
  const counts = new Uint32Array(pieces.length);
  const timed = () => {
    const start = performance.now();
    pass(pieces, counts, Infinity);
    return performance.now() - start;
  };
  const warm: number[] = [];
  let first: number;
  if (order.fresh) {
    first = timed();
  } else {
    const rehearsed = performance.now() + REHEARSAL_MS;
    while (performance.now() < rehearsed) pass([REHEARSAL], new Uint32Array(1), Infinity);
    first = timed();
    const end = performance.now() + order.budget;
    while (
      warm.length < LEAST_WARM_PASSES ||
      (performance.now() < end && warm.length < MOST_WARM_PASSES)
    ) warm.push(timed());
  }
  const digest = order.operation === "count"
    ? 0
    : pieces.reduce((digest, piece) => digestOf(engine.encode(piece), digest), 0x811c9dc5);
  return {
    first,
    warm: order.fresh ? 0 : median(warm),
    tokens: counts.reduce((sum, count) => sum + count, 0),
    digest,
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { order: { type: "string" } },
  });
  console.log(JSON.stringify(await measure(JSON.parse(values.order ?? "null") as Order)));
  process.exit(0);
}
