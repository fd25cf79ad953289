/**
 * JSON Lines: one object a line, and a bad line spoils no other.
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

/** The object of a line, or why there is none. */
export type Line = { readonly value: Readonly<Record<string, unknown>> } | Bad;

/** A line and its number in the input, counted from 1. */
export type NumberedLine = Line & { readonly number: number };

/** The lines of `input`, as many at once as were read at once. */
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

/** Which line it is, and of which input if that is to be said. */
export interface LinePlace {
  readonly path?: string;
  readonly line: number;
}

/** Writes the answers to bad lines and keeps count of them. */
export class BadLines {
  readonly #input: string;
  #count = 0;
  #first = "";

  /** @param input The input's name, for the report. */
  constructor(input: string) {
    this.#input = input;
  }

  /** Answers a bad line, if there is where to. */
  write(out: Output | undefined, place: LinePlace, error: string): void {
    if (this.#count === 0) this.#first = `line ${place.line}: ${error}`;
    this.#count++;
    out?.text(JSON.stringify({ error, ...place }) + "\n");
  }

  /** Says how many there were, if there were any, which makes the run a failure. */
  report(report: Report): void {
    if (this.#count === 0) return;
    const more = this.#count === 1 ? "" : `${this.#count} bad lines, the first is `;
    report.error(`${this.#input}: ${more}${this.#first}`);
  }
}

/**
 * What is at `path` in `value`: the member that is called so or, where there is none, what is found
 * by the names and indices between its dots. Undefined if there is nothing.
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

/** What a JSON value is, in words. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** One decoding for all lines is the rule; a line that is not UTF-8 makes it one for each. */
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
