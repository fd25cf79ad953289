/**
 * Where a text stands as UTF-8 while the native side reads it: one buffer per isolate, reused.
 *
 * `encodeInto` a reused buffer is the cheapest way over in both runtimes; a fresh `encode()` allocates,
 * which costs more than to transcode a short text. But in Deno to call it takes longer than to write the
 * shortest strings here; and V8 makes UTF-8 of what is not ASCII unit by unit: of longer strings the native
 * side makes it, from a copy that V8 gives out faster. All of this is measured: `bench/record`, crossing,
 * and clock and units.
 *
 * @module
 */
import { library, unwrap } from "./ffi/load.ts";
import { writeShort } from "./short_string.ts";
import { WeakMemory } from "./weak_memory.ts";

/** Up to this many bytes are kept between calls; the buffer of a larger text is held weakly. */
const KEPT_BYTES = 3 << 19;

/** From so many units on, strings of UTF-16 and of Latin-1 pay for their copy. */
const LONG_UTF16 = 5_000;
const LONG_LATIN1 = 10_000;

/** Units that are copied at once; with twice as many, a copy at times costs three times as much. */
const COPIED_UNITS = 1 << 17;

/** V8 knows at once that nothing in a string of Latin-1 matches. */
const BEYOND_LATIN1 = /[^\0-\xff]/;

const encoder = new TextEncoder();

/**
 * Whether the library makes UTF-8 by vectors on this processor; where it does not, V8 is about as fast.
 * Asked when it is first of use: to look functions up takes Deno half a millisecond.
 */
let isVectorised: boolean | undefined;

type UnitsOf = NonNullable<ReturnType<typeof library>["unitsOf"]>;

/** A growing buffer of UTF-8. Not reentrant: a text is good until the next one is written. */
export class TextBuffer {
  /** The memory; only the length that `write` returned is meaningful. */
  bytes: Uint8Array<ArrayBuffer> = allocate(KEPT_BYTES);
  readonly #kept = this.bytes;
  /** Memory of a larger text, for the next one: what is in use costs no page faults. */
  readonly #larger = new WeakMemory(allocate);
  /** The same memory in words, for what stands before texts. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(this.bytes.buffer);

  /**
   * Writes `text` at `offset` and returns its length in bytes. Lone surrogates become U+FFFD, as
   * tiktoken has it. What stands before `offset` is kept. O(length).
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

  /** Makes room for `bytes` and keeps the first `used`; what is kept is copied only so often. */
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

  /** Whether V8 makes the UTF-8 of a long text unit by unit. Writes over what is behind `offset`. */
  #isSlow(text: string, offset: number): boolean {
    if (BEYOND_LATIN1.test(text)) return true;
    if (text.length < LONG_LATIN1) return false;
    const start = text.slice(0, 512);
    this.reserve(offset + 3 * start.length, offset);
    return encoder.encodeInto(start, this.#from(offset)).written > start.length;
  }

  /** By a copy of the units, some at a time. */
  #writeUnits(text: string, offset: number, unitsOf: UnitsOf): number {
    // What is nearly ASCII fits at once, and nothing needs more than a second buffer.
    const slack = (text.length >> 3) + 2 * Math.min(text.length, COPIED_UNITS);
    this.reserve(offset + text.length + slack, offset);
    let end = offset;
    for (let at = 0, to = 0; at < text.length; at = to) {
      to = Math.min(at + COPIED_UNITS, text.length);
      // No pair is cut in two.
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

  /** Without `subarray` where it can be: that costs as much as a short text. */
  #from(offset: number): Uint8Array<ArrayBuffer> {
    return offset === 0 ? this.bytes : this.bytes.subarray(offset);
  }

  /** Guesses what is nearly ASCII first: three bytes a unit would ask for three times the memory. */
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
 * Typed arrays over an explicit `ArrayBuffer` never move. Bun moves small ones that have none,
 * which is harmless as long as a view is passed on each call, and not worth relying on. Whole words.
 */
function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(4 * Math.ceil(bytes / 4)));
}

/** The text buffer of this isolate. */
export const textBuffer: TextBuffer = new TextBuffer();
