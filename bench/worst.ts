/**
 * Hostile input: the time per megabyte of each kind, of 1 and of 64 MB, relative to English prose.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Tokenizer } from "../mod.ts";
import { BENCHED_ENCODINGS } from "./engines.ts";
import { median, rounded } from "./measure.ts";
import { expect, program, progress } from "./program.ts";
import { Random } from "./random.ts";
import type { Cell } from "./record.ts";
import { TextWalk } from "./text_walk.ts";

/** A unit that is repeated, or drawn again and again; English prose has none. */
const INPUTS: Readonly<Record<string, ((random: Random) => string) | undefined>> = {
  "English prose": undefined,
  "spaces": () => " ",
  "tabs": () => "\t",
  "newlines": () => "\n",
  "CR, LF, space": () => "\r\n ",
  "letter a": () => "a",
  "underscores": () => "_",
  "base64": (random) => Buffer.from([byte(random), byte(random), byte(random)]).toString("base64"),
  "digits": (random) => String(random.integer(0, 10)),
  "CJK, no spaces": (random) => String.fromCharCode(random.integer(0x4e00, 0x9fa6)),
  "combining marks": (random) => String.fromCharCode(random.integer(0x300, 0x370)),
  "one ZWJ chain": () => "\u{1f468}\u200d",
  "'s runs": () => "'s",
  // A byte as Latin-1, or as broken UTF-8, which reads as U+FFFD.
  "random bytes": (random) => random.next() < 0.5 ? String.fromCharCode(byte(random)) : "\ufffd",
};
const RUNS = 3;
const LONGEST_TOKEN = 128;

function run(brief: boolean): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const encoding of BENCHED_ENCODINGS) {
    using tokenizer = new Tokenizer(encoding);
    // So that the first cell does not pay for the first use of the tables.
    tokenizer.count(new TextWalk("english").next(1e6));
    for (const input of Object.keys(INPUTS)) {
      for (const megabytes of brief ? [0.02] : [1, 64]) {
        progress(`worst: ${encoding}, ${input}, ${megabytes} MB`);
        const text = textOf(input, megabytes * 1e6);
        const bytes = Buffer.byteLength(text);
        const times: number[] = [];
        let tokens = 0;
        for (let i = 0; i < (brief ? 1 : RUNS); i++) {
          const start = performance.now();
          tokens = tokenizer.count(text);
          times.push(performance.now() - start);
        }
        const isPossible = tokens >= bytes / LONGEST_TOKEN && tokens <= bytes;
        expect(isPossible, `${input}: ${tokens} tokens of ${bytes} bytes`);
        cells.push({ encoding, input, megabytes, bytes, tokens, ms: rounded(median(times)) });
      }
    }
  }
  return Promise.resolve(cells);
}

/** About `bytes` of UTF-8, as a flat string. Past 4 MB, more than any cache, a block is repeated. */
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
    const text = unit(random);
    if (at + Buffer.byteLength(text) > bytes) return block.subarray(0, at);
    at += block.write(text, at);
  }
}

function byte(random: Random): number {
  return random.integer(0, 256);
}

if (import.meta.main) await program({ name: "worst", run });
