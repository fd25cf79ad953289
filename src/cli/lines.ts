/**
 * A reader of JSON Lines: one object per line, with an error per bad line.
 *
 * @module
 */
import { LINES } from "./cut.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import type { Report } from "./report.ts";
import { validUtf8Length } from "../tokenizer/safe_cut.ts";
import { decodeUtf8 } from "./utf8.ts";

const LINE_FEED = 0x0a;

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
  let number = 0;
  for await (const { bytes } of input.pieces(LINES)) {
    yield split(bytes).map((line) => {
      number++;
      if (typeof line !== "string") return { number, ...line };
      // Some editors mark a file as UTF-8 with a BOM, which is not JSON.
      const text = number === 1 && line.startsWith("\uFEFF") ? line.slice(1) : line;
      return { number, ...parse(text) };
    });
  }
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

/**
 * The value at `path` in `value`: the property of that name or, if there is none, the value at the names and
 * indices between its dots. Undefined if there is neither.
 */
export function fieldOf(value: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(value, path)) return value[path];
  let found: unknown = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) {
      return undefined;
    }
    found = (found as Record<string, unknown>)[name];
  }
  return found;
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
