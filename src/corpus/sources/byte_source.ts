/**
 * Double buffering: the next piece of a source is read while the one before it is worked on.
 *
 * @module
 */

/**
 * The bytes that are read at once. Pieces of 4 MiB take 70 MB more memory, and are no faster (`bench/record`, corpus
 * stages).
 */
export const PIECE_BYTES: number = 1 << 19;

/** Bytes that come one after the other. */
export interface ByteSource {
  /** Reads the next bytes into the beginning of `into`, and returns how many; 0 at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Ends what runs for the source. Nothing is being read. */
  close?(): Promise<void>;
  /** About how many bytes will come, if that is known: no larger buffers are needed. */
  readonly expected?: number | undefined;
}

/** A piece in a buffer. */
export interface Piece {
  /** The buffer. What is before `start` is free for the caller. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly start: number;
  /** Equal to `start` at the end of the source. */
  readonly end: number;
}

/** Reads a source into two buffers by turns. */
export class DoubleBuffer {
  readonly #source: ByteSource;
  readonly #room: number;
  readonly #length: number;
  #current: Uint8Array<ArrayBuffer> | undefined;
  #idle: Uint8Array<ArrayBuffer> | undefined;
  #pending: Promise<number> | undefined;

  /** @param room How many bytes to leave free before each piece. */
  constructor(source: ByteSource, room: number) {
    this.#source = source;
    this.#length = Math.min(source.expected ?? PIECE_BYTES, PIECE_BYTES);
    this.#room = Math.min(room, this.#length);
  }

  /** Begins to read the next piece. The piece before the last is overwritten. */
  start(): void {
    this.#idle ??= new Uint8Array(this.#room + this.#length);
    this.#pending = this.#source.read(this.#idle.subarray(this.#room));
    // A failure is reported when the piece is asked for.
    this.#pending.catch(() => {});
  }

  /** The piece whose reading was begun last. */
  async next(): Promise<Piece> {
    const read = await this.#pending!;
    this.#pending = undefined;
    const buffer = this.#idle!;
    this.#idle = this.#current;
    this.#current = buffer;
    return { buffer, start: this.#room, end: this.#room + read };
  }

  /** Waits until nothing is read any more, and closes the source. */
  async close(): Promise<void> {
    await this.#pending?.catch(() => {});
    await this.#source.close?.();
  }
}
