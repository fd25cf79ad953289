/**
 * A growing list of bits.
 *
 * @module
 */

/** A list of truth values that takes an eighth of a byte for each. */
export class BitList {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** How many bits were added. */
  get length(): number {
    return this.#length;
  }

  /** Adds a bit. */
  push(bit: boolean): void {
    const at = this.#length >>> 3;
    if (at === this.#bytes.length) {
      const grown = new Uint8Array(2 * at);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (bit) this.#bytes[at]! |= 1 << (this.#length & 7);
    this.#length++;
  }

  /** The bit at an index below the length. */
  at(index: number): boolean {
    return (this.#bytes[index >>> 3]! & 1 << (index & 7)) !== 0;
  }
}
