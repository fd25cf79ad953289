/**
 * A set of identifiers with the line of each: an open-addressing hash table (linear probing) over a byte arena.
 *
 * A `Map` of a million strings takes some 100 MB. This takes the bytes of the identifiers and some 20 bytes for each.
 *
 * @module
 */

/** The most bytes of identifiers that are kept. */
const MAX_BYTES = 2 ** 30;

const encoder = new TextEncoder();

/** A set of identifiers that tells which line had one first. */
export class IdSet {
  #bytes = new Uint8Array(1 << 12);
  #used = 0;
  /** Where each identifier ends in the arena, and the line that had it. */
  #ends = new Uint32Array(1 << 8);
  #lines = new Float64Array(1 << 8);
  #size = 0;
  /** For each slot the number of an identifier, counted from 1, or 0. The length is a power of two. */
  #slots = new Uint32Array(1 << 9);

  /** The number of identifiers. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds an identifier and returns undefined, or returns the line that had it first. Expected O(length).
   *
   * @throws {RangeError} If the identifiers take more than 1 GiB.
   */
  add(id: string, line: number): number | undefined {
    this.#reserve(3 * id.length);
    const start = this.#used;
    const { written } = encoder.encodeInto(id, this.#bytes.subarray(start));
    const end = start + written;
    let slot = this.#slotOf(hash(this.#bytes, start, end));
    for (let found: number; (found = this.#slots[slot]!) !== 0;) {
      if (this.#equals(found - 1, start, end)) return this.#lines[found - 1];
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    this.#append(end, line);
    this.#slots[slot] = this.#size;
    if (2 * this.#size > this.#slots.length) this.#rehash();
    return undefined;
  }

  #slotOf(hashed: number): number {
    return hashed & (this.#slots.length - 1);
  }

  #startOf(entry: number): number {
    return entry === 0 ? 0 : this.#ends[entry - 1]!;
  }

  #equals(entry: number, start: number, end: number): boolean {
    const from = this.#startOf(entry);
    if (this.#ends[entry]! - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) {
      if (this.#bytes[from + i] !== this.#bytes[start + i]) return false;
    }
    return true;
  }

  #append(end: number, line: number): void {
    if (this.#size === this.#ends.length) {
      this.#ends = grown(this.#ends, new Uint32Array(2 * this.#size));
      this.#lines = grown(this.#lines, new Float64Array(2 * this.#size));
    }
    this.#ends[this.#size] = end;
    this.#lines[this.#size] = line;
    this.#size++;
    this.#used = end;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let entry = 0; entry < this.#size; entry++) {
      let slot = this.#slotOf(hash(this.#bytes, this.#startOf(entry), this.#ends[entry]!));
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = entry + 1;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_BYTES) {
      throw new RangeError(`the identifiers take more than ${MAX_BYTES >> 20} MiB`);
    }
    this.#bytes = grown(this.#bytes, new Uint8Array(Math.max(needed, 2 * this.#bytes.length)));
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** FNV-1a with the finalizer of MurmurHash3, which spreads short differences over all bits. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
