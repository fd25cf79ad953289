/**
 * The native handle of a tokenizer, and the calls on it that take one text.
 *
 * @module
 */
import {
  checkApart,
  checkBytes,
  checkMemory,
  checkWords,
  readIds,
  type TextInput,
} from "../arguments.ts";
import type { EncodingName } from "./encodings.ts";
import { native, unwrap } from "../ffi/load.ts";
import { NativeHandle } from "../ffi/native_handle.ts";
import { MAX_COUNT_LIMIT, MAX_TOKEN_BYTES, SPECIAL_ERROR } from "../ffi/symbols.gen.ts";
import { textBuffer } from "../text_buffer.ts";
import { isKind } from "../typed_array.ts";
import { wordBuffer } from "./word_buffer.ts";
import type { WordPool } from "./word_pool.ts";

/** A tokenizer of the library. In all calls `mode` is a `SPECIAL_*` constant. */
export class NativeTokenizer extends NativeHandle {
  /** Opens the tokenizer of an encoding. */
  constructor(encoding: EncodingName) {
    super(open(encoding), `This ${encoding} tokenizer`, close);
  }

  /** The number of tokens. */
  count(text: TextInput, mode: number): number {
    if (typeof text === "string") {
      const length = textBuffer.write(text);
      return this.unwrap(
        this.native.sluice_tokenizer_count(this.handle, textBuffer.bytes, length, mode),
      );
    }
    const length = checkBytes("text", text);
    return this.unwrap(this.native.sluice_tokenizer_count(this.handle, text, length, mode));
  }

  /** Whether `text` has at most `limit` tokens. */
  isWithin(text: TextInput, mode: number, limit: number): boolean {
    const bound = Math.min(limit, MAX_COUNT_LIMIT);
    if (typeof text === "string" && mode !== SPECIAL_ERROR) {
      this.checkOpen();
      // Every token takes at least one byte, and at most MAX_TOKEN_BYTES.
      if (3 * text.length <= bound) return true;
      if (text.length > MAX_TOKEN_BYTES * bound) return false;
    }
    const { bytes, length } = crossing(text);
    const { sluice_tokenizer_count_within } = this.native;
    return this.unwrap(sluice_tokenizer_count_within(this.handle, bytes, length, mode, bound)) <=
      bound;
  }

  /** The token ids, in memory shared with other results if a `pool` is given. */
  encode(text: TextInput, mode: number, pool?: WordPool): Uint32Array<ArrayBuffer> {
    const { bytes, length } = crossing(text);
    return wordBuffer.collect(length, (words) =>
      this.unwrap(
        this.native.sluice_tokenizer_encode(
          this.handle,
          bytes,
          length,
          mode,
          words,
          words.length,
        ),
      ), pool);
  }

  /** Writes as many ids as fit into `ids` and returns the number of all ids. */
  encodeInto(text: TextInput, ids: Uint32Array, mode: number): number {
    const room = checkWords("ids", ids);
    const { bytes, length } = crossing(text);
    // The buffer that holds strings is never handed out, so only bytes can overlap.
    if (typeof text !== "string") checkApart("ids", ids, "text", bytes);
    return this.unwrap(
      this.native.sluice_tokenizer_encode(this.handle, bytes, length, mode, ids, room),
    );
  }

  /** The end of each token, in UTF-16 units: see {@linkcode Measure.ends}. */
  ends(text: string, mode: number): Uint32Array<ArrayBuffer> {
    const { bytes, length } = crossing(text);
    return wordBuffer.collect(length, (words) =>
      this.unwrap(
        this.native.sluice_tokenizer_ends(this.handle, bytes, length, mode, words, words.length),
      ));
  }

  /** The bytes of `ids`, as a view that is valid until the next call of any tokenizer. */
  decode(value: Uint32Array | readonly number[]): Uint8Array<ArrayBuffer> {
    const isView = isKind("Uint32Array", value);
    const ids = isView ? value : readIds("ids", value);
    const count = isView ? checkMemory("ids", ids) : ids.length;
    const into = (): number => {
      const { bytes } = textBuffer;
      return this.unwrap(
        this.native.sluice_tokenizer_decode(this.handle, ids, count, bytes, bytes.length),
      );
    };
    let length = into();
    if (length > textBuffer.bytes.length) {
      textBuffer.reserve(length);
      length = into();
    }
    return textBuffer.bytes.subarray(0, length);
  }
}

function open(encoding: EncodingName): number {
  const length = textBuffer.write(encoding);
  return unwrap(native().sluice_tokenizer_open(textBuffer.bytes, length));
}

function close(handle: number): number {
  return native().sluice_tokenizer_close(handle);
}

/** A text as it crosses: a string as UTF-8 in the text buffer, bytes where they are. */
function crossing(text: TextInput): { bytes: Uint8Array; length: number } {
  if (typeof text === "string") {
    const length = textBuffer.write(text);
    return { bytes: textBuffer.bytes, length };
  }
  return { bytes: text, length: checkBytes("text", text) };
}
