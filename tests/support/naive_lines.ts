/**
 * The oracle of the calls on JSON Lines and columns: `JSON.parse` of each line, and one call for each text.
 *
 * @module
 */
import {
  type CountedLines,
  type EncodedColumn,
  type EncodedLines,
  SluiceError,
  type TextColumn,
} from "../../mod.ts";
import {
  LINE_BLANK,
  LINE_NO_FIELD,
  LINE_NOT_JSON,
  LINE_NOT_OBJECT,
  LINE_NOT_STRING,
  LINE_NOT_UTF8,
  LINE_OK,
  LINE_SPECIAL_TOKEN,
  LINE_TOO_WIDE,
} from "../../src/ffi/symbols.gen.ts";

const LINE_FEED = 0x0a;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is done with each text. */
export interface NaiveOptions {
  /** The ids of a text; throws `SLUICE_SPECIAL_TOKEN` if it is refused. */
  readonly encode: (text: string) => Uint32Array;
  readonly field?: string;
  readonly isLast?: boolean;
  readonly dtype?: "u16" | "u32";
  readonly eos?: { readonly id: number; readonly at: "append" | "prepend" } | undefined;
}

/** As {@linkcode Tokenizer.encodeLines}. */
export function naiveEncodeLines(bytes: Uint8Array, options: NaiveOptions): EncodedLines {
  const { lines, starts, consumed } = split(bytes, options.isLast ?? true);
  const texts = lines.map((line) => textOfLine(line, options.field ?? "text"));
  const { ids, ends, reasons, bad, maxId } = encodeTexts(texts, options);
  return { consumed, lines: lines.length, ids, ends, reasons, starts, bad, maxId };
}

/** As {@linkcode Tokenizer.countLines}. */
export function naiveCountLines(bytes: Uint8Array, options: NaiveOptions): CountedLines {
  const { encode, field, isLast } = options;
  const { ends, ids: _ids, maxId: _maxId, ...read } = naiveEncodeLines(bytes, {
    encode,
    ...field === undefined ? {} : { field },
    ...isLast === undefined ? {} : { isLast },
  });
  return { ...read, counts: ends.map((end, i) => end - (i === 0 ? 0 : ends[i - 1]!)) };
}

/** As {@linkcode Tokenizer.encodeColumn}. */
export function naiveEncodeColumn(column: TextColumn, options: NaiveOptions): EncodedColumn {
  const { offsets, values, valid } = column;
  const texts = Array.from({ length: offsets.length - 1 }, (_, i) => {
    if (valid?.[i] === 0) return LINE_NOT_STRING;
    return decode(values.subarray(Number(offsets[i]), Number(offsets[i + 1]))) ?? LINE_NOT_UTF8;
  });
  return encodeTexts(texts, options);
}

/** The text of a line, or why it has none. */
export function textOfLine(line: Uint8Array, field: string): string | number {
  const text = decode(line);
  if (text === undefined) return LINE_NOT_UTF8;
  if (/^[ \t\r\n]*$/.test(text)) return LINE_BLANK;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return LINE_NOT_JSON;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return LINE_NOT_OBJECT;
  const found = fieldOf(value as Record<string, unknown>, field);
  if (found === undefined) return LINE_NO_FIELD;
  return typeof found === "string" ? found : LINE_NOT_STRING;
}

function fieldOf(value: Readonly<Record<string, unknown>>, path: string): unknown {
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

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function split(bytes: Uint8Array, isLast: boolean) {
  const lines: Uint8Array[] = [];
  const starts: number[] = [];
  let start = 0;
  for (let feed; (feed = bytes.indexOf(LINE_FEED, start)) >= 0; start = feed + 1) {
    lines.push(bytes.subarray(start, feed));
    starts.push(start);
  }
  if (isLast && start < bytes.length) {
    lines.push(bytes.subarray(start));
    starts.push(start);
    start = bytes.length;
  }
  return { lines, starts: Uint32Array.from(starts), consumed: start };
}

function encodeTexts(texts: readonly (string | number)[], options: NaiveOptions): EncodedColumn {
  const { encode, eos, dtype = "u32" } = options;
  const parts: number[][] = [];
  const ends: number[] = [];
  const reasons: number[] = [];
  let total = 0;
  for (const text of texts) {
    let reason = typeof text === "number" ? text : LINE_OK;
    if (typeof text === "string") {
      const ids = encodeOne(encode, text);
      if (ids === undefined) reason = LINE_SPECIAL_TOKEN;
      else if (dtype === "u16" && ids.some((id) => id > 0xffff)) reason = LINE_TOO_WIDE;
      else {
        const before = eos?.at === "prepend" ? [eos.id] : [];
        const after = eos?.at === "append" ? [eos.id] : [];
        const part = [...before, ...ids, ...after];
        parts.push(part);
        total += part.length;
      }
    }
    ends.push(total);
    reasons.push(reason);
  }
  const ids = dtype === "u16" ? new Uint16Array(total) : new Uint32Array(total);
  let at = 0;
  let maxId = -1;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
    for (const id of part) maxId = Math.max(maxId, id);
  }
  return {
    ids,
    ends: Uint32Array.from(ends),
    reasons: Uint8Array.from(reasons),
    bad: reasons.filter((reason) => reason !== LINE_OK && reason !== LINE_BLANK).length,
    maxId,
  };
}

function encodeOne(encode: (text: string) => Uint32Array, text: string): Uint32Array | undefined {
  try {
    return encode(text);
  } catch (error) {
    if (error instanceof SluiceError && error.code === "SLUICE_SPECIAL_TOKEN") return undefined;
    throw error;
  }
}
