/**
 * The run of a command: its output streams, and the loop over its inputs.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import { IdsError } from "./ids.ts";
import { Input, InputError, type Piece, type Reading } from "./input.ts";
import { findInputs, type Selection, totalSize } from "../files/find.ts";
import type { Output } from "./output.ts";
import type { Report } from "./report.ts";
import { ANYWHERE } from "../tokenizer/cut.ts";
import { relocated } from "../errors.ts";
import { validUtf8Length } from "../tokenizer/safe_cut.ts";
import { decodeUtf8 } from "../files/utf8.ts";

/** The longest text that is kept in memory as a whole: half of the longest string. */
export const MAX_TEXT_BYTES: number = 1 << 28;

/** The two streams of one run. */
export interface Session {
  /** For results. */
  readonly out: Output;
  /** For messages. */
  readonly report: Report;
  /** What an interrupt does instead of ending the program. */
  onInterrupt?: (() => void) | undefined;
}

/** How a command reads its inputs. */
export interface InputsOptions extends Reading {
  /** Which files of folders to select. A command without it reads no folders. */
  readonly selection?: Selection;
  /** Whether results are written while the command runs. */
  readonly resultsScroll: boolean;
}

/**
 * Opens one input after the other, or standard input if none is named, and lets `work` read it. An input that cannot
 * be read, or has wrong contents, is reported, and the next one follows.
 *
 * @param args Files, folders and patterns.
 */
export async function eachInput(
  { report }: Session,
  args: readonly string[],
  { selection, resultsScroll, ...reading }: InputsOptions,
  work: (input: Input) => Promise<void>,
): Promise<void> {
  const inputs = findInputs(args, selection, (problem) => report.error(problem));
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

/** Calls `work` on a piece of `input`. Its errors are thrown as errors of the input, with offsets in the input. */
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

/** The whole text of an input. */
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

/** Files that start with a byte order mark of UTF-16 are common on Windows. */
function utf16Hint(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  if (!isLittle && !(first === 0xfe && second === 0xff)) return "";
  return `; it begins as UTF-16 does: try --charset utf-16${isLittle ? "le" : "be"}`;
}
