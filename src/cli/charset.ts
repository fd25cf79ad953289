/**
 * A streaming transcoder from any charset of the Encoding Standard to UTF-8.
 *
 * @module
 */

/** The most bytes of UTF-8 that one byte of any charset becomes. */
const MAX_GROWTH = 3;

/** The most bytes of UTF-8 for the bytes that a decoder holds back between two chunks. */
const HELD_BYTES = 32;

/** How much is converted at once. This is also the precision of the offset of an error. */
const CHUNK_BYTES = 1 << 16;

const encoder = new TextEncoder();

/** The file is not valid in its charset. */
export class CharsetError extends Error {
  override readonly name = "CharsetError";
}

/** Reads the next bytes of a file into a buffer and returns their number; 0 at the end. */
export type ReadBytes = (buffer: Uint8Array) => Promise<number>;

/** Whether `name` is a label of the WHATWG Encoding Standard. */
export function isCharset(name: string): boolean {
  try {
    new TextDecoder(name);
    return true;
  } catch {
    return false;
  }
}

/** The UTF-8 of one file in another charset, optionally with U+FFFD for invalid bytes. */
export class Transcoder {
  readonly #charset: string;
  /** Undefined once invalid bytes were replaced. */
  #strict: TextDecoder | undefined;
  readonly #lossy: TextDecoder | undefined;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #position = 0;
  #ended = false;

  /**
   * @param charset A label of the Encoding Standard.
   * @param lossy Whether to replace invalid bytes.
   */
  constructor(charset: string, lossy: boolean) {
    // Keeps a byte order mark, as in UTF-8 files: U+FEFF is text.
    this.#strict = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
    this.#charset = this.#strict.encoding;
    if (lossy) this.#lossy = new TextDecoder(charset, { ignoreBOM: true });
  }

  /** Whether invalid bytes were replaced. */
  get hasReplaced(): boolean {
    return this.#strict === undefined;
  }

  /**
   * Writes the next UTF-8 into `into`, which has room for some kilobytes, and returns its length; 0 at the end.
   *
   * @throws {CharsetError} For invalid bytes, unless they are replaced.
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
