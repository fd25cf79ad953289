/**
 * A corpus of made-up texts: the same bytes each time, with one torn line.
 *
 * @module
 */
import { writeFileSync } from "node:fs";

const WORDS =
  "the of corpus token unit shard worker queue lease commit rename manifest 2026 naïve 你好 🙂 {}"
    .split(" ");

/** Writes about `bytes` of JSON Lines and returns how many lines there are. */
export function writeCorpus(path: string, bytes: number): number {
  // A linear congruential generator (Numerical Recipes).
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const lines: string[] = [];
  for (let length = 0; length < bytes; length += lines.at(-1)!.length + 1) {
    const words = Array.from({ length: 5 + next(200) }, () => WORDS[next(WORDS.length)]);
    lines.push(JSON.stringify({ id: lines.length, text: words.join(" ") }));
  }
  lines[lines.length >> 1] = '{"id":7,"text":"a line without an e';
  writeFileSync(path, `${lines.join("\n")}\n`);
  return lines.length;
}
