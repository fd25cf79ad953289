/**
 * Files and standard input, read piece by piece.
 *
 * Both are file descriptors here: the same few calls read a file, a pipe and a terminal in every
 * runtime, at the speed of the system.
 *
 * @module
 */
import fs from "node:fs";
import { CharsetError, Transcoder } from "./charset.ts";
import type { Cutter } from "./cut.ts";
import { type FilePath, isReplaced, printable, STDIN } from "./file_path.ts";
import { setTimeout as sleep } from "node:timers/promises";

/** How much is read at once. Larger pieces are no faster and take more memory. */
const PIECE_BYTES = 1 << 20;

/** The buffer counts as full when no more than this is left of it. */
const LEAST_ROOM = 1 << 12;

/** A piece that cannot be cut is gathered in memory, up to here: half of what a string can hold. */
const MAX_PIECE_BYTES = 1 << 28;

/** What was asked for cannot be read or is not what it has to be; the message names the input. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A part of an input. The bytes are good until the next piece is asked for. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Where in the text, as UTF-8, it begins, in bytes. */
  readonly offset: number;
}

/** How to read what is in a file. */
export interface Reading {
  /** What it is written in, if not in UTF-8. */
  readonly charset?: string;
  /** Whether to read U+FFFD for what is not valid. */
  readonly lossy?: boolean;
}

/** What an input is opened with. */
export interface InputOptions extends Reading {
  /** Is told how many bytes were read, each time. */
  readonly onRead?: (bytes: number) => void;
}

/** An open file or standard input. */
export class Input implements AsyncDisposable {
  /** As given on the command line, or found in a folder. */
  readonly path: string;
  readonly #fd: number;
  readonly #onRead: ((bytes: number) => void) | undefined;
  readonly #transcoder: Transcoder | undefined;
  #bytes = 0;

  private constructor(path: string, fd: number, { charset, lossy, onRead }: InputOptions) {
    this.path = path;
    this.#fd = fd;
    this.#onRead = onRead;
    if (charset !== undefined || lossy) {
      this.#transcoder = new Transcoder(charset ?? "utf-8", lossy ?? false);
    }
  }

  /**
   * Opens a file, or standard input for {@linkcode STDIN}.
   *
   * @throws {InputError} If it cannot be opened.
   */
  static async open({ at, name }: FilePath, options: InputOptions = {}): Promise<Input> {
    if (name === STDIN) return new Input(name, 0, options);
    try {
      const fd = await new Promise<number>((resolve, reject) =>
        fs.open(at, "r", (error, fd) => error ? reject(error) : resolve(fd))
      );
      return new Input(name, fd, options);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Some runtimes have only text for a name, and look for the file that is called U+FFFD.
      const isUnreadable = code === "ENOENT" && (typeof at !== "string" || isReplaced(at));
      const why = isUnreadable
        ? "no such file, or its name is not UTF-8, which this runtime cannot open"
        : reason(error);
      throw new InputError(`${printable(name)}: ${why}`, { cause: error });
    }
  }

  /** The name for messages. */
  get name(): string {
    return this.path === STDIN ? "stdin" : printable(this.path);
  }

  /** How many bytes were read of it so far, before any conversion. */
  get bytesRead(): number {
    return this.#bytes;
  }

  /** Whether what was read so far had something in it that was replaced by U+FFFD. */
  get hasReplaced(): boolean {
    return this.#transcoder?.hasReplaced ?? false;
  }

  /** Whether offsets in the text are those in the file. */
  get isUtf8(): boolean {
    return this.#transcoder === undefined;
  }

  /** All of the input, in pieces that end where `cutter` says, each as long as one read if it can. */
  async *pieces(cutter: Cutter): AsyncGenerator<Piece> {
    let buffer = new Uint8Array(PIECE_BYTES);
    let filled = 0;
    let offset = 0;
    for (;;) {
      const read = await this.#readText(buffer.subarray(filled));
      if (read === 0) break;
      let cut = cutter.lastCut(buffer, filled, filled + read);
      filled += read;
      for (;;) {
        if (cut > 0) {
          yield this.#piece(buffer.subarray(0, cut), offset, cutter);
          const rest = buffer.subarray(cut, filled);
          // After a giant, back to the usual size.
          if (buffer.length > PIECE_BYTES && 2 * rest.length < PIECE_BYTES) {
            buffer = new Uint8Array(PIECE_BYTES);
          }
          buffer.set(rest);
          filled = rest.length;
          offset += cut;
        }
        if (buffer.length - filled >= LEAST_ROOM) break;
        cut = cutter.cutWithin?.(buffer.subarray(0, filled)) ?? 0;
        if (cut > 0) continue;
        buffer = this.#grow(buffer);
        break;
      }
    }
    if (filled > 0) yield this.#piece(buffer.subarray(0, filled), offset, cutter);
  }

  /** Closes a file; standard input is not ours to close. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd !== 0) fs.closeSync(this.#fd);
    return Promise.resolve();
  }

  #piece(bytes: Uint8Array, offset: number, cutter: Cutter): Piece {
    if (cutter.agrees?.(bytes) === false) {
      throw new InputError(`${this.name}: there is no place to cut before byte ${offset}`);
    }
    return { bytes, offset };
  }

  /** Reads UTF-8, whatever the file is written in. */
  async #readText(into: Uint8Array): Promise<number> {
    if (this.#transcoder === undefined) return await this.#read(into);
    try {
      return await this.#transcoder.read(into, (buffer) => this.#read(buffer));
    } catch (error) {
      if (!(error instanceof CharsetError)) throw error;
      throw new InputError(`${this.name}: ${error.message}`, { cause: error });
    }
  }

  async #read(buffer: Uint8Array): Promise<number> {
    for (;;) {
      try {
        const bytes = await new Promise<number>((resolve, reject) =>
          fs.read(this.#fd, buffer, 0, buffer.length, null, (error, bytes) => {
            if (error) reject(error);
            else resolve(bytes);
          })
        );
        this.#bytes += bytes;
        this.#onRead?.(bytes);
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

/** Why the system refused, in words. */
export function reason(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "is a directory";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (name === "NotCapable") return "reading it is not allowed, run with --allow-read";
  return message;
}
