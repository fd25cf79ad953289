/**
 * Where a text stands as UTF-8 while the native side reads it: one buffer per isolate, reused.
 *
 * `encodeInto` a reused buffer is the cheapest way over in both runtimes; a fresh `encode()` allocates,
 * which costs more than to transcode a short text. What is left: the crossing table in `bench/record`.
 *
 * @module
 */

/** Up to this many bytes are kept between calls; the buffer of a larger text is let go. */
const KEPT_BYTES = 1 << 20;

const encoder = new TextEncoder();

/** A growing buffer of UTF-8. Not reentrant: a text is good until the next one is written. */
export class TextBuffer {
  /** The memory; only the length that `write` returned is meaningful. */
  bytes: Uint8Array<ArrayBuffer> = allocate(KEPT_BYTES);

  /**
   * Writes `text` at `offset` and returns its length in bytes. Lone surrogates become U+FFFD, as
   * tiktoken has it. What stands before `offset` is kept. O(length).
   */
  write(text: string, offset = 0): number {
    if (offset === 0 && this.bytes.length > KEPT_BYTES && 3 * text.length <= KEPT_BYTES) {
      this.bytes = allocate(KEPT_BYTES);
    }
    // A UTF-16 code unit is at most three bytes of UTF-8.
    if (offset + 3 * text.length <= this.bytes.length) {
      const target = offset === 0 ? this.bytes : this.bytes.subarray(offset);
      return encoder.encodeInto(text, target).written;
    }
    return this.#writeLarge(text, offset);
  }

  /** Makes room for `bytes` and keeps the first `used`; what is kept is copied only so often. */
  reserve(bytes: number, used = 0): void {
    if (bytes <= this.bytes.length) return;
    const grown = allocate(used === 0 ? bytes : Math.max(bytes, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, used));
    this.bytes = grown;
  }

  /** Guesses ASCII first: three bytes a unit would ask for three times the memory. */
  #writeLarge(text: string, offset: number): number {
    this.reserve(offset + text.length, offset);
    let { read, written } = encoder.encodeInto(text, this.bytes.subarray(offset));
    while (read < text.length) {
      const end = offset + written;
      this.reserve(end + 3 * (text.length - read), end);
      const more = encoder.encodeInto(text.slice(read), this.bytes.subarray(end));
      read += more.read;
      written += more.written;
    }
    return written;
  }
}

/**
 * Typed arrays over an explicit `ArrayBuffer` never move. Bun moves small ones that have none,
 * which is harmless as long as a view is passed on each call, and not worth relying on.
 */
function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

/** The text buffer of this isolate. */
export const textBuffer: TextBuffer = new TextBuffer();
