/**
 * Input made to be slow: time for a megabyte of each kind, relative to English prose, and how time
 * grows from 1 to 64 MB.
 *
 *     bun bench/worst.ts [--brief] [--out FILE]
 *     deno run -A bench/worst.ts [--brief] [--out FILE]
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Tokenizer } from "../mod.ts";
import { BENCHED_ENCODINGS, type BenchedEncoding } from "./engines.ts";
import { median, rounded } from "./measure.ts";
import { type Bench, expect, program, progress } from "./program.ts";
import { Random } from "./random.ts";
import { alignRight } from "./text_table.ts";
import { TextWalk } from "./text_walk.ts";

/** One kind of input at one size. */
export interface WorstCell {
  readonly encoding: BenchedEncoding;
  readonly input: string;
  /** Megabytes of UTF-8, about. */
  readonly megabytes: number;
  /** Bytes of UTF-8, exactly. */
  readonly bytes: number;
  readonly tokens: number;
  /** Milliseconds to count, median of the runs. */
  readonly ms: number;
}

/** The input that the others are compared with. */
export const ORDINARY = "English prose";

/** What is repeated, or drawn, until there is enough. */
const INPUTS: Readonly<Record<string, (random: Random) => string>> = {
  "spaces": () => " ",
  "tabs": () => "\t",
  "newlines": () => "\n",
  "CR, LF, space": () => "\r\n ",
  "letter a": () => "a",
  "underscores": () => "_",
  "base64": (random) => Buffer.from([draw(random), draw(random), draw(random)]).toString("base64"),
  "digits": (random) => String(random.integer(0, 10)),
  "CJK, no spaces": (random) => String.fromCharCode(random.integer(0x4e00, 0x9fa6)),
  "combining marks": (random) => String.fromCharCode(random.integer(0x300, 0x370)),
  "one ZWJ chain": () => "\u{1f468}\u200d",
  "'s runs": () => "'s",
  "random bytes": (random) => latin1AndBroken(random),
};

const GROWTH_MEGABYTES = [1, 2, 4, 8, 16, 32, 64];
const RUNS = 3;

const bench: Bench<WorstCell[]> = {
  name: "worst",

  run(brief) {
    const cells: WorstCell[] = [];
    const sizes = brief ? [0.02, 0.04] : GROWTH_MEGABYTES;
    for (const encoding of BENCHED_ENCODINGS) {
      using tokenizer = new Tokenizer(encoding);
      // So that the first cell does not pay for the tables' first use.
      tokenizer.count(textOf(ORDINARY, sizes[0]! * 1e6));
      for (const input of [ORDINARY, ...Object.keys(INPUTS)]) {
        progress(`worst: ${encoding}, ${input}`);
        for (const megabytes of sizes) {
          const text = textOf(input, megabytes * 1e6);
          const bytes = Buffer.byteLength(text);
          const runs = brief ? 1 : RUNS;
          const times: number[] = [];
          let tokens = 0;
          for (let i = 0; i < runs; i++) {
            const start = performance.now();
            tokens = tokenizer.count(text);
            times.push(performance.now() - start);
          }
          cells.push({ encoding, input, megabytes, bytes, tokens, ms: rounded(median(times)) });
        }
        if (brief) checkTokens(tokenizer, input, textOf(input, 2e4));
      }
    }
    return Promise.resolve(cells);
  },

  check(cells) {
    for (const { input, bytes, tokens } of cells) {
      const longestToken = 128;
      expect(tokens >= bytes / longestToken && tokens <= bytes, `${input} has possible counts`);
    }
  },

  describe(cells) {
    const smallest = Math.min(...cells.map(({ megabytes }) => megabytes));
    const largest = Math.max(...cells.map(({ megabytes }) => megabytes));
    const rows = [[
      "count",
      ...BENCHED_ENCODINGS.flatMap((encoding) => [`${encoding} ms/MB`, "x English", "growth"]),
    ]];
    for (const input of [ORDINARY, ...Object.keys(INPUTS)]) {
      const row = [input];
      for (const encoding of BENCHED_ENCODINGS) {
        const first = perMegabyte(cells, encoding, input, smallest);
        const ordinary = perMegabyte(cells, encoding, ORDINARY, smallest);
        const last = perMegabyte(cells, encoding, input, largest);
        row.push(first.toFixed(2), (first / ordinary).toFixed(2), `${(last / first).toFixed(2)}x`);
      }
      rows.push(row);
    }
    return [
      ...alignRight(rows),
      `growth: time per MB at ${largest} MB over time per MB at ${smallest} MB; 1x is linear`,
    ];
  },
};

/** Milliseconds per megabyte of one cell. */
export function perMegabyte(
  cells: readonly WorstCell[],
  encoding: BenchedEncoding,
  input: string,
  megabytes: number,
): number {
  const cell = cells.find((cell) =>
    cell.encoding === encoding && cell.input === input && cell.megabytes === megabytes
  )!;
  return cell.ms / (cell.bytes / 1e6);
}

/**
 * About `bytes` of UTF-8 of some kind of input, as a flat string. Past 4 MB the first 4 MB are
 * repeated: no engine's cache is that large, and making text would take longer than counting it.
 */
function textOf(input: string, bytes: number): string {
  const block = blockOf(input, Math.min(bytes, 4e6));
  const buffer = Buffer.alloc(Math.max(1, Math.round(bytes / block.length)) * block.length);
  buffer.fill(block);
  return buffer.toString("utf8");
}

function blockOf(input: string, bytes: number): Buffer {
  const random = new Random(5);
  const unit = INPUTS[input];
  if (unit === undefined) return Buffer.from(new TextWalk("english").next(bytes));
  const block = Buffer.alloc(bytes);
  let at = 0;
  while (true) {
    const piece = unit(random);
    const length = Buffer.byteLength(piece);
    if (at + length > bytes) return block.subarray(0, at);
    at += block.write(piece, at);
  }
}

/** A byte read as Latin-1 most of the time, and as broken UTF-8, U+FFFD, for the rest. */
function latin1AndBroken(random: Random): string {
  return random.next() < 0.5 ? String.fromCharCode(draw(random)) : "\ufffd";
}

function draw(random: Random): number {
  return random.integer(0, 256);
}

function checkTokens(tokenizer: Tokenizer, input: string, text: string): void {
  const ids = tokenizer.encode(text);
  expect(ids.length === tokenizer.count(text), `${input}: count and encode agree`);
  expect(tokenizer.decode(ids) === text, `${input}: decodes to itself`);
}

if (import.meta.main) await program(bench);
