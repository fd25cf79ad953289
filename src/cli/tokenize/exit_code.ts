/**
 * Exit codes of `sluice tokenize`, for people, shells and schedulers.
 *
 * @module
 */
import { codeOf } from "../../corpus/durable.ts";
import { OutputError, SourceError } from "../../corpus/mod.ts";
import { SluiceError, type SluiceErrorCode } from "../../errors.ts";
import { EXIT, UsageError } from "../report.ts";

/** The help on exit codes. */
export const EXIT_HELP = `
Exit codes of tokenize: 0 complete, or this share of it is; 1 done, but lines
were bad or shards failed; 2 wrong usage, or DIR has another plan; 4 stopped by a
signal, the same command goes on; 5 DIR or an input could not be written or read,
or another run works there.`;

const USAGE: readonly SluiceErrorCode[] = [
  "SLUICE_UNKNOWN_ENCODING",
  "SLUICE_UNKNOWN_MODEL",
  "SLUICE_VOCABULARY_NOT_PUBLIC",
  "SLUICE_CORPUS_OTHER_PLAN",
  "SLUICE_CORPUS_FOREIGN_FILES",
  "SLUICE_CORPUS_NO_PLAN",
  "SLUICE_CORPUS_DAMAGED",
];

/** What may be right the next time. */
const TRANSIENT = ["EIO", "ESTALE", "ETIMEDOUT", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN"];

/** The exit code of a run that ended with an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof OutputError) return EXIT.io;
  if (error instanceof SourceError) {
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    return code !== undefined && TRANSIENT.includes(code) ? EXIT.io : EXIT.usage;
  }
  if (error instanceof SluiceError) {
    if (USAGE.includes(error.code)) return EXIT.usage;
    return error.code === "SLUICE_CORPUS_IN_USE" ? EXIT.io : EXIT.failure;
  }
  if (error instanceof UsageError || error instanceof RangeError || error instanceof TypeError) {
    return EXIT.usage;
  }
  return /^E[A-Z0-9]+$/.test(codeOf(error) ?? "") ? EXIT.io : EXIT.failure;
}
