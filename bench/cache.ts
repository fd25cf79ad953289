/**
 * The gain of the count cache in chats of 20 turns that send the whole history with every turn.
 *
 * Every chat is new, so the first count of each message is a miss and is included.
 *
 * @module
 */
import { cacheStats, type ChatMessage, countMessages } from "../mod.ts";
import { rounded, spread } from "./measure.ts";
import { expect, program } from "./program.ts";
import type { Cell } from "./record.ts";
import { TextWalk } from "./text_walk.ts";

const TURNS = 20;
const ROUNDS = 15;

function run(brief: boolean): Promise<Cell[]> {
  return Promise.resolve([400, 4_000, 32_000].map((size) => {
    const walk = new TextWalk("english");
    const times = { plain: [] as number[], cached: [] as number[], known: [] as number[] };
    const before = cacheStats();
    let knownLookups = 0;
    for (let round = 0; round < (brief ? 2 : ROUNDS); round++) {
      const chats = brief ? 1 : Math.ceil(64_000 / size);
      const requests = Array.from({ length: chats }, () => chat(walk, size)).flat();
      // Alternated: the second way finds the strings in the CPU's caches.
      for (const cache of round % 2 === 0 ? [false, true] : [true, false]) {
        times[cache ? "cached" : "plain"].push(perRequest(requests, cache));
      }
      times.known.push(perRequest(requests, true));
      knownLookups += requests.reduce((sum, { length }) => sum + length, 0);
    }
    const after = cacheStats();
    const hits = after.hits - before.hits - knownLookups;
    const rate = hits / (hits + after.misses - before.misses);
    // Of the 1 + 3 + … + 39 messages of a chat 39 are new.
    expect(Math.abs(rate - (1 - 39 / 400)) < 0.02, `${size} characters: ${rate} of lookups hit`);
    return {
      size,
      plain: spread(times.plain),
      cached: spread(times.cached),
      known: spread(times.known),
      gain: spread(times.plain.map((time, round) => time / times.cached[round]!)),
      hits: rounded(rate),
    };
  }));
}

/** The requests of one chat: each has all messages before it, an answer and a question more. */
function chat(walk: TextWalk, size: number): ChatMessage[][] {
  const messages = walk.take(2 * TURNS - 1, size).map((content, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content,
  }));
  return Array.from({ length: TURNS }, (_, turn) => messages.slice(0, 2 * turn + 1));
}

function perRequest(requests: readonly ChatMessage[][], cache: boolean): number {
  const start = performance.now();
  for (const messages of requests) countMessages(messages, { model: "gpt-4o" }, { cache });
  return 1_000 * (performance.now() - start) / requests.length;
}

if (import.meta.main) await program({ name: "cache", run });
