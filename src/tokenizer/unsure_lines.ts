/**
 * The lines that the library leaves to `JSON.parse`: they are read and encoded one by one, and their ids are put
 * where they belong among those of the other lines.
 *
 * Such lines are bad, or have what JSON allows and UTF-8 does not, so they are rare.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import {
  END_AFTER,
  END_BEFORE,
  LINE_OK,
  LINE_SPECIAL_TOKEN,
  LINE_TOO_WIDE,
  LINE_UNSURE,
} from "../ffi/symbols.gen.ts";
import { textOfLine } from "./json_line.ts";
import type { LineSettings } from "./line_options.ts";
import { isBad } from "./line_reasons.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import type { Results } from "./native_reader.ts";
import { part } from "../typed_array.ts";

const LINE_FEED = 0x0a;

/** Decides the unsure lines of a chunk, whose texts are counted. */
export function resolveCounts(
  bytes: Uint8Array,
  results: Results,
  tokenizer: NativeTokenizer,
  settings: LineSettings,
): Results {
  if (results.unsure === 0) return results;
  let { bad } = results;
  for (const line of unsureLines(results)) {
    const text = textOfLine(lineOf(bytes, results, line), settings.field);
    const count = typeof text === "string"
      ? unlessRefused(() => tokenizer.count(text, settings.mode))
      : text;
    const isCount = typeof text === "string" && count !== undefined;
    results.ends[line] = isCount ? count : 0;
    results.reasons[line] = isCount ? LINE_OK : count ?? LINE_SPECIAL_TOKEN;
    if (isBad(results.reasons[line]!)) bad++;
  }
  return { ...results, bad, unsure: 0 };
}

/** Decides the unsure lines of a chunk, whose texts are encoded. */
export function resolveIds(
  bytes: Uint8Array,
  results: Results,
  tokenizer: NativeTokenizer,
  settings: LineSettings,
): Results {
  if (results.unsure === 0) return results;
  let { bad, maxId } = results;
  const found: { readonly line: number; readonly ids: Uint32Array }[] = [];
  let more = 0;
  for (const line of unsureLines(results)) {
    const ids = idsOf(lineOf(bytes, results, line), tokenizer, settings);
    if (typeof ids === "number") {
      results.reasons[line] = ids;
      if (isBad(ids)) bad++;
      continue;
    }
    results.reasons[line] = LINE_OK;
    found.push({ line, ids });
    more += ids.length;
    for (const id of ids) maxId = Math.max(maxId, id);
  }
  return { ...results, ids: spliced(results, found, more), bad, maxId, unsure: 0 };
}

function unsureLines({ reasons }: Results): number[] {
  const lines: number[] = [];
  for (let at = -1; (at = reasons.indexOf(LINE_UNSURE, at + 1)) >= 0;) lines.push(at);
  return lines;
}

/** The bytes of a line, without its line feed. */
function lineOf(bytes: Uint8Array, { starts, consumed }: Results, line: number): Uint8Array {
  const start = starts[line]!;
  const next = starts[line + 1];
  if (next !== undefined) return part(bytes, start, next - 1);
  return part(bytes, start, bytes[consumed - 1] === LINE_FEED ? consumed - 1 : consumed);
}

/** The ids of the text of a line with the end token, or why it has none. */
function idsOf(
  line: Uint8Array,
  tokenizer: NativeTokenizer,
  { field, mode, isNarrow, end, eos }: LineSettings,
): Uint32Array | number {
  const text = textOfLine(line, field);
  if (typeof text === "number") return text;
  const ids = unlessRefused(() => tokenizer.encode(text, mode));
  if (ids === undefined) return LINE_SPECIAL_TOKEN;
  if (isNarrow && ids.some((id) => id > 0xffff)) return LINE_TOO_WIDE;
  if (end !== END_AFTER && end !== END_BEFORE) return ids;
  const marked = new Uint32Array(ids.length + 1);
  marked.set(ids, end === END_BEFORE ? 1 : 0);
  marked[end === END_BEFORE ? 0 : ids.length] = eos;
  return marked;
}

function unlessRefused<T>(tokenize: () => T): T | undefined {
  try {
    return tokenize();
  } catch (error) {
    if (error instanceof SluiceError && error.code === "SLUICE_SPECIAL_TOKEN") return undefined;
    throw error;
  }
}

/** The ids with those of more lines, in order. Moves the ends. */
function spliced(
  { ids, ends }: Results,
  found: readonly { readonly line: number; readonly ids: Uint32Array }[],
  more: number,
): Results["ids"] {
  if (more === 0) return ids;
  const all = ids instanceof Uint16Array
    ? new Uint16Array(new ArrayBuffer(2 * (ids.length + more)))
    : new Uint32Array(new ArrayBuffer(4 * (ids.length + more)));
  let from = 0;
  let to = 0;
  for (const [i, { line, ids: own }] of found.entries()) {
    const end = ends[line]!;
    all.set(ids.subarray(from, end), to);
    to += end - from;
    from = end;
    all.set(own, to);
    to += own.length;
    const shift = to - end;
    const next = found[i + 1]?.line ?? ends.length;
    for (let at = line; at < next; at++) ends[at]! += shift;
  }
  all.set(ids.subarray(from), to);
  return all;
}
