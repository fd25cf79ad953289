/**
 * A native tokenizer: what crosses for one text, with everything checked already.
 *
 * @module
 */
import {
  checkApart,
  checkBytes,
  checkMemory,
  checkWords,
  readIds,
  type Text,
} from "../arguments.ts";
import type { EncodingName } from "./encodings.ts";
import { SluiceError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import type { Native } from "../ffi/native.ts";
import { textBuffer } from "../text_buffer.ts";
import { isKind } from "../typed_array.ts";
import { wordBuffer } from "./word_buffer.ts";
import type { WordPool } from "./word_pool.ts";

/** Gives back the native handles of tokenizers that nobody closed. */
const abandoned = new FinalizationRegistry<number>((handle) =>
  native().sluice_tokenizer_close(handle)
);

/** Opens a tokenizer of the library, calls it, and closes it. `mode` is a `SPECIAL_*` constant. */
export class NativeTokenizer {
  readonly native: Native = native();
  readonly #encoding: EncodingName;
  /** 0 once closed, which no live handle is. */
  #handle: number;

  constructor(encoding: EncodingName) {
    this.#encoding = encoding;
    const length = textBuffer.write(encoding);
    this.#handle = unwrap(this.native.sluice_tokenizer_open(textBuffer.bytes, length));
    abandoned.register(this, this.#handle, this);
  }

  /** The handle, for calls that are not here. */
  get handle(): number {
    return this.#handle;
  }

  count(text: Text, mode: number): number {
    if (typeof text === "string") {
      const length = textBuffer.write(text);
      return this.unwrap(
        this.native.sluice_tokenizer_count(this.#handle, textBuffer.bytes, length, mode),
      );
    }
    const length = checkBytes("text", text);
    return this.unwrap(this.native.sluice_tokenizer_count(this.#handle, text, length, mode));
  }

  /** The number of tokens if that is at most `limit`, else `limit + 1`. */
  countWithin(text: Text, mode: number, limit: number): number {
    const { bytes, length } = crossing(text);
    return this.unwrap(
      this.native.sluice_tokenizer_count_within(this.#handle, bytes, length, mode, limit),
    );
  }

  /** The ids; in memory that they share with others if there is a `pool`. */
  encode(text: Text, mode: number, pool?: WordPool): Uint32Array<ArrayBuffer> {
    const { bytes, length } = crossing(text);
    return wordBuffer.collect(length, (words) =>
      this.unwrap(
        this.native.sluice_tokenizer_encode(
          this.#handle,
          bytes,
          length,
          mode,
          words,
          words.length,
        ),
      ), pool);
  }

  /** Writes the ids that fit into `ids` and returns how many there are. */
  encodeInto(text: Text, ids: Uint32Array, mode: number): number {
    const room = checkWords("ids", ids);
    const { bytes, length } = crossing(text);
    // Nobody has the buffer that strings are in.
    if (typeof text !== "string") checkApart("ids", ids, "text", bytes);
    return this.unwrap(
      this.native.sluice_tokenizer_encode(this.#handle, bytes, length, mode, ids, room),
    );
  }

  /** Where each token ends, in UTF-16 units; see `Measure.ends`. */
  ends(text: string, mode: number): Uint32Array<ArrayBuffer> {
    const { bytes, length } = crossing(text);
    return wordBuffer.collect(length, (words) =>
      this.unwrap(
        this.native.sluice_tokenizer_ends(this.#handle, bytes, length, mode, words, words.length),
      ));
  }

  /** The bytes of `ids`, as a view that is good until the next call of anything. */
  decode(value: Uint32Array | readonly number[]): Uint8Array<ArrayBuffer> {
    const isView = isKind("Uint32Array", value);
    const ids = isView ? value : readIds("ids", value);
    const count = isView ? checkMemory("ids", ids) : ids.length;
    const into = (): number => {
      const { bytes } = textBuffer;
      return this.unwrap(
        this.native.sluice_tokenizer_decode(this.#handle, ids, count, bytes, bytes.length),
      );
    };
    let length = into();
    if (length > textBuffer.bytes.length) {
      textBuffer.reserve(length);
      length = into();
    }
    return textBuffer.bytes.subarray(0, length);
  }

  close(): void {
    if (this.#handle === 0) return;
    abandoned.unregister(this);
    this.native.sluice_tokenizer_close(this.#handle);
    this.#handle = 0;
  }

  /**
   * Passes on a result, or throws what it stands for. Only results are looked at: the handle of a
   * closed tokenizer fails natively, at no cost to open ones.
   */
  unwrap(result: number): number {
    if (result >= 0) return result;
    this.checkOpen();
    return unwrap(result);
  }

  checkOpen(): void {
    if (this.#handle === 0) {
      throw new SluiceError("SLUICE_DISPOSED", `This ${this.#encoding} tokenizer is closed`);
    }
  }
}

/** A text as it crosses: a string in the text buffer, bytes where they are. */
function crossing(text: Text): { bytes: Uint8Array; length: number } {
  if (typeof text === "string") {
    const length = textBuffer.write(text);
    return { bytes: textBuffer.bytes, length };
  }
  return { bytes: text, length: checkBytes("text", text) };
}
