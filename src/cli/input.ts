/**
 * Files and standard input, read piece by piece.
 *
 * Both are file descriptors here: the same few calls read a file, a pipe and a terminal in every
 * runtime, at the speed of the system.
 *
 * @module
 */
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How much is read at once. Larger pieces are no faster and take more memory. */
const PIECE_BYTES = 1 << 20;

/** A piece that cannot be cut is gathered in memory, up to here: half of what a string can hold. */
const MAX_PIECE_BYTES = 1 << 28;

/** The path that stands for standard input. */
export const STDIN = "-";

/** What was asked for cannot be read or is not what it has to be; the message names the input. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A part of an input. The bytes are good until the next piece is asked for. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Where in the input it begins, in bytes. */
  readonly offset: number;
}

/**
 * Where the first `end` bytes can be cut: the last such place behind `from`, or 0 if there is none.
 * What is before `from` was looked at already.
 */
export type LastCut = (bytes: Uint8Array, from: number, end: number) => number;

/** An open file or standard input. */
export class Input implements AsyncDisposable {
  /** As given on the command line. */
  readonly path: string;
  readonly #fd: number;
  readonly #onRead: (bytes: number) => void;

  private constructor(path: string, fd: number, onRead: (bytes: number) => void) {
    this.path = path;
    this.#fd = fd;
    this.#onRead = onRead;
  }

  /**
   * Opens `path`, or standard input for {@linkcode STDIN}.
   *
   * @param onRead Is told how many bytes were read, each time.
   * @throws {InputError} If it cannot be opened.
   */
  static async open(path: string, onRead: (bytes: number) => void = () => {}): Promise<Input> {
    if (path === STDIN) return new Input(path, 0, onRead);
    try {
      const fd = await new Promise<number>((resolve, reject) =>
        fs.open(path, "r", (error, fd) => error ? reject(error) : resolve(fd))
      );
      return new Input(path, fd, onRead);
    } catch (error) {
      throw new InputError(`${path}: ${reason(error)}`, { cause: error });
    }
  }

  /** The name for messages. */
  get name(): string {
    return this.path === STDIN ? "stdin" : this.path;
  }

  /** All of the input, in pieces that end where `lastCut` says, each as long as one read if it can. */
  async *pieces(lastCut: LastCut): AsyncGenerator<Piece> {
    let buffer = new Uint8Array(PIECE_BYTES);
    let filled = 0;
    let offset = 0;
    for (;;) {
      const read = await this.#read(buffer, filled);
      if (read === 0) break;
      const cut = lastCut(buffer, filled, filled + read);
      filled += read;
      if (cut > 0) {
        yield { bytes: buffer.subarray(0, cut), offset };
        const rest = buffer.subarray(cut, filled);
        // After a giant, back to the usual size.
        if (buffer.length > PIECE_BYTES && rest.length < PIECE_BYTES) {
          buffer = new Uint8Array(PIECE_BYTES);
        }
        buffer.set(rest);
        filled = rest.length;
        offset += cut;
      }
      if (filled === buffer.length) buffer = this.#grow(buffer);
    }
    if (filled > 0) yield { bytes: buffer.subarray(0, filled), offset };
  }

  /** Closes a file; standard input is not ours to close. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd !== 0) fs.closeSync(this.#fd);
    return Promise.resolve();
  }

  async #read(buffer: Uint8Array, at: number): Promise<number> {
    for (;;) {
      try {
        const bytes = await new Promise<number>((resolve, reject) =>
          fs.read(this.#fd, buffer, at, buffer.length - at, null, (error, bytes) => {
            if (error) reject(error);
            else resolve(bytes);
          })
        );
        this.#onRead(bytes);
        return bytes;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // How Windows says that the other end of a pipe is closed.
        if (code === "EOF") return 0;
        if (code !== "EAGAIN") {
          throw new InputError(`${this.name}: ${reason(error)}`, { cause: error });
        }
        await sleep(5);
      }
    }
  }

  #grow(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (buffer.length >= MAX_PIECE_BYTES) {
      throw new InputError(
        `${this.name}: there is no place to cut within ${
          MAX_PIECE_BYTES >> 20
        } MiB, which is the ` +
          "longest line or word that can be worked on",
      );
    }
    const grown = new Uint8Array(2 * buffer.length);
    grown.set(buffer);
    return grown;
  }
}

/** The size of all of `paths` in bytes, or undefined if one has none, as a pipe has not. */
export function totalSize(paths: readonly string[]): number | undefined {
  let total = 0;
  for (const path of paths) {
    try {
      const stats = path === STDIN ? fs.fstatSync(0) : fs.statSync(path);
      if (!stats.isFile()) return undefined;
      total += stats.size;
    } catch {
      // Reading it will say why; it does not count.
    }
  }
  return total;
}

function reason(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "is a directory";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (name === "NotCapable") return "reading it is not allowed, run with --allow-read";
  return message;
}
