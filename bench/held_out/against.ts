/**
 * The held-out corpora with another checkout of sluice, such as that of an older commit built in a folder of its own,
 * in turns with this one: what has become slower, by class of text.
 *
 *     bun bench/held_out/against.ts --base FOLDER [--rounds 5] [--corpora NAME,NAME] [--lengths 4000,0]
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { OPERATIONS } from "../held_out.ts";
import { runtimeVersion } from "../machine.ts";
import { geometricMean, median } from "../measure.ts";
import { alignRight } from "../text_table.ts";
import { corpora } from "./corpora.ts";
import { fetchAll } from "./fetch.ts";
import { FRESH, type Length, LENGTHS, measured, piecesOf } from "./measured.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    base: { type: "string" },
    rounds: { type: "string", default: "5" },
    corpora: { type: "string" },
    lengths: { type: "string" },
  },
});
const { base } = values;
if (base === undefined) throw new Error("--base names the folder of the other checkout");
const chosen = values.corpora?.split(",");
const ALL_LENGTHS: readonly (typeof FRESH | Length)[] = [FRESH, ...LENGTHS];
const lengths = ALL_LENGTHS.filter((length) =>
  values.lengths === undefined || values.lengths.split(",").includes(String(length))
);
const BUDGET = 150;

/** How many times as fast as the base, of the first and of warm passes: medians of the rounds' ratios. */
async function leads(file: string, operation: typeof OPERATIONS[number], fresh: boolean) {
  const first: number[] = [];
  const warm: number[] = [];
  const order = { engine: "sluice", operation, pieces: file, fresh, budget: BUDGET } as const;
  for (let round = 0; round < Number(values.rounds); round++) {
    const turn = [{ ...order, checkout: base! }, order];
    if (round % 2 === 1) turn.reverse();
    const results = [];
    for (const order of turn) results.push(await measured(order));
    if (round % 2 === 1) results.reverse();
    const [before, after] = results;
    if (before!.tokens !== after!.tokens || before!.digest !== after!.digest) {
      throw new Error(`${file}, ${operation}: ids differ`);
    }
    first.push(before!.first / after!.first);
    if (!fresh) warm.push(before!.warm / after!.warm);
  }
  return { first: median(first), warm: fresh ? NaN : median(warm) };
}

fetchAll();
const rows = [["times as fast", "length", "count first", "warm", "encode first", "warm"]];
const all = new Map<string, number[]>();
for (const corpus of corpora()) {
  if (chosen !== undefined && !chosen.includes(corpus.name)) continue;
  for (const length of lengths) {
    const { file } = piecesOf(corpus, length);
    const row = [corpus.name, length === FRESH ? "fresh" : length === 0 ? "whole" : `${length}`];
    for (const operation of OPERATIONS) {
      const lead = await leads(file, operation, length === FRESH);
      for (const pass of ["first", "warm"] as const) {
        const key = `${operation}, ${length === FRESH ? "fresh" : pass}`;
        if (!Number.isNaN(lead[pass])) all.set(key, [...all.get(key) ?? [], lead[pass]]);
        row.push(Number.isNaN(lead[pass]) ? "-" : lead[pass].toFixed(2));
      }
    }
    rows.push(row);
  }
}
console.log(`${runtimeVersion()}, ${values.rounds} rounds`);
for (const line of alignRight(rows)) console.log(line);
for (const [key, ratios] of all) {
  console.log(
    `${key}: ${geometricMean(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(2)} to ` +
      `${Math.max(...ratios).toFixed(2)}; ${ratios.filter((ratio) => ratio < 0.97).length} of ` +
      `${ratios.length} more than 3 % slower)`,
  );
}
process.exit(0);
