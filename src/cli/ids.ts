/**
 * A streaming parser (finite-state machine) for JSON arrays of token ids.
 *
 * @module
 */

/** The most ids that are yielded at once. */
const BATCH = 1 << 15;

/** The text is not a sequence of JSON arrays of ids. */
export class IdsError extends Error {
  override readonly name = "IdsError";
}

/** The states of the parser. Each is named after what may come next. */
type State =
  | "an array"
  | "an id or ]"
  | "a digit, a comma or ]"
  | "a comma or ]"
  | "an id";

/**
 * A parser for `[1,2] [3]…`, with white space between arrays and no other values. An array need not fit in memory,
 * so `JSON.parse` cannot be used.
 */
export class IdReader {
  #state: State = "an array";
  #id = 0;
  #offset = 0;

  /**
   * Parses more bytes. Yields ids in a buffer that is valid until the next ones are requested.
   *
   * @throws {IdsError} With the offset of the byte from the start of the input.
   */
  *read(bytes: Uint8Array): Generator<Uint32Array> {
    const ids = new Uint32Array(BATCH);
    let filled = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x30 && byte <= 0x39) {
        this.#digit(byte - 0x30, i);
        continue;
      }
      const ended = this.#state === "a digit, a comma or ]";
      this.#state = this.#next(byte, i);
      if (!ended) continue;
      ids[filled++] = this.#id;
      if (filled === BATCH) {
        yield ids;
        filled = 0;
      }
    }
    if (filled > 0) yield ids.subarray(0, filled);
    this.#offset += bytes.length;
  }

  /**
   * Ends the input. Call it after the last byte.
   *
   * @throws {IdsError} If the input ends inside an array.
   */
  end(): void {
    if (this.#state !== "an array") {
      throw new IdsError(`ends at byte ${this.#offset} where ${this.#state} should follow`);
    }
  }

  #digit(digit: number, i: number): void {
    switch (this.#state) {
      case "an id or ]":
      case "an id":
        this.#id = digit;
        break;
      case "a digit, a comma or ]":
        this.#id = 10 * this.#id + digit;
        break;
      default:
        this.#fail(i, `"${digit}"`);
    }
    if (this.#id > 0xffff_ffff) {
      throw new IdsError(`no token id is as large as the number at byte ${this.#offset + i}`);
    }
    this.#state = "a digit, a comma or ]";
  }

  #next(byte: number, i: number): State {
    switch (byte) {
      case 0x20: // white space, as JSON has it
      case 0x09:
      case 0x0a:
      case 0x0d:
        return this.#state === "a digit, a comma or ]" ? "a comma or ]" : this.#state;
      case 0x5b: // [
        if (this.#state === "an array") return "an id or ]";
        break;
      case 0x2c: // ,
        if (this.#state === "a digit, a comma or ]" || this.#state === "a comma or ]") {
          return "an id";
        }
        break;
      case 0x5d: // ]
        if (this.#state !== "an array" && this.#state !== "an id") return "an array";
        break;
    }
    // The most likely mistake.
    if (byte === 0x7b && this.#state === "an array") {
      throw new IdsError("holds a JSON object, which takes --jsonl, and not an array of token ids");
    }
    const found = byte > 0x20 && byte < 0x7f
      ? JSON.stringify(String.fromCharCode(byte))
      : `byte 0x${byte.toString(16).padStart(2, "0")}`;
    return this.#fail(i, found);
  }

  #fail(i: number, found: string): never {
    throw new IdsError(
      `not a JSON array of token ids: ${found} at byte ${
        this.#offset + i
      } instead of ${this.#state}`,
    );
  }
}
