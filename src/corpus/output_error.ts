/**
 * Failures of the system while the folder of a corpus is written.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import { codeOf } from "./durable.ts";
import { FormatError } from "./formats/mod.ts";

/** The folder of a corpus cannot be written. No unit can be done before that is mended. */
export class OutputError extends Error {
  /** For messages and logs. */
  override readonly name = "OutputError";
  /** The code of the system, such as `ENOSPC`, if it told one. */
  readonly code: string | undefined;

  /** Makes an error. Programs rarely need to. */
  constructor(message: string, code: string | undefined, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Does what writes to the folder. What the system refuses is an {@linkcode OutputError}. */
export async function writing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isOurs(error)
      ? error
      : new OutputError((error as Error).message, codeOf(error), { cause: error });
  }
}

/** Whether an error is not of the system. Not all of those have a code in all runtimes. */
function isOurs(error: unknown): boolean {
  return [OutputError, FormatError, SluiceError, TypeError, RangeError].some((kind) =>
    error instanceof kind
  );
}
