/**
 * A reused buffer per isolate that holds texts as UTF-8 while the native side reads them.
 *
 * `encodeInto` a reused buffer is the fastest way across in Bun and Deno. `encode()` allocates, which takes
 * longer than transcoding a short text. There are two exceptions in Deno. For the shortest strings the call
 * itself takes longer than encoding them in JavaScript. And V8 transcodes strings outside of ASCII unit by unit,
 * so long ones are copied as UTF-16 or Latin-1, which is faster, and transcoded natively. (Records:
 * `bench/record`, crossing, and clock and units.)
 *
 * @module
 */
import { library, unwrap } from "./ffi/load.ts";
import { own } from "./ffi/own_memory.ts";
import { writeShort } from "./short_string.ts";
import { WeakMemory } from "./weak_memory.ts";

/** The size of the buffer that is kept between calls. The buffer of a larger text is held weakly. */
const KEPT_BYTES = 3 << 19;

/** From these lengths on, in units, copying a UTF-16 or Latin-1 string pays. */
const LONG_UTF16 = 5_000;
const LONG_LATIN1 = 10_000;

/** Units that are copied at once. With twice as many, a copy sometimes takes three times as long. */
const COPIED_UNITS = 1 << 17;

/** V8 knows without a search that a Latin-1 string has no match. */
const BEYOND_LATIN1 = /[^\0-\xff]/;

const encoder = new TextEncoder();

/**
 * Whether the library transcodes with SIMD on this processor. If not, V8 is about as fast. Determined on first
 * use, because looking up functions takes Deno half a millisecond.
 */
let isVectorised: boolean | undefined;

type UnitsOf = NonNullable<ReturnType<typeof library>["unitsOf"]>;

/** A growing buffer of UTF-8. A text is valid until the next one is written. */
export class TextBuffer {
  /** The memory. Only the bytes that `write` returned are meaningful. */
  bytes: Uint8Array<ArrayBuffer> = allocate(KEPT_BYTES);
  readonly #kept = this.bytes;
  /** The memory of a larger text, reused for the next one, because fresh memory costs page faults. */
  readonly #larger = new WeakMemory(allocate);
  /** The same memory as words, for headers before texts. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(this.bytes.buffer);

  /**
   * Writes `text` at `offset` and returns its length in bytes. Lone surrogates become U+FFFD, as in tiktoken.
   * Bytes before `offset` are kept. O(length).
   */
  write(text: string, offset = 0): number {
    if (offset === 0 && this.bytes.length > KEPT_BYTES && 3 * text.length <= KEPT_BYTES) {
      this.#use(this.#kept);
    }
    if (text.length >= LONG_UTF16) return this.#writeLong(text, offset);
    // A UTF-16 code unit is at most three bytes of UTF-8.
    if (offset + 3 * text.length > this.bytes.length) return this.#writeLarge(text, offset);
    const { shortUnits, writeAt } = library();
    if (text.length <= shortUnits) return writeShort(text, this.bytes, offset);
    if (offset > 0 && writeAt !== undefined) return writeAt(this.bytes, text, offset);
    return encoder.encodeInto(text, this.#from(offset)).written;
  }

  /** Makes room for `bytes` and keeps the first `used`. Growth is geometric, so copies are amortised. */
  reserve(bytes: number, used = 0): void {
    if (bytes <= this.bytes.length) return;
    const room = used === 0 ? bytes : Math.max(bytes, 2 * this.bytes.length);
    const grown = this.#larger.atLeast(room);
    grown.set(this.bytes.subarray(0, used));
    this.#use(grown);
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer);
  }

  #writeLong(text: string, offset: number): number {
    const { unitsOf } = library();
    if (unitsOf !== undefined && isVectorised !== false && this.#isSlow(text, offset)) {
      return this.#writeUnits(text, offset, unitsOf);
    }
    if (offset + 3 * text.length > this.bytes.length) return this.#writeLarge(text, offset);
    return encoder.encodeInto(text, this.#from(offset)).written;
  }

  /** Whether V8 transcodes a long text unit by unit. Overwrites bytes after `offset`. */
  #isSlow(text: string, offset: number): boolean {
    if (BEYOND_LATIN1.test(text)) return true;
    if (text.length < LONG_LATIN1) return false;
    const start = text.slice(0, 512);
    this.reserve(offset + 3 * start.length, offset);
    return encoder.encodeInto(start, this.#from(offset)).written > start.length;
  }

  /** Writes a copy of the units, transcoded natively, a part at a time. */
  #writeUnits(text: string, offset: number, unitsOf: UnitsOf): number {
    // Room for a text that is nearly ASCII. No text needs more than a second buffer.
    const slack = (text.length >> 3) + 2 * Math.min(text.length, COPIED_UNITS);
    this.reserve(offset + text.length + slack, offset);
    let end = offset;
    for (let at = 0, to = 0; at < text.length; at = to) {
      to = Math.min(at + COPIED_UNITS, text.length);
      // Cuts no surrogate pair.
      if (to < text.length && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--;
      const part = text.slice(at, to);
      if (end + 3 * part.length > this.bytes.length) {
        this.reserve(end + 3 * (text.length - at), end);
      }
      const target = this.#from(end);
      const units = unitsOf(part);
      if (units === undefined || !(isVectorised ??= hasVectors())) {
        end += encoder.encodeInto(part, target).written;
        continue;
      }
      const { sluice_text_from_latin1, sluice_text_from_utf16 } = library().native;
      const write = units.size === 1 ? sluice_text_from_latin1 : sluice_text_from_utf16;
      end += unwrap(write(units.bytes, units.bytes.length, target, target.length));
    }
    return end - offset;
  }

  /** The buffer from `offset` on. Avoids `subarray`, which takes as long as a short text. */
  #from(offset: number): Uint8Array<ArrayBuffer> {
    return offset === 0 ? this.bytes : this.bytes.subarray(offset);
  }

  /** Tries room for a text that is nearly ASCII first: three bytes per unit would take three times the memory. */
  #writeLarge(text: string, offset: number): number {
    this.reserve(offset + text.length + (text.length >> 3), offset);
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

function hasVectors(): boolean {
  const names = allocate(256);
  const { sluice_library_cpu_features } = library().native;
  const length = unwrap(sluice_library_cpu_features(names, names.length));
  return new TextDecoder().decode(names.subarray(0, length)).split(" ").includes("avx512vbmi2");
}

/**
 * Memory in whole words. Typed arrays over an explicit `ArrayBuffer` never move. Bun moves small ones without
 * one, which is harmless while a view is passed on each call, but not worth relying on.
 */
function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return own(new Uint8Array(new ArrayBuffer(4 * Math.ceil(bytes / 4))));
}

/** The text buffer of this isolate. */
export const textBuffer: TextBuffer = new TextBuffer();
