/**
 * An input file, opened for reading at any position, that must be the file of which the plan was made.
 *
 * @module
 */
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { reason } from "../../files/reason.ts";
import { type FileKind, type InputFile, SourceError } from "./source.ts";

/** The path that stands for standard input. */
export const STDIN = "-";

const STDIN_FD = 0;

/** Calls of the system that are interrupted or would block are repeated after this many milliseconds. */
const RETRY_MS = 5;

/**
 * Describes a file as it is now.
 *
 * @throws {SourceError} If there is no such file, or it is a folder or a pipe.
 */
export async function statInput(path: string, kind: FileKind): Promise<InputFile> {
  if (path === STDIN) return { path, kind, size: 0, mtime: 0 };
  const stats = await failingWith(path, () => fs.promises.stat(path, { bigint: true }));
  if (stats.isDirectory()) throw SourceError.of(path, "is a folder");
  if (!stats.isFile()) {
    throw SourceError.of(path, "is not a regular file; give - and pipe it to standard input");
  }
  return { path, kind, ...identity(stats) };
}

/** An open file or standard input. */
export class OpenFile {
  readonly file: InputFile;
  readonly #fd: number;
  readonly #signal: AbortSignal | undefined;

  private constructor(file: InputFile, fd: number, signal?: AbortSignal) {
    this.file = file;
    this.#fd = fd;
    this.#signal = signal;
  }

  /**
   * @param signal Ends the waiting for standard input. Files need no waiting.
   * @throws {SourceError} If the file cannot be opened or has changed since `file` was made.
   */
  static async open(file: InputFile, signal?: AbortSignal): Promise<OpenFile> {
    if (file.path === STDIN) return new OpenFile(file, STDIN_FD, signal);
    const fd = await failingWith(
      file.path,
      () =>
        new Promise<number>((resolve, reject) =>
          fs.open(file.path, "r", (error, fd) => error ? reject(error) : resolve(fd))
        ),
    );
    const opened = new OpenFile(file, fd);
    try {
      opened.checkUnchanged();
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  /** Reads at most `into.length` bytes from `position`, and returns how many; 0 at the end of standard input. */
  async read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    const { path, size } = this.file;
    const isStream = path === STDIN;
    for (;;) {
      try {
        const reading = new Promise<number>((resolve, reject) =>
          fs.read(
            this.#fd,
            into,
            0,
            into.length,
            isStream ? null : position,
            (error, bytes) => error ? reject(error) : resolve(bytes),
          )
        );
        const read = await (isStream ? until(reading, this.#signal) : reading);
        if (read === 0 && into.length > 0 && !isStream) {
          throw SourceError.of(path, `ends at byte ${position} of ${size}, it has changed`);
        }
        return read;
      } catch (error) {
        if (error === this.#signal?.reason) throw error;
        const { code } = error as NodeJS.ErrnoException;
        // On Windows this is the error of a pipe whose other end is closed.
        if (code === "EOF") return 0;
        if (code !== "EAGAIN" && code !== "EINTR") throw sourceError(path, error);
        await sleep(RETRY_MS);
      }
    }
  }

  /** Reads all bytes of a range of a file. */
  async readRange(from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#checkRange(from, to);
    const bytes = new Uint8Array(to - from);
    await this.readFully(bytes, from);
    return bytes;
  }

  /** Fills a buffer with the bytes of a file from `position` on. */
  async readFully(into: Uint8Array<ArrayBuffer>, position: number): Promise<void> {
    this.#checkRange(position, position + into.length);
    for (let filled = 0; filled < into.length;) {
      filled += await this.read(into.subarray(filled), position + filled);
    }
  }

  /** @throws {SourceError} If the file is no longer as it was when the plan was made. */
  checkUnchanged(): void {
    const { path, size, mtime } = this.file;
    if (path === STDIN) return;
    const now = identity(fs.fstatSync(this.#fd, { bigint: true }));
    if (now.size === size && now.mtime === mtime) return;
    const what = now.size === size
      ? `modified at ${new Date(now.mtime).toISOString()}, not ${new Date(mtime).toISOString()}`
      : `${now.size} bytes, not ${size}`;
    throw SourceError.of(path, `changed since the plan was made: ${what}`);
  }

  #checkRange(from: number, to: number): void {
    const { path, size } = this.file;
    if (from >= 0 && from <= to && to <= size) return;
    throw SourceError.of(path, `has no bytes ${from} to ${to}, but ${size}; it is damaged`);
  }

  /** Standard input stays open. */
  close(): void {
    if (this.#fd !== STDIN_FD) fs.closeSync(this.#fd);
  }
}

/** The result of `waiting`, or the reason of `signal` if that is earlier. */
async function until<T>(waiting: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await waiting;
  signal.throwIfAborted();
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => (stop = () => reject(signal.reason)));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([waiting, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function identity({ size, mtimeNs }: fs.BigIntStats): { size: number; mtime: number } {
  return { size: Number(size), mtime: Number(mtimeNs / 1_000_000n) };
}

async function failingWith<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw sourceError(path, error);
  }
}

/** A failure of the system as one that names the file. */
function sourceError(path: string, error: unknown): SourceError {
  return error instanceof SourceError ? error : SourceError.of(path, reason(error), error);
}
