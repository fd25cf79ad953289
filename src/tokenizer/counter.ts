/**
 * The running count of a text that arrives in parts.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { SluiceError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import { COUNTER_HOLD, COUNTER_RESET } from "../ffi/symbols.gen.ts";
import { textBuffer } from "../text_buffer.ts";

/** Gives back the native handles of counters that nobody closed. */
const abandoned = new FinalizationRegistry<number>((handle) =>
  native().sluice_counter_close(handle)
);

/**
 * Counts a text that arrives in parts, such as a model's answer while it streams. Made by
 * {@linkcode Tokenizer.counter}.
 *
 * After every part the count is exactly that of the whole text so far, wherever it was cut: inside
 * a word, a surrogate pair or a special token. Counts of the parts would not add up to it.
 *
 * The native side keeps the end of the text, as far as what follows can still change its tokens;
 * nearly always that is a word. Amortised O(length of the part) for every text, also for a
 * megabyte of spaces pushed one by one.
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
  readonly #native = native();
  /** 0 once closed. */
  #handle: number;
  #count = 0;
  /** A high surrogate at the end, which the next part may complete. */
  #high = "";
  #reset = 0;

  /** @ignore Use {@linkcode Tokenizer.counter}. */
  constructor(handle: number) {
    this.#handle = handle;
    abandoned.register(this, handle, this);
  }

  /** The count after the last push that succeeded; 0 before the first and after a reset. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds `delta` and returns the number of tokens of all that was pushed.
   *
   * A high surrogate at its end counts as U+FFFD, as in {@linkcode Tokenizer.count}, until the next
   * push completes it.
   *
   * @throws {SluiceError} `SLUICE_SPECIAL_TOKEN` with `special: "error"`, from the push on that
   * completes a special token until a reset; `SLUICE_DISPOSED` once closed.
   */
  push(delta: string): number {
    checkString("delta", delta);
    const text = this.#high === "" ? delta : this.#high + delta;
    const isCut = (text.charCodeAt(text.length - 1) & 0xFC00) === 0xD800;
    const length = textBuffer.write(text);
    const count = this.#native.sluice_counter_push(
      this.#handle,
      textBuffer.bytes,
      length,
      isCut ? this.#reset | COUNTER_HOLD : this.#reset,
    );
    this.#reset = 0;
    this.#high = isCut ? text.slice(-1) : "";
    if (count < 0) {
      this.#checkOpen();
      return unwrap(count);
    }
    return this.#count = count;
  }

  /** Begins anew, as if nothing had been pushed. */
  reset(): void {
    this.#checkOpen();
    this.#count = 0;
    this.#high = "";
    // Goes over with the next push.
    this.#reset = COUNTER_RESET;
  }

  /** Gives the native state back. Later use throws `SLUICE_DISPOSED`; closing again is fine. */
  close(): void {
    if (this.#handle === 0) return;
    abandoned.unregister(this);
    this.#native.sluice_counter_close(this.#handle);
    this.#handle = 0;
  }

  /** {@linkcode TokenCounter.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#handle === 0) throw new SluiceError("SLUICE_DISPOSED", "This counter is closed");
  }
}
