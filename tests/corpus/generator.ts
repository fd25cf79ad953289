/**
 * Corpora from a seed, with every kind of line, and what must become of each line by the rules of `JSON.parse`.
 *
 * @module
 */
// cspell:ignore Ελλάδα Москва שלום مرحبا नमस्ते
import { Buffer } from "node:buffer";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipMember, zstdFrame } from "./stored.ts";

/** A line that must be in quarantine. */
export interface BadLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Of its first byte in the file, which may have to be decompressed. */
  readonly byte: number;
  readonly reason: string;
  /** Without the end of the line. */
  readonly raw: Uint8Array;
}

/** What must come out of the files that were read so far. */
export interface Expected {
  readonly texts: string[];
  readonly bad: BadLine[];
  blank: number;
}

/** A generator of 32-bit numbers (mulberry32): the same for a seed everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** Modification times of all files, so that plans of one corpus are equal. */
const MTIME = new Date("2026-01-02T03:04:05.000Z");

const WORDS = [
  ..."the of and to in is that it was for on are with as his they at be this from have or by one had"
    .split(" "),
  ..."Corpus shards, tokenizer's isn't COUNTING __init__ <div> </p> => ++i; 0x7f 3.14159 1,000,000"
    .split(" "),
  ..."Größe naïve Ελλάδα Москва שלום مرحبا नमस्ते 日本語 中文字符 한국어 🙂 👩‍👩‍👧 e\u0301 \u200b \ufeff"
    .split(" "),
  "<|endoftext|>",
  "<|fim_prefix|>",
  "\u0000",
  "\u007f",
  "\ufffd",
  "\ud800",
  "\udc00\ud800",
  "\\u0041",
  '"',
  "\\",
  "\u2028",
  "\t",
  "\n",
  "\r\n",
  "\n\n\n",
  "    ",
  " ".repeat(40),
  "a".repeat(70),
  "=".repeat(33),
  "0".repeat(25),
  "é".repeat(20),
];

/** A text of about `length` characters. */
export function textOf(random: Random, length: number): string {
  let text = "";
  while (text.length < length) text += random.pick(WORDS) + (random.below(8) === 0 ? "" : " ");
  return text;
}

/** Lines that are no documents, and why. */
const BAD: readonly (readonly [reason: string, line: string | readonly number[]])[] = [
  ["not-json", '{"text": "torn'],
  ["not-json", '{"text": "a"} x'],
  ["not-json", "{'text': 'a'}"],
  ["not-json", '{"text": "a",}'],
  ["not-json", '{"text": "a\tb"}'],
  ["not-json", '{"text": "\\x41"}'],
  ["not-json", '{"text": "\\u12G4"}'],
  ["not-json", '{"text": "a"}{"text": "b"}'],
  ["not-json", "\u0000"],
  ["not-json", "\u00a0"],
  ["not-json", '\ufeff{"text": "a"}'],
  ["not-json", '{"a": 01, "text": "b"}'],
  ["not-json", "text"],
  ["not-object", "null"],
  ["not-object", '["text"]'],
  ["not-object", '"text"'],
  ["not-object", "12"],
  ["no-field", "{}"],
  ["no-field", '{"Text": "a"}'],
  ["no-field", '{"a": {"text": "b"}}'],
  ["not-string", '{"text": null}'],
  ["not-string", '{"text": 1e999}'],
  ["not-string", '{"text": ["a"]}'],
  ["not-string", '{"text": "a", "text": {}}'],
  ["not-utf8", [0x7b, 0x22, 0x74, 0x65, 0x78, 0x74, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]],
  ["not-utf8", [0xff, 0xfe, 0x00]],
  ["not-utf8", [
    0x7b,
    0x22,
    0x74,
    0x65,
    0x78,
    0x74,
    0x22,
    0x3a,
    0x22,
    0xed,
    0xa0,
    0x80,
    0x22,
    0x7d,
  ]],
];

const BLANK = ["", " ", "\t \t", "\r"];

/** One document as a line. */
function lineOf(random: Random, text: string): string {
  const json = JSON.stringify(text);
  switch (random.below(9)) {
    case 0:
      return `{"id": ${random.below(1e6)}, "meta": {"text": "no"}, "text": ${json}}`;
    case 1:
      return `  {"text"\t:${json} , "n": -1.5e-3, "t": [true, [null, {}]]} `;
    case 2:
      return `{"text": "replaced", "text": ${json}}`;
    case 3:
      return `{"\\u0074ext": ${json}, "__proto__": {"text": 1}}`;
    case 4:
      return `{"text": ${json.replace(/[e\u0080-\uffff]/g, escape)}}`;
    default:
      return `{"text":${json}}`;
  }
}

