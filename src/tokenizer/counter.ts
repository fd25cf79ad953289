/**
 * An incremental token counter: the exact count of a text that arrives in parts.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { native } from "../ffi/load.ts";
import { NativeHandle } from "../ffi/native_handle.ts";
import { COUNTER_HOLD, COUNTER_RESET } from "../ffi/symbols.gen.ts";
import { textBuffer } from "../text_buffer.ts";

/**
 * Counts a text that arrives in parts, such as the streamed answer of a model. Made by
 * {@linkcode Tokenizer.counter}.
 *
 * After every part the count is exactly that of the whole text so far, wherever the text was cut: inside a
 * word, a surrogate pair or a special token. The sum of the counts of the parts would differ from it.
 *
 * The library keeps only the end of the text whose tokens can still change, which is nearly always one
 * word. Amortised O(length of the part) for every text, even for a megabyte of spaces pushed one by one.
 *
 * @example
 * ```ts
 * import { Tokenizer } from "./mod.ts";
 *
 * using tokenizer = Tokenizer.forModel("gpt-5");
 * using counter = tokenizer.counter();
 * for (const delta of ["Hel", "lo, wor", "ld!"]) counter.push(delta);
 * console.log(counter.count); // 4
 * ```
 */
export class TokenCounter implements Disposable {
  readonly #native: NativeHandle;
  #count = 0;
  /** A high surrogate at the end of the text, which the next part may complete. */
  #high = "";
  /** `COUNTER_RESET` if the next push begins a new text. */
  #reset = 0;

  /** @ignore Use {@linkcode Tokenizer.counter}. */
  constructor(handle: number) {
    this.#native = new NativeHandle(handle, "This counter", close);
  }

  /** The count after the last push that succeeded; 0 before the first push and after a reset. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds `delta` and returns the number of tokens of everything that was pushed.
   *
   * A high surrogate at the end counts as U+FFFD, as in {@linkcode Tokenizer.count}, until the next push
   * completes it.
   *
   * @throws {SluiceError} `SLUICE_SPECIAL_TOKEN` with `special: "error"`, from the push that completes a
   * special token until a reset. `SLUICE_DISPOSED` once closed.
   */
  push(delta: string): number {
    checkString("delta", delta);
    const text = this.#high === "" ? delta : this.#high + delta;
    const isCut = (text.charCodeAt(text.length - 1) & 0xFC00) === 0xD800;
    const length = textBuffer.write(text);
    const { native, handle } = this.#native;
    const count = native.sluice_counter_push(
      handle,
      textBuffer.bytes,
      length,
      isCut ? this.#reset | COUNTER_HOLD : this.#reset,
    );
    this.#reset = 0;
    this.#high = isCut ? text.slice(-1) : "";
    return this.#count = this.#native.unwrap(count);
  }

  /** Discards everything that was pushed. */
  reset(): void {
    this.#native.checkOpen();
    this.#count = 0;
    this.#high = "";
    // Crosses with the next push.
    this.#reset = COUNTER_RESET;
  }

  /** Frees the native state. Later calls throw `SLUICE_DISPOSED`; closing again has no effect. */
  close(): void {
    this.#native.close();
  }

  /** {@linkcode TokenCounter.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function close(handle: number): number {
  return native().sluice_counter_close(handle);
}
