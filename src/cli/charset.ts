/**
 * Turns what files hold into UTF-8, chunk by chunk.
 *
 * @module
 */

/** No charset has a byte that becomes more bytes of UTF-8 than this. */
const MAX_GROWTH = 3;

/** What a decoder holds back between two chunks becomes no more than this. */
const HELD_BYTES = 32;

/** How much is converted at once: where it fails, this is how exactly the place is known. */
const CHUNK_BYTES = 1 << 16;

const encoder = new TextEncoder();

/** Something in the file is not what it should be in its charset. */
export class CharsetError extends Error {
  override readonly name = "CharsetError";
}

/** Reads the next bytes of a file into a buffer and says how many; 0 at the end. */
export type ReadBytes = (buffer: Uint8Array) => Promise<number>;

/** Whether `name` is one that the WHATWG Encoding Standard has. */
export function isCharset(name: string): boolean {
  try {
    new TextDecoder(name);
    return true;
  } catch {
    return false;
  }
}

/** The UTF-8 of one file in another charset, or with U+FFFD for what is not valid. */
export class Transcoder {
  readonly #charset: string;
  /** Undefined once something was not valid and was to be replaced. */
  #strict: TextDecoder | undefined;
  readonly #lossy: TextDecoder | undefined;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #position = 0;
  #ended = false;

  /**
   * @param charset A label of the Encoding Standard.
   * @param lossy Whether to replace what is not valid.
   */
  constructor(charset: string, lossy: boolean) {
    // A byte order mark stays, as in files that are UTF-8: U+FEFF is text like any other.
    this.#strict = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
    this.#charset = this.#strict.encoding;
    if (lossy) this.#lossy = new TextDecoder(charset, { ignoreBOM: true });
  }

  /** Whether something was replaced. */
  get hasReplaced(): boolean {
    return this.#strict === undefined;
  }

  /**
   * Writes the next UTF-8 into `into`, which has room for some kilobytes, and returns how much it
   * is; 0 at the end.
   *
   * @throws {CharsetError} For what is not valid, if that is not to be replaced.
   */
  async read(into: Uint8Array, read: ReadBytes): Promise<number> {
    const room = Math.floor((into.length - HELD_BYTES) / MAX_GROWTH);
    while (!this.#ended) {
      const bytes = this.#chunk.subarray(0, Math.min(room, CHUNK_BYTES));
      const length = await read(bytes);
      this.#ended = length === 0;
      const text = this.#decode(bytes.subarray(0, length));
      this.#position += length;
      if (text !== "") return encoder.encodeInto(text, into).written;
    }
    return 0;
  }

  #decode(bytes: Uint8Array): string {
    const options = { stream: !this.#ended };
    try {
      const text = this.#strict?.decode(bytes, options);
      if (this.#lossy === undefined) return text!;
    } catch (error) {
      if (this.#lossy === undefined) throw this.#failure(bytes.length, error);
      this.#strict = undefined;
    }
    return this.#lossy.decode(bytes, options);
  }

  #failure(length: number, cause: unknown): CharsetError {
    const where = this.#ended
      ? `: it ends within a character at byte ${this.#position}`
      : ` between byte ${this.#position} and byte ${this.#position + length}`;
    return new CharsetError(`not valid ${this.#charset}${where}`, { cause });
  }
}
