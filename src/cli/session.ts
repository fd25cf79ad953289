/**
 * What the commands have in common: where they write, and how they go through their inputs.
 *
 * @module
 */
import { SluiceError } from "../../mod.ts";
import { IdsError } from "./ids.ts";
import { Input, InputError, type Piece, type Reading } from "./input.ts";
import { findInputs, type Selection, totalSize } from "./inputs.ts";
import type { Output } from "./output.ts";
import type { Report } from "./report.ts";
import { ANYWHERE } from "./cut.ts";
import { relocated } from "../errors.ts";
import { validUtf8Length } from "../tokenizer/safe_cut.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A text that has to be in memory as a whole may be this long: half of what a string can hold. */
export const MAX_TEXT_BYTES: number = 1 << 28;

/** The two streams of one run. */
export interface Session {
  /** For results. */
  readonly out: Output;
  /** For everything else. */
  readonly report: Report;
}

/** How a command goes through its inputs. */
export interface InputsOptions extends Reading {
  /** What to take from folders; a command without it reads none. */
  readonly selection?: Selection;
  /** Whether results are written as the command goes. */
  readonly resultsScroll: boolean;
}

/**
 * Opens one input after the other, standard input if none is named, and lets `work` read it. An
 * input that cannot be read or does not hold what it should is reported, and the next one follows.
 *
 * @param args Files, folders and patterns.
 */
export async function eachInput(
  { report }: Session,
  args: readonly string[],
  { selection, resultsScroll, ...reading }: InputsOptions,
  work: (input: Input) => Promise<void>,
): Promise<void> {
  const inputs = findInputs(args, selection, report);
  report.startProgress(totalSize(inputs), resultsScroll);
  let failed = 0;
  try {
    for (const path of inputs) {
      try {
        await using input = await Input.open(path, { ...reading, onRead: report.advance });
        await work(input);
        if (input.hasReplaced) {
          report.note(`${input.name}: what is not valid in it was read as U+FFFD`);
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failed++;
        report.error(error.message);
      }
    }
  } finally {
    report.stopProgress();
  }
  if (failed > 0 && inputs.length > 1) report.error(`${failed} of ${inputs.length} inputs failed`);
}

/**
 * Calls `work` on a piece of `input`. What is wrong with the piece is what is wrong with the input,
 * and is thrown as such, with the place counted from the input's beginning.
 */
export function onPiece<T>(input: Input, piece: Piece, work: (bytes: Uint8Array) => T): T {
  try {
    return work(piece.bytes);
  } catch (error) {
    if (error instanceof IdsError) {
      throw new InputError(`${input.name}: ${error.message}`, { cause: error });
    }
    if (!(error instanceof SluiceError)) throw error;
    switch (error.code) {
      case "SLUICE_INVALID_UTF8":
        throw notUtf8(input, piece, error.byteOffset ?? 0, error);
      case "SLUICE_SPECIAL_TOKEN":
      case "SLUICE_UNKNOWN_TOKEN": {
        // The error counts from the beginning of the piece. The index of an id would not help the user here.
        const { byteOffset: at } = error;
        const byteOffset = at === undefined ? undefined : piece.offset + at;
        const { message } = relocated(error, { byteOffset, tokenIndex: undefined });
        const of = byteOffset === undefined || input.isUtf8 ? "" : " of the text as UTF-8";
        throw new InputError(`${input.name}: ${message}${of}`, { cause: error });
      }
      default:
        throw error;
    }
  }
}

/** The text of an input that has to be in memory as a whole. */
export async function wholeText(input: Input): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const { bytes } of input.pieces(ANYWHERE)) {
    pieces.push(bytes.slice());
    length += bytes.length;
    if (length > MAX_TEXT_BYTES) {
      throw new InputError(`${input.name}: longer than ${MAX_TEXT_BYTES >> 20} MiB`);
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw notUtf8(input, { bytes, offset: 0 }, validUtf8Length(bytes));
  return text;
}

/** @param byteOffset Where in the piece the first invalid character begins. */
function notUtf8(
  input: Input,
  { bytes, offset }: Piece,
  byteOffset: number,
  cause?: unknown,
): InputError {
  const at = offset + byteOffset;
  const hint = at === 0 ? utf16Hint(bytes) : "";
  return new InputError(`${input.name}: not valid UTF-8 at byte ${at}${hint}`, { cause });
}

/** Files that begin with a byte order mark of UTF-16 come from Windows, and are common. */
function utf16Hint(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  if (!isLittle && !(first === 0xfe && second === 0xff)) return "";
  return `; it begins as UTF-16 does: try --charset utf-16${isLittle ? "le" : "be"}`;
}
