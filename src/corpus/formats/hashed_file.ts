/**
 * A buffered writer of a file with a running SHA-256.
 *
 * Small writes are gathered to 1 MiB, large ones go to the system as they are. A file whose header is known only at
 * the end leaves a place for it. SHA-256 depends on the order of the bytes, so such a file is read again at the end,
 * when it is still in the page cache, and is not summed before.
 *
 * The disk is kept busy while bytes are made: what was written is synchronized in the background, so that little is
 * left to wait for at the end.
 *
 * @module
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { readAt } from "./read_at.ts";
import { type FileSum, Sha256, sumOf } from "./sha256.ts";

/** Smaller writes are gathered to this size. */
const GATHERED = 1 << 20;

/** After this many bytes they are sent to the disk in the background. */
const SYNCHRONIZED = 1 << 24;

const fsync = promisify(fs.fsync);

/** A new file that is written from its beginning to its end. Failures of the system are thrown unchanged. */
export class HashedFile {
  #fd: number | undefined;
  #sum: Sha256 | undefined;
  readonly #headerBytes: number;
  readonly #gathered = new Uint8Array(GATHERED);
  #used = 0;
  #position: number;
  /** Bytes since the last synchronization began. */
  #unsynchronized = 0;
  #synchronization: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /**
   * Creates the file, which must not exist.
   *
   * @param headerBytes The size of a header that {@linkcode finish} is given.
   */
  constructor(path: string, headerBytes = 0) {
    this.#fd = fs.openSync(path, "wx+");
    this.#headerBytes = headerBytes;
    this.#position = headerBytes;
    if (headerBytes === 0) this.#sum = new Sha256();
    else this.#gathered.fill(0, 0, this.#used = headerBytes);
  }

  /** How many bytes were written, the place for the header included. */
  get position(): number {
    return this.#position;
  }

  /** Adds bytes, which may be overwritten afterwards. */
  write(bytes: Uint8Array): void {
    this.#position += bytes.length;
    if (bytes.length <= GATHERED - this.#used) {
      this.#gathered.set(bytes, this.#used);
      this.#used += bytes.length;
      return;
    }
    this.#flush();
    if (bytes.length >= GATHERED / 2) return this.#out(bytes);
    this.#gathered.set(bytes);
    this.#used = bytes.length;
  }

  /** Reads `length` bytes that were written. */
  readBack(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#flush();
    return readAt(this.#open(), position, length);
  }

  /** Writes what is left and the header, asks the system to store the file (fsync), and closes it. */
  async finish(header?: Uint8Array): Promise<FileSum> {
    this.#flush();
    const fd = this.#open();
    if (header?.length !== (this.#headerBytes || undefined)) {
      throw new RangeError(
        `the header has ${header?.length ?? 0} bytes and not ${this.#headerBytes}`,
      );
    }
    if (header !== undefined) writeAll(header, (...at) => fs.writeSync(fd, ...at), 0);
    const sum = this.#sum === undefined
      ? await sumOf(fd)
      : { bytes: this.#position, sha256: this.#sum.hex() };
    await this.#synchronization;
    this.#check();
    await fsync(fd);
    await this.close();
    return sum;
  }

  /** Closes the file, if it is open. */
  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    // Another file could get the number of a closed one.
    await this.#synchronization;
    fs.closeSync(fd);
  }

  #flush(): void {
    const used = this.#used;
    this.#used = 0;
    if (used > 0) this.#out(this.#gathered.subarray(0, used));
  }

  #out(bytes: Uint8Array): void {
    const fd = this.#open();
    this.#check();
    writeAll(bytes, (...at) => fs.writeSync(fd, ...at), null);
    this.#sum?.update(bytes);
    this.#unsynchronized += bytes.length;
    if (this.#unsynchronized >= SYNCHRONIZED && this.#synchronization === undefined) {
      this.#synchronize(fd);
    }
  }

  #synchronize(fd: number): void {
    this.#unsynchronized = 0;
    this.#synchronization = new Promise((resolve) =>
      fs.fdatasync(fd, (error) => {
        // The system tells a failure once only, so the last `fsync` would not know of it.
        if (error) this.#failure ??= { error };
        this.#synchronization = undefined;
        resolve();
      })
    );
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error("the file is closed");
    return this.#fd;
  }
}

/** As `fs.writeSync` without its first argument. */
export type WriteSome = (
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
) => number;

/**
 * Writes all bytes. The system may write fewer than it is asked to, or be interrupted.
 *
 * @param position Where in the file, or null for behind the last write.
 */
export function writeAll(bytes: Uint8Array, write: WriteSome, position: number | null): void {
  for (let at = 0; at < bytes.length;) {
    try {
      const written = write(bytes, at, bytes.length - at, position);
      if (written === 0) throw new Error("the system wrote nothing and told no reason");
      at += written;
      if (position !== null) position += written;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      else if (code !== "EINTR") throw error;
    }
  }
}
