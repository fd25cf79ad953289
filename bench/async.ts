/**
 * How long the event loop is held while a large text is tokenized, synchronously and asynchronously.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Tokenizer } from "../mod.ts";
import { median, rounded } from "./measure.ts";
import { expect, program, progress } from "./program.ts";
import type { Cell } from "./record.ts";
import { CLASS_TITLES, type TextClass, TextWalk } from "./text_walk.ts";

/** ASCII, some characters of two bytes, and all of three bytes. */
const CLASSES: readonly TextClass[] = ["english", "european", "cjk"];
const LARGE = 64_000_000;
/** Around the length up to which the asynchronous calls work synchronously; English only. */
const LENGTHS = [16_000, 32_000, 64_000, 256_000, 1_000_000];
const RUNS = 3;

async function run(brief: boolean): Promise<Cell[]> {
  using tokenizer = new Tokenizer("o200k_base");
  const cells: Cell[] = [];
  for (const name of CLASSES) {
    const block = new TextWalk(name).next(brief ? 20_000 : 1_000_000);
    const lengths = name === "english" ? [...LENGTHS, LARGE] : [LARGE];
    for (const characters of brief ? [40_000] : lengths) {
      progress(`async: ${name}, ${characters}`);
      const text = repeated(block, characters);
      for (
        const [call, work] of Object.entries(calls(tokenizer, text, brief || characters === LARGE))
      ) {
        const runs = [];
        for (let i = 0; i < (brief ? 1 : RUNS); i++) runs.push(await watched(work));
        cells.push({
          text: CLASS_TITLES[name],
          characters: text.length,
          call,
          ms: rounded(median(runs.map(({ ms }) => ms))),
          held: rounded(median(runs.map(({ held }) => held))),
        });
      }
    }
  }
  return cells;
}

/** The calls that are compared. They check their results. */
function calls(
  tokenizer: Tokenizer,
  text: string,
  isLarge: boolean,
): Record<string, () => unknown> {
  const count = tokenizer.count(text);
  const right = (tokens: number) => expect(tokens === count, `${tokens} tokens are ${count}`);
  const single = {
    count: () => right(tokenizer.count(text)),
    countAsync: async () => right(await tokenizer.countAsync(text)),
  };
  if (!isLarge) return single;
  const parts = partsOf(text);
  const sum = tokenizer.countBatch(parts).reduce((sum, count) => sum + count, 0);
  const rightSum = (tokens: number) => expect(tokens === sum, `${tokens} tokens are ${sum}`);
  return {
    transcoding: () => new TextEncoder().encode(text).length,
    ...single,
    encodeAsync: async () => right((await tokenizer.encodeAsync(text)).length),
    countBatchAsync: async () => {
      const counts = await tokenizer.countBatchAsync(parts);
      rightSum(counts.reduce((sum, count) => sum + count, 0));
    },
    encodeBatchAsync: async () => rightSum((await tokenizer.encodeBatchAsync(parts)).ids.length),
  };
}

/** `text` in parts of 4,000 units, as flat strings. */
function partsOf(text: string): string[] {
  const count = Math.ceil(text.length / 4000);
  const parts = Array.from({ length: count }, (_, i) => text.slice(4000 * i, 4000 * (i + 1)));
  return JSON.parse(JSON.stringify(parts)) as string[];
}

/** `block` repeated to about `characters`, as a flat string. */
function repeated(block: string, characters: number): string {
  if (characters <= block.length) return block.slice(0, characters);
  const bytes = new TextEncoder().encode(block.repeat(Math.round(characters / block.length)));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Runs `work` beside a timer that notes the gaps between its ticks. */
async function watched(work: () => unknown): Promise<{ ms: number; held: number }> {
  const gaps: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }, 1);
  await sleep(60);
  const idle = median(gaps.splice(0));
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  // One more tick, so that a hold at the end is seen.
  await sleep(5);
  clearInterval(timer);
  return { ms, held: Math.max(0, Math.max(...gaps) - idle) };
}

if (import.meta.main) await program({ name: "async", run });
