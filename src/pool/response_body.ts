/**
 * A response body with lookahead: it can be peeked into before it is read.
 *
 * @module
 */
import { checkCount } from "./settings.ts";
import { checkString } from "../arguments.ts";
import type { RequestHold } from "./request_hold.ts";

/** The default of `maxBytes`. */
const PEEK_BYTES = 16_384;

/**
 * Peeks into the body of a response without consuming it. Resolves with the text so far as soon as the body has
 * ended, `maxBytes` have arrived, or the text contains `until`.
 *
 * A peek that is pending when `classify` returns resolves with the text so far.
 *
 * @param maxBytes How far to look. Default: 16,384. The last chunk may exceed it.
 * @param until A text to stop at, for streams: `"\n\n"` is the end of the first event.
 */
export type PeekBody = (maxBytes?: number, until?: string) => Promise<string>;

/** A body that is read chunk by chunk, on demand. */
export class ResponseBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #hold: RequestHold;
  /** Chunks that were peeked at and not yet read. */
  readonly #ahead: Uint8Array[] = [];
  #isAtEnd = false;
  /** The pending read. Peeks and reads share it, so that chunks stay in order. */
  #arriving: Promise<boolean> | undefined;
  #isHandedOn = false;

  /** Locks the stream. */
  constructor(body: ReadableStream<Uint8Array>, hold: RequestHold) {
    this.#reader = body.getReader();
    this.#hold = hold;
  }

  /** The next chunk; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#ahead.length === 0) if (!await this.#arrive()) return undefined;
    return this.#ahead.shift();
  }

  /** From now on the caller reads. A pending peek ends with the text so far. */
  handOn(): void {
    this.#isHandedOn = true;
    // The lease is not renewed for it any more.
    if (this.#arriving !== undefined) this.#hold.heardUpstream();
  }

  /** See {@linkcode PeekBody}. */
  async peek(maxBytes: number = PEEK_BYTES, until?: string): Promise<string> {
    checkCount("maxBytes", maxBytes);
    if (until !== undefined) checkString("until", until);
    const decoder = new TextDecoder();
    let bytes = 0;
    let text = "";
    const isShort = () =>
      !this.#isHandedOn && bytes < maxBytes && !(until !== undefined && text.includes(until));
    for (let i = 0; isShort(); i++) {
      if (i === this.#ahead.length) {
        this.#hold.awaitsUpstream(true);
        const hasCome = await this.#arriveForPeek();
        if (this.#isHandedOn) return text;
        this.#hold.heardUpstream();
        if (!hasCome) return text + decoder.decode();
      }
      const part = this.#ahead[i]!;
      bytes += part.length;
      text += decoder.decode(part, { stream: true });
    }
    return text;
  }

  /** Cancels the body. */
  cancel(reason: unknown): Promise<void> {
    this.#ahead.length = 0;
    return this.#reader.cancel(reason);
  }

  /** Adds the next chunk to those ahead. False at the end. */
  #arrive(): Promise<boolean> {
    return this.#arriving ??= this.#next().finally(() => this.#arriving = undefined);
  }

  /** As `arrive`, but after the hand-over only the caller gets a failure of the body. */
  async #arriveForPeek(): Promise<boolean> {
    try {
      return await this.#arrive();
    } catch (error) {
      if (this.#isHandedOn) return false;
      throw error;
    }
  }

  async #next(): Promise<boolean> {
    if (this.#isAtEnd) return false;
    try {
      const { done, value } = await this.#reader.read();
      this.#isAtEnd = done;
      if (!done) this.#ahead.push(value);
      return !done;
    } catch (error) {
      this.#hold.fail(error);
      throw error;
    }
  }
}