function escape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`;
}

/** What the bytes of a JSON Lines file have, and what must come of them. */
export interface Lines {
  readonly bytes: Uint8Array;
  readonly expected: Expected;
}

/** Options of {@linkcode linesOf}. */
export interface LinesOptions {
  /** A byte order mark at the start. */
  readonly mark?: boolean;
  /** Bad and blank lines among the others. */
  readonly isClean?: boolean;
  /** An end of the last line. */
  readonly isEnded?: boolean;
}

/** About `size` bytes of lines for the file `file`. */
export function linesOf(
  random: Random,
  file: string,
  size: number,
  { mark = false, isClean = false, isEnded = true }: LinesOptions = {},
): Lines {
  const expected: Expected = { texts: [], bad: [], blank: 0 };
  const pieces: Uint8Array[] = [];
  let byte = 0;
  const add = (piece: Uint8Array) => {
    pieces.push(piece);
    byte += piece.length;
  };
  if (mark) add(Buffer.from("\ufeff"));
  for (let line = 1; byte < size; line++) {
    // A mark that begins a file is no part of its first line.
    const choice = isClean || line === 1 ? 99 : random.below(100);
    if (choice < 6) {
      const [reason, content] = random.pick(BAD);
      const raw = Buffer.from(content as string);
      expected.bad.push({ file, line, byte, reason, raw });
      add(raw);
    } else if (choice < 9) {
      expected.blank++;
      add(Buffer.from(random.pick(BLANK)));
    } else {
      const length = [0, 1, 30, 200, 2000, 9000][random.below(6)]!;
      const text = textOf(random, random.below(length + 1));
      expected.texts.push(text);
      add(Buffer.from(lineOf(random, text)));
      // A carriage return before the end of the line is white space.
      if (random.below(7) === 0) add(Buffer.from("\r"));
    }
    if (byte < size || isEnded) add(Buffer.from("\n"));
  }
  return { bytes: Buffer.concat(pieces), expected };
}

/** Writes a file below `folder`, last changed at the time that all files of these corpora have. */
export function writeInput(folder: string, name: string, bytes: string | Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  utimesSync(path, MTIME, MTIME);
}

/**
 * A corpus under `folder/in` of about `size` bytes: JSON Lines with and without all that is odd, compressed ones of
 * several members, and texts.
 *
 * @returns What must become of it, in the order of the output.
 */
export function makeCorpus(folder: string, seed: number, size: number): Expected {
  const random = new Random(seed);
  const all: Expected = { texts: [], bad: [], blank: 0 };
  const part = Math.ceil(size / 8);
  const join = ({ bytes, expected }: Lines): Uint8Array => {
    all.texts.push(...expected.texts);
    all.bad.push(...expected.bad);
    all.blank += expected.blank;
    return bytes;
  };
  const write = (name: string, bytes: string | Uint8Array) => writeInput(folder, name, bytes);
  write("in/a-mark.jsonl", join(linesOf(random, "in/a-mark.jsonl", part, { mark: true })));
  write("in/b.jsonl", join(linesOf(random, "in/b.jsonl", 3 * part, { isEnded: false })));
  write("in/c.ndjson", "");
  const zipped = join(linesOf(random, "in/d.jsonl.gz", part));
  write("in/d.jsonl.gz", Buffer.concat(halves(zipped).map(gzipMember)));
  const frames = join(linesOf(random, "in/e.jsonl.zst", part, { isEnded: false }));
  write("in/e.jsonl.zst", Buffer.concat(halves(frames).map(zstdFrame)));
  for (let i = 0; i < 4; i++) {
    // A file cannot have half a character, so unpaired surrogates are what they are written as.
    const text = i === 0 ? "" : textOf(random, part / 4).toWellFormed();
    all.texts.push(text);
    write(`in/f/${i}.txt`, text);
  }
  write("in/g/last.jsonl", join(linesOf(random, "in/g/last.jsonl", part)));
  return all;
}

/** Cut in the middle, which is hardly ever between lines. */
function halves(bytes: Uint8Array): Uint8Array[] {
  return [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];
}
