/**
 * `sluice count --jsonl`: counts the tokens of texts and requests in JSON Lines.
 *
 * @module
 */
import { SluiceError, type Tokenizer, type UncountedPart } from "../tokenizer/mod.ts";
import type { Input } from "./input.ts";
import {
  type Bad,
  BadLines,
  kind,
  type NumberedLine,
  readLines,
  refusedLine,
  withoutBom,
} from "./lines.ts";
import { LINES } from "../tokenizer/cut.ts";
import { LINE_OK } from "../ffi/symbols.gen.ts";
import { decodeUtf8 } from "../files/utf8.ts";
import { fieldOf } from "../tokenizer/json_line.ts";
import type { Session } from "./session.ts";
import { countRequestLine, mayHaveRequests, requestOf } from "../corpus/estimate/request_line.ts";

/** The totals of the lines of one input. */
export interface LineTotals {
  /** The number of lines. */
  lines: number;
  /** How many of them could not be counted. */
  bad: number;
  /** How many have counts that are estimates. */
  estimates: number;
  /** How many have parts that were not counted. */
  incomplete: number;
  tokens: number;
}

/** How to count lines. */
export interface LineOptions {
  /** The path of the text; undefined to look for requests and for `text`. */
  readonly field: string | undefined;
  /** The model to count requests for, instead of their own. */
  readonly model: string | undefined;
  /** Whether to write a result for each line. */
  readonly writes: boolean;
  /** Whether the result has the path of the input. */
  readonly writesPath: boolean;
}

interface LineCount {
  readonly id?: string;
  readonly tokens: number;
  readonly exact?: false;
  readonly uncounted?: readonly UncountedPart[];
}

/** Counts each line of `input` and writes a line for it, in the same order. */
export async function countLines(
  input: Input,
  tokenizer: Tokenizer,
  options: LineOptions,
  { out, report }: Session,
): Promise<LineTotals> {
  const totals = { lines: 0, bad: 0, estimates: 0, incomplete: 0, tokens: 0 };
  const path = options.writesPath ? { path: input.path } : {};
  const bad = new BadLines(input.name);
  let first = 1;
  for await (const { bytes } of input.pieces(LINES)) {
    const counts = countPiece(bytes, first, tokenizer, options);
    for (const [i, count] of counts.entries()) {
      const line = first + i;
      totals.lines++;
      if ("error" in count) {
        totals.bad++;
        bad.write(options.writes ? out : undefined, { ...path, line }, count.error);
        continue;
      }
      totals.tokens += count.tokens;
      if (count.exact === false) totals.estimates++;
      if (count.uncounted !== undefined) totals.incomplete++;
      if (options.writes) out.text(JSON.stringify({ ...path, line, ...count }) + "\n");
    }
    first += counts.length;
    // Not only when the buffer is full: the writer of a pipe may wait for the answer.
    await out.flush();
  }
  bad.report(report);
  return totals;
}

/** Counts the lines of a piece: natively, unless one of them may be a request. */
function countPiece(
  bytes: Uint8Array,
  first: number,
  tokenizer: Tokenizer,
  options: LineOptions,
): (LineCount | Bad)[] {
  const { field } = options;
  if (field === undefined) {
    const text = decodeUtf8(bytes);
    if (text === undefined || mayHaveRequests(text)) {
      return countAll(readLines(bytes, first), tokenizer, options);
    }
  }
  const exact = tokenizer.exact ? {} : { exact: false } as const;
  const { counts, reasons, starts } = tokenizer.countLines(
    withoutBom(bytes, first),
    field === undefined ? {} : { field },
  );
  return Array.from(counts, (tokens, i) => {
    if (reasons[i] === LINE_OK) return { tokens, ...exact };
    return countAll([refusedLine(bytes, starts, i, first)], tokenizer, options)[0]!;
  });
}

/** Counts all texts in one crossing, and the texts of a request in one crossing each. */
function countAll(
  lines: readonly NumberedLine[],
  tokenizer: Tokenizer,
  options: LineOptions,
): (LineCount | Bad)[] {
  const texts: string[] = [];
  const counts = lines.map((line) => {
    const found = read(line, tokenizer, options);
    return typeof found === "string" ? texts.push(found) - 1 : found;
  });
  const tokens = countTexts(texts, tokenizer);
  return counts.map((count) => typeof count === "number" ? tokens[count]! : count);
}

/** The text of a line, or the cost of its request. */
function read(
  line: NumberedLine,
  tokenizer: Tokenizer,
  { field, model }: LineOptions,
): string | LineCount | Bad {
  if ("error" in line) return { error: line.error };
  const request = field === undefined ? requestOf(line.value) : undefined;
  if (request !== undefined) {
    const count = countRequestLine(request.body, model, tokenizer.encoding);
    return {
      ...request.id === undefined ? {} : { id: request.id },
      tokens: count.tokens,
      ...count.exact ? {} : { exact: false },
      ...count.uncounted.length === 0 ? {} : { uncounted: count.uncounted },
    };
  }
  const path = field ?? "text";
  const text = fieldOf(line.value, path);
  if (typeof text === "string") return text;
  if (text !== undefined) {
    return { error: `${JSON.stringify(path)} is not a string but ${kind(text)}` };
  }
  const forms = field === undefined
    ? ', and no "messages", "contents", "body", "params" or "request"'
    : "";
  return { error: `there is no ${JSON.stringify(path)}${forms}` };
}

function countTexts(texts: readonly string[], tokenizer: Tokenizer): (LineCount | Bad)[] {
  const exact = tokenizer.exact ? {} : { exact: false } as const;
  try {
    return [...tokenizer.countBatch(texts)].map((tokens) => ({ tokens, ...exact }));
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  return texts.map((text) => {
    try {
      return { tokens: tokenizer.count(text), ...exact };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { error: error.message };
    }
  });
}

function isRefusal(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === "SLUICE_SPECIAL_TOKEN";
}
