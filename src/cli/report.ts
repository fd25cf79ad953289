/**
 * Messages on standard error: errors, notes and a progress bar.
 *
 * @module
 */
import fs from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import { Progress } from "./progress.ts";

/** Exit codes of the program. */
export const EXIT = {
  ok: 0,
  /** An input could not be read, or a line or a self-test failed. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  /** `count --max` found more. */
  overLimit: 3,
  /** `tokenize` was stopped, and the same command goes on. */
  stopped: 4,
  /** `tokenize` cannot write its folder or read an input, or another run works there. */
  io: 5,
  /** Interrupted. The number is that of shells. */
  interrupted: 130,
} as const;

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The messages of one run, and its exit code. */
export class Report {
  /** The exit code so far. */
  exitCode: number = EXIT.ok;
  /** Whether to print errors and verdicts only. */
  quiet = false;
  #progress: Progress | undefined;

  /** Prints an error. The run continues, and fails in the end. */
  error(message: string): void {
    this.exitCode = EXIT.failure;
    this.#print(message);
  }

  /** Prints a result that has its own exit code. */
  verdict(message: string, exitCode: number): void {
    if (this.exitCode === EXIT.ok) this.exitCode = exitCode;
    this.#print(message);
  }

  /** Prints a note about the results, such as that they are an estimate. */
  note(message: string): void {
    if (!this.quiet) this.#print(message);
  }

  /**
   * Shows the progress through `total` bytes, if standard error is a terminal and the results do not scroll
   * through the same one. The bar appears late, so short work has none.
   */
  startProgress(total: number | undefined, resultsScroll: boolean): void {
    if (this.quiet || !isatty(2) || (resultsScroll && isatty(1))) return;
    this.#progress = new Progress(process.stderr, total);
  }

  /** Moves the progress bar, if there is one. */
  readonly advance = (bytes: number): void => this.#progress?.advance(bytes);

  /** Removes the progress bar. */
  stopProgress(): void {
    this.#progress?.hide();
    this.#progress = undefined;
  }

  /** Writes text unchanged. */
  write(text: string): void {
    this.#progress?.hide();
    try {
      fs.writeSync(2, text);
    } catch {
      // Standard error is closed, so the failure cannot be reported.
    }
  }

  #print(message: string): void {
    this.write(`sluice: ${message}\n`);
  }
}
