/**
 * A splitter of JSON Lines that keeps where each line is, as batch files are cut by bytes.
 *
 * @module
 */

const LINE_FEED = 0x0a;

/** U+FEFF is text, and `JSON.parse` refuses it. It is removed at the start of a file only. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A line of a file. */
export interface RawLine {
  /** Counted from 1. */
  readonly number: number;
  /** Its bytes, its line feed included. */
  readonly bytes: Uint8Array;
  /** Its text without the line feed, or undefined if it is not UTF-8. */
  readonly text: string | undefined;
}

/** Splits a file that arrives in pieces of whole lines. */
export class LineSplitter {
  #number = 0;

  /** Passes lines that are not to be split, and returns the number of the first. */
  skip(lines: number): number {
    const first = this.#number + 1;
    this.#number += lines;
    return first;
  }

  /** The lines of a piece. Only the last piece may end without a line feed. */
  *lines(piece: Uint8Array): Generator<RawLine> {
    // Decoding a piece at once is several times as fast as decoding each line.
    const texts = decode(piece)?.split("\n");
    for (let start = 0, i = 0; start < piece.length; i++) {
      const feed = piece.indexOf(LINE_FEED, start);
      const end = feed < 0 ? piece.length : feed;
      const bytes = piece.subarray(start, feed < 0 ? end : feed + 1);
      const text = texts === undefined ? decode(piece.subarray(start, end)) : texts[i];
      const number = ++this.#number;
      const isMarked = number === 1 && text?.startsWith("\uFEFF") === true;
      yield { number, bytes, text: isMarked ? text.slice(1) : text };
      start += bytes.length;
    }
  }
}

/** The object of a line, or why it is bad. */
export type ParsedLine = { readonly value: JsonObject } | { readonly error: string };

/** Parses a line. Undefined if it is blank: white space of JSON only. */
export function parseLine({ text }: RawLine): ParsedLine | undefined {
  if (text === undefined) return { error: "not valid UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The runtimes word this differently, and results should not depend on the runtime.
    return /^[ \t\r\n]*$/.test(text) ? undefined : { error: "not valid JSON" };
  }
  return isObject(value) ? { value } : { error: `not a JSON object but ${kindOf(value)}` };
}

/** Whether a JSON value is an object and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The type of a JSON value, in words. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
