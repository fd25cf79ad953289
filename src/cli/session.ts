/**
 * What the commands have in common: where they write, and how they go through their inputs.
 *
 * @module
 */
import { SluiceError } from "../../mod.ts";
import { IdsError } from "./ids.ts";
import { Input, InputError, type Piece, STDIN, totalSize } from "./input.ts";
import type { Output } from "./output.ts";
import type { Report } from "./report.ts";
import { invalidUtf8At } from "./utf8.ts";

/** The two streams of one run. */
export interface Session {
  /** For results. */
  readonly out: Output;
  /** For everything else. */
  readonly report: Report;
}

/**
 * Opens one input after the other, standard input if there are none, and lets `work` read it. An
 * input that cannot be read or does not hold what it should is reported, and the next one follows.
 *
 * @param resultsScroll Whether `work` writes results as it goes.
 */
export async function eachInput(
  { report }: Session,
  paths: readonly string[],
  resultsScroll: boolean,
  work: (input: Input) => Promise<void>,
): Promise<void> {
  const inputs = paths.length > 0 ? paths : [STDIN];
  report.startProgress(totalSize(inputs), resultsScroll);
  try {
    for (const path of inputs) {
      try {
        await using input = await Input.open(path, report.advance);
        await work(input);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        report.error(error.message);
      }
    }
  } finally {
    report.stopProgress();
  }
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
      case "SLUICE_INVALID_UTF8": {
        const at = piece.offset + invalidUtf8At(piece.bytes);
        throw new InputError(`${input.name}: not valid UTF-8 at byte ${at}`, { cause: error });
      }
      case "SLUICE_SPECIAL_TOKEN":
      case "SLUICE_UNKNOWN_TOKEN": {
        // Bytes are counted from the beginning of the piece, and so is the index of an id, which
        // would say nothing here.
        const message = error.message
          .replace(/\bat byte (\d+)/, (_, at: string) => `at byte ${piece.offset + Number(at)}`)
          .replace(/ at index \d+/, "");
        throw new InputError(`${input.name}: ${message}`, { cause: error });
      }
      default:
        throw error;
    }
  }
}
