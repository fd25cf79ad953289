/**
 * What the count cache gains where it is meant to: chats of 20 turns that send the whole history with
 * every turn, counted with and without it.
 *
 *     bun bench/cache.ts [--brief] [--out FILE]
 *     deno run -A bench/cache.ts [--brief] [--out FILE]
 *
 * Every chat is new, so the first count of each message is a miss and is paid for. Texts never
 * repeat but for the resending.
 *
 * @module
 */
import { cacheStats, type ChatMessage, countMessages } from "../mod.ts";
import { rounded, type Spread, spread } from "./measure.ts";
import { type Bench, expect, program } from "./program.ts";
import { alignRight } from "./text_table.ts";
import { TextWalk } from "./text_walk.ts";

/** Microseconds per request of one size of message, as a mean over the turns of a chat. */
export interface CacheCell {
  /** UTF-16 units per message, of English prose. */
  readonly size: number;
  readonly plain: Spread;
  readonly cached: Spread;
  /** The same requests once more, when every message is known. */
  readonly known: Spread;
  /** How many times as fast it is with the cache, in the median of the rounds. */
  readonly gain: Spread;
  /** The share of lookups that were hits. */
  readonly hits: number;
}

const SIZES = [400, 4_000, 32_000];
const TURNS = 20;
const MODEL = "gpt-4o";

const bench: Bench<CacheCell[]> = {
  name: "cache",

  run(brief) {
    const cells = SIZES.map((size) => {
      const walk = new TextWalk("english");
      const chats = brief ? 1 : Math.ceil(64_000 / size);
      const plain: number[] = [];
      const cached: number[] = [];
      const known: number[] = [];
      const gain: number[] = [];
      let lookups = 0;
      let hits = 0;
      for (let round = 0; round < (brief ? 2 : 15); round++) {
        const requests = Array.from({ length: chats }, () => chat(walk, size)).flat();
        // Each way goes first in every other round: the second finds the strings in the CPU's caches.
        const ways = round % 2 === 0 ? [false, true] : [true, false];
        for (const cache of ways) {
          const before = cacheStats();
          const time = perRequest(requests, cache);
          (cache ? cached : plain).push(time);
          if (!cache) continue;
          const after = cacheStats();
          hits += after.hits - before.hits;
          lookups += after.hits - before.hits + after.misses - before.misses;
          known.push(perRequest(requests, cache));
        }
        gain.push(plain.at(-1)! / cached.at(-1)!);
      }
      return {
        size,
        plain: summary(plain),
        cached: summary(cached),
        known: summary(known),
        gain: summary(gain),
        hits: rounded(hits / lookups),
      };
    });
    return Promise.resolve(cells);
  },

  check(cells) {
    for (const { size, plain, cached, hits } of cells) {
      expect(plain.median > 0 && cached.median > 0, `${size} characters take time`);
      // Of the 1 + 3 + … + 39 messages that a chat sends, 39 are new.
      expect(Math.abs(hits - (1 - 39 / 400)) < 0.02, `${size} characters: ${hits} of lookups hit`);
    }
  },

  describe(cells) {
    const rows = [["µs per request", "without", "with", "gain", "hits", "all known"]];
    for (const { size, plain, cached, known, gain, hits } of cells) {
      rows.push([
        `${size} characters`,
        plain.median.toPrecision(3),
        cached.median.toPrecision(3),
        `${gain.median.toPrecision(3)}x`,
        `${(100 * hits).toFixed(1)} %`,
        known.median.toPrecision(3),
      ]);
    }
    return alignRight(rows);
  },
};

/** The requests of one chat: each has all messages before it, an answer and a question more. */
function chat(walk: TextWalk, size: number): ChatMessage[][] {
  const texts = walk.take(2 * TURNS - 1, size);
  const messages = texts.map((content, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content,
  }));
  return Array.from({ length: TURNS }, (_, turn) => messages.slice(0, 2 * turn + 1));
}

function perRequest(requests: readonly ChatMessage[][], cache: boolean): number {
  const start = performance.now();
  for (const messages of requests) countMessages(messages, { model: MODEL }, { cache });
  return 1_000 * (performance.now() - start) / requests.length;
}

function summary(values: readonly number[]): Spread {
  const { median, low, high } = spread(values);
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}

if (import.meta.main) await program(bench);
