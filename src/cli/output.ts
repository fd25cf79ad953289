/**
 * A buffered writer to standard output with backpressure: a slow reader slows the work down, and memory stays
 * small.
 *
 * @module
 */
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { ID_BYTES, writeIds } from "../corpus/formats/decimal.ts";

/** From this many buffered bytes on, {@linkcode Output.drain} writes. */
const FULL = 1 << 16;

/** A larger buffer is released after it was written. */
const KEPT_BYTES = 1 << 22;

/** O_CLOEXEC, as Linux shows it. */
const CLOSE_ON_EXEC = 0o2000000;

const encoder = new TextEncoder();

/** The reader of the results has closed the pipe, as `head` does. This is not a failure. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

/** A buffered writer. Writing fails with {@linkcode BrokenPipe} after the reader has closed the pipe. */
export class Output {
  readonly #fd: number;
  #buffer = new Uint8Array(2 * FULL);
  #used = 0;
  #written = 0;

  /** @param fd The file descriptor to write to. */
  constructor(fd = 1) {
    this.#fd = fd;
  }

  /** Adds text. */
  text(text: string): void {
    this.bytes(encoder.encode(text));
  }

  /** Adds bytes unchanged. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Adds ids in decimal, separated by commas. */
  ids(ids: Uint32Array): void {
    this.#reserve(ID_BYTES * ids.length);
    this.#used = writeIds(this.#buffer, this.#used, ids);
  }

  /** The number of bytes added so far, written or not. */
  get position(): number {
    return this.#written + this.#used;
  }

  /** Discards bytes that were added since `position`. False, without an effect, if they were written. */
  rewind(position: number): boolean {
    if (position < this.#written) return false;
    this.#used = position - this.#written;
    return true;
  }

  /** Writes if the buffer is full. Await it between pieces of work. */
  async drain(): Promise<void> {
    if (this.#used >= FULL) await this.flush();
  }

  /** Writes all buffered bytes. */
  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#used);
    for (let at = 0; at < bytes.length;) at += await write(this.#fd, bytes.subarray(at));
    this.#written += this.#used;
    this.#used = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = new Uint8Array(2 * FULL);
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    grown.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = grown;
  }
}

/**
 * Whether standard output was closed before the program started, as by `>&-`.
 *
 * The runtimes open `/dev/null` in its place, because the next file would get its number otherwise, and the
 * results would be written there. So writing succeeds. Bun opens it with O_CLOEXEC, which no shell and no parent
 * does. Deno opens it without, and Node.js sets the flag for all three streams, so there this cannot be detected.
 */
export function isStdoutClosed(): boolean {
  try {
    if (!fs.fstatSync(1).isCharacterDevice() || isatty(1)) return false;
    if (fs.readlinkSync("/proc/self/fd/1") !== "/dev/null") return false;
    return closesOnExec(1) && !(closesOnExec(0) && closesOnExec(2));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EBADF";
  }
}

function closesOnExec(fd: number): boolean {
  const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "0";
  return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
}

async function write(fd: number, bytes: Uint8Array): Promise<number> {
  for (;;) {
    try {
      return await new Promise((resolve, reject) =>
        fs.write(fd, bytes, 0, bytes.length, null, (error, written) => {
          if (error) reject(error);
          else resolve(written);
        })
      );
    } catch (error) {
      // Another process may have made a shared pipe non-blocking.
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new BrokenPipe();
      if (code !== "EAGAIN") {
        const reason = code === "ENOSPC" ? "no space left on device" : message;
        throw new Error(`the results cannot be written: ${reason}`, { cause: error });
      }
      await sleep(5);
    }
  }
}
