/**
 * What the user reads besides the results: errors, notes and a progress bar, all on standard error.
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
  /** Something could not be read, or a line or a self-test failed. */
  failure: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** `count --max` found more. */
  overLimit: 3,
  /** Interrupted, as shells number it. */
  interrupted: 130,
} as const;

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Standard error of one run, and the exit code that follows from what was said there. */
export class Report {
  /** The exit code so far. */
  exitCode: number = EXIT.ok;
  /** Whether to keep to errors and verdicts. */
  quiet = false;
  #progress: Progress | undefined;

  /** Says what went wrong; the run goes on, and fails in the end. */
  error(message: string): void {
    this.exitCode = EXIT.failure;
    this.#say(message);
  }

  /** Says what is no failure of ours but ends in an exit code of its own. */
  verdict(message: string, exitCode: number): void {
    if (this.exitCode === EXIT.ok) this.exitCode = exitCode;
    this.#say(message);
  }

  /** Says what the results alone do not tell, such as that they are an estimate. */
  note(message: string): void {
    if (!this.quiet) this.#say(message);
  }

  /**
   * Shows progress through `total` bytes, if a person watches and results do not scroll through the
   * same terminal. The bar comes late: short work shows none.
   */
  startProgress(total: number | undefined, resultsScroll: boolean): void {
    if (this.quiet || !isatty(2) || (resultsScroll && isatty(1))) return;
    this.#progress = new Progress(process.stderr, total);
  }

  /** Moves the progress bar, if there is one. */
  readonly advance = (bytes: number): void => this.#progress?.advance(bytes);

  /** Takes the progress bar away. */
  stopProgress(): void {
    this.#progress?.hide();
    this.#progress = undefined;
  }

  /** Writes text as it is. */
  write(text: string): void {
    this.#progress?.hide();
    try {
      fs.writeSync(2, text);
    } catch {
      // Nobody listens, and there is no one to tell.
    }
  }

  #say(message: string): void {
    this.write(`sluice: ${message}\n`);
  }
}
