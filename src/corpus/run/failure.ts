/**
 * Kinds of failures of a unit, which decide whether the other units go on.
 *
 * @module
 */
import { SluiceError } from "../../errors.ts";
import { codeOf } from "../durable.ts";
import { FormatError } from "../formats/mod.ts";
import { OutputError } from "../output_error.ts";
import { SourceError } from "../sources/source.ts";

/**
 * - `unit`: this unit cannot be done, others can, such as when its input is gone.
 * - `output`: the folder cannot be written, so no unit can be done.
 * - `stopped`: the work was to end.
 */
export type FailureKind = "unit" | "output" | "stopped";

/** The run is to end. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/** A failure, as it crosses from a Worker. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly code: string | undefined;
}

export function failureOf(error: unknown): Failure {
  return { kind: kindOf(error), message: messageOf(error), code: codeOf(error) };
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof Stopped) return "stopped";
  return error instanceof OutputError ? "output" : "unit";
}

/** Names of errors that say something are told, because such an error is not expected. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected = [SourceError, SluiceError, OutputError, FormatError].some((kind) =>
    error instanceof kind
  );
  return isExpected ? error.message : `${error.name}: ${error.message}`;
}
