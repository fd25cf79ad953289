/**
 * A buffered reader of files and standard input, which yields pieces that end at safe offsets.
 *
 * Both are read by file descriptor: the same calls read a file, a pipe and a terminal in every runtime.
 *
 * @module
 */
import fs from "node:fs";
import { CharsetError, Transcoder } from "./charset.ts";
import type { Cutter } from "../tokenizer/cut.ts";
import { type FilePath, isReplaced, printable, STDIN } from "../files/file_path.ts";
import { reason } from "../files/reason.ts";
import { setTimeout as sleep } from "node:timers/promises";

/** How much is read at once. Larger pieces are not faster and take more memory. */
const PIECE_BYTES = 1 << 20;

/** The buffer counts as full if it has less room than this. */
const LEAST_ROOM = 1 << 12;

/** The largest piece without a safe offset, which is kept in memory: half of the longest string. */
const MAX_PIECE_BYTES = 1 << 28;

/** How compressed files begin, which no UTF-8 does. */
const COMPRESSED: readonly { readonly by: string; readonly magic: readonly number[] }[] = [
  { by: "gzip", magic: [0x1f, 0x8b] },
  { by: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd] },
];

/** An input cannot be read or has wrong contents. The message names the input. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A part of an input. The bytes are valid until the next piece is requested. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Its offset in the text as UTF-8, in bytes. */
  readonly offset: number;
}

/** How to decode a file. */
export interface Reading {
  /** Its charset, if it is not UTF-8. */
  readonly charset?: string;
  /** Whether to read invalid bytes as U+FFFD. */
  readonly lossy?: boolean;
}

/** The options of an input. */
export interface InputOptions extends Reading {
  /** Is called with the number of bytes of each read. */
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
      // Some runtimes convert the name to text, and look for the file with U+FFFD in its name.
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

  /** The number of bytes read so far, before any conversion. */
  get bytesRead(): number {
    return this.#bytes;
  }

  /** Whether invalid bytes were replaced by U+FFFD so far. */
  get hasReplaced(): boolean {
    return this.#transcoder?.hasReplaced ?? false;
  }

  /** Whether offsets in the text are offsets in the file. */
  get isUtf8(): boolean {
    return this.#transcoder === undefined;
  }

  /** The whole input, in pieces that end at the offsets of `cutter`, if possible one per read. */
  async *pieces(cutter: Cutter): AsyncGenerator<Piece> {
    let buffer = new Uint8Array(PIECE_BYTES);
    let filled = 0;
    let offset = 0;
    for (;;) {
      const read = await this.#readText(buffer.subarray(filled));
      if (read === 0) break;
      if (offset + filled === 0) this.#refuseCompressed(buffer.subarray(0, read));
      let cut = cutter.lastCut(buffer, filled, filled + read);
      filled += read;
      for (;;) {
        if (cut > 0) {
          yield this.#piece(buffer.subarray(0, cut), offset, cutter);
          const rest = buffer.subarray(cut, filled);
          // After a large piece, back to the usual size.
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

  /** Closes a file. Standard input stays open. */
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

  /** Each line of a compressed file would be a bad one. */
  #refuseCompressed(start: Uint8Array): void {
    if (!this.isUtf8) return;
    const found = COMPRESSED.find(({ magic }) => magic.every((byte, i) => start[i] === byte));
    if (found === undefined) return;
    throw new InputError(
      `${this.name}: compressed with ${found.by}, which only tokenize, estimate and split read: ` +
        `pipe it through ${found.by} -dc`,
    );
  }

  /** Reads UTF-8, whatever the charset of the file is. */
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
        // On Windows this is the error of a pipe whose other end is closed.
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
