/**
 * Files of results, which appear under their names when they are complete.
 *
 * @module
 */
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { printable } from "../../files/file_path.ts";
import { Output } from "../output.ts";
import { UsageError } from "../report.ts";

/** A file that is written under a temporary name and renamed at the end. */
export class ResultFile implements Disposable {
  /** What to write to. */
  readonly out: Output;
  readonly #path: string;
  readonly #temporary: string;
  #fd: number | undefined;

  /**
   * @param inputs The files that are read, which must not be written.
   * @throws {UsageError} If the file cannot be made, or is one of `inputs`.
   */
  constructor(file: string, inputs: readonly string[]) {
    if (inputs.some((input) => isSame(input, file))) {
      throw new UsageError(`${printable(file)} is an input and would be overwritten`);
    }
    this.#path = file;
    this.#temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
    try {
      this.#fd = fs.openSync(this.#temporary, "w");
    } catch (error) {
      throw new UsageError(
        `${printable(file)} cannot be written: ${(error as Error).message}`,
        { cause: error },
      );
    }
    this.out = new Output(this.#fd);
    process.once("exit", this.#remove);
  }

  /** Writes what is left, and gives the file its name. */
  async commit(): Promise<void> {
    await this.out.flush();
    fs.fsyncSync(this.#fd!);
    this.#close();
    fs.renameSync(this.#temporary, this.#path);
    process.off("exit", this.#remove);
  }

  /** Removes the file unless it has its name. */
  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    this.#remove();
  }

  readonly #remove = (): void => {
    if (this.#fd === undefined) return;
    this.#close();
    fs.rmSync(this.#temporary, { force: true });
  };

  #close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function isSame(a: string, b: string): boolean {
  try {
    return fs.realpathSync(a) === fs.realpathSync(b);
  } catch {
    return false;
  }
}
