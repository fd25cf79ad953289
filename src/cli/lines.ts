/**
 * A reader of JSON Lines: one object per line, with an error per bad line.
 *
 * @module
 */
import { LINES } from "../tokenizer/cut.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import type { Report } from "./report.ts";
import { validUtf8Length } from "../tokenizer/safe_cut.ts";
import { decodeUtf8 } from "../files/utf8.ts";

const LINE_FEED = 0x0a;
const BOM_BYTES = 3;

/** Why a line is bad. */
export interface Bad {
  readonly error: string;
}

/** The object of a line, or its error. */
export type Line = { readonly value: Readonly<Record<string, unknown>> } | Bad;

/** A line and its number in the input, counted from 1. */
export type NumberedLine = Line & { readonly number: number };

/** The lines of `input`, in the groups in which they were read. */
export async function* jsonLines(input: Input): AsyncGenerator<NumberedLine[]> {
  let first = 1;
  for await (const { bytes } of input.pieces(LINES)) {
    const lines = readLines(bytes, first);
    yield lines;
    first += lines.length;
  }
}

/** The lines of a piece, whose first one has the number `first`. */
export function readLines(bytes: Uint8Array, first: number): NumberedLine[] {
  return split(bytes).map((line, i) => {
    const number = first + i;
    if (typeof line !== "string") return { number, ...line };
    // Some editors mark a file as UTF-8 with a BOM, which is not JSON.
    const text = number === 1 && line.startsWith("\uFEFF") ? line.slice(1) : line;
    return { number, ...parse(text) };
  });
}

/** A piece without the BOM that its file begins with, if it has one and `first` is 1. */
export function withoutBom(bytes: Uint8Array, first: number): Uint8Array {
  const hasBom = first === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasBom ? bytes.subarray(BOM_BYTES) : bytes;
}

/**
 * Line `index` of a piece, which the tokenizer refused.
 *
 * @param starts Where the lines begin in the piece {@linkcode withoutBom}.
 */
export function refusedLine(
  bytes: Uint8Array,
  starts: Uint32Array,
  index: number,
  first: number,
): NumberedLine {
  const bom = bytes.length - withoutBom(bytes, first).length;
  const next = starts[index + 1];
  const start = index === 0 ? 0 : bom + starts[index]!;
  const line = bytes.subarray(start, next === undefined ? bytes.length : bom + next);
  return readLines(line, first + index)[0]!;
}

/** The number of a line, and optionally the path of its input. */
export interface LinePlace {
  readonly path?: string;
  readonly line: number;
}

/** Writes the results of bad lines and counts them. */
export class BadLines {
  readonly #input: string;
  #count = 0;
  #first = "";

  /** @param input The input's name, for the report. */
  constructor(input: string) {
    this.#input = input;
  }

  /** Writes the result of a bad line, if there is an output. */
  write(out: Output | undefined, place: LinePlace, error: string): void {
    if (this.#count === 0) this.#first = `line ${place.line}: ${error}`;
    this.#count++;
    out?.text(JSON.stringify({ error, ...place }) + "\n");
  }

  /** Reports how many there were, if any, so that the run fails. */
  report(report: Report): void {
    if (this.#count === 0) return;
    const more = this.#count === 1 ? "" : `${this.#count} bad lines, the first is `;
    report.error(`${this.#input}: ${more}${this.#first}`);
  }
}

/** The type of a JSON value, in words. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Decodes all lines at once, or one by one if a line is not UTF-8. */
function split(bytes: Uint8Array): (string | Bad)[] {
  const end = bytes.at(-1) === LINE_FEED ? bytes.length - 1 : bytes.length;
  const text = decodeUtf8(bytes.subarray(0, end));
  if (text !== undefined) return text.split("\n");
  const lines: (string | Bad)[] = [];
  for (let start = 0; start <= end;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const line = bytes.subarray(start, feed < 0 ? end : feed);
    lines.push(
      decodeUtf8(line) ??
        { error: `not valid UTF-8 at byte ${validUtf8Length(line)} of the line` },
    );
    start += line.length + 1;
  }
  return lines;
}

function parse(line: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The runtimes word this differently, and results should not depend on the runtime.
    return { error: /^\s*$/.test(line) ? "the line is empty" : "not valid JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { error: `not a JSON object but ${kind(value)}` };
  }
  return { value: value as Record<string, unknown> };
}
