/**
 * Off the event loop: how long the loop is held while a large text is tokenized, beside what the
 * synchronous call and the string's own transcoding hold it for; and from which length on the
 * asynchronous call costs less of the loop than it adds in waiting.
 *
 *     bun bench/async.ts [--brief] [--out FILE]
 *     deno run -A bench/async.ts [--brief] [--out FILE]
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Tokenizer } from "../mod.ts";
import { median, rounded } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { alignRight } from "./text_table.ts";
import { CLASS_TITLES, type TextClass, TextWalk } from "./text_walk.ts";

/** One way to tokenize one text. */
export interface AsyncCell {
  readonly text: string;
  readonly characters: number;
  readonly call: string;
  /** Milliseconds until the result was there. */
  readonly ms: number;
  /** The longest the event loop was held, in milliseconds, beyond what an idle timer shows. */
  readonly held: number;
}

/** ASCII, two bytes a letter here and there, three bytes a character. */
const CLASSES: readonly TextClass[] = ["english", "european", "cjk"];
/** 64 MB of ASCII, so that every class has at least as many bytes. */
const LARGE = 64_000_000;
/** Around the length up to which the asynchronous calls work at once. */
const LENGTHS = [16_000, 32_000, 64_000, 256_000, 1_000_000];
const RUNS = 3;

const bench: Bench<AsyncCell[]> = {
  name: "async",

  async run(brief) {
    using tokenizer = new Tokenizer("o200k_base");
    const cells: AsyncCell[] = [];
    for (const name of CLASSES) {
      const block = new TextWalk(name).next(brief ? 20_000 : 1_000_000);
      const lengths = brief ? [20_000, 40_000, 200_000] : [...LENGTHS, LARGE];
      tokenizer.count(block);
      for (const characters of lengths) {
        progress(`async: ${name}, ${characters}`);
        const text = flat(block, characters);
        const title = CLASS_TITLES[name];
        const parts = partsOf(text);
        const expected = { text: tokenizer.count(text), parts: sum(tokenizer.countBatch(parts)) };
        const calls: Record<string, () => unknown> = {
          "transcoding": () => new TextEncoder().encode(text).length,
          "count": () => tokenizer.count(text),
          "countAsync": () => tokenizer.countAsync(text),
          "encodeAsync": async () => (await tokenizer.encodeAsync(text)).length,
          "countBatchAsync": async () => sum(await tokenizer.countBatchAsync(parts)),
          "encodeBatchAsync": async () => (await tokenizer.encodeBatchAsync(parts)).ids.length,
        };
        for (const [call, run] of Object.entries(calls)) {
          const times: number[] = [];
          const holds: number[] = [];
          for (let i = 0; i < (brief ? 1 : RUNS); i++) {
            const { ms, held, result } = await watched(run);
            const right = call.includes("Batch") ? expected.parts : expected.text;
            expect(call === "transcoding" || result === right, `${call} of ${title} is right`);
            times.push(ms);
            holds.push(held);
          }
          cells.push({
            text: title,
            characters: text.length,
            call,
            ms: rounded(median(times)),
            held: rounded(median(holds)),
          });
        }
      }
    }
    return cells;
  },

  check(cells) {
    expect(cells.length > 0 && cells.every(({ ms, held }) => ms > 0 && held >= 0), "times");
  },

  describe(cells) {
    const rows = cells.map(({ text, characters, call, ms, held }) => [
      text,
      characters.toLocaleString("en"),
      call,
      ms.toFixed(2),
      held.toFixed(2),
    ]);
    return [
      ...alignRight([["text", "characters", "call", "ms", "loop held ms"], ...rows]),
      "loop held: the longest gap between two ticks of a 1 ms timer, less the median idle gap",
    ];
  },
};

/** `text` in parts of 4,000 units, as strings of their own. */
function partsOf(text: string): string[] {
  const count = Math.ceil(text.length / 4000);
  const parts = Array.from({ length: count }, (_, i) => text.slice(4000 * i, 4000 * (i + 1)));
  return JSON.parse(JSON.stringify(parts)) as string[];
}

function sum(counts: Uint32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** `block` repeated to about `characters`, as a flat string: joining a rope is not our cost. */
function flat(block: string, characters: number): string {
  if (characters <= block.length) return block.slice(0, characters);
  const bytes = new TextEncoder().encode(block.repeat(Math.round(characters / block.length)));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Runs `work` with a timer ticking beside it. */
async function watched(
  work: () => unknown,
): Promise<{ ms: number; held: number; result: unknown }> {
  const idle = new Ticker();
  await sleep(60);
  const usual = median(idle.stop());
  const ticker = new Ticker();
  await sleep(5);
  const start = performance.now();
  const result = await work();
  const ms = performance.now() - start;
  // One more tick, so that a hold that lasted to the end is seen.
  await sleep(5);
  return { ms, held: Math.max(0, Math.max(...ticker.stop()) - usual), result };
}

/** Notes the gaps between the ticks of a 1 ms timer. */
class Ticker {
  readonly #gaps: number[] = [];
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#gaps.push(now - this.#last);
    this.#last = now;
  }, 1);

  /** The gaps so far; the timer ends. */
  stop(): number[] {
    clearInterval(this.#timer);
    return this.#gaps;
  }
}

if (import.meta.main) await program(bench);
