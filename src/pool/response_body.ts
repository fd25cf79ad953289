/**
 * The body of a response, which can be looked into before it is read.
 *
 * @module
 */
import { checkCount } from "./settings.ts";
import { checkString } from "../arguments.ts";
import type { RequestHold } from "./request_hold.ts";

/** How far {@linkcode Peek} looks. */
const PEEK_BYTES = 16_384;

/**
 * Looks into the body of a response, which stays whole for whoever reads it. Resolves with what there
 * is, as text, as soon as the body has ended, `maxBytes` have come, or `until` is among them.
 *
 * @param maxBytes How far to look. Default: 16,384; what came with the last part may be more.
 * @param until What to wait for at most, for streams: `"\n\n"` is the end of the first event.
 */
export type Peek = (maxBytes?: number, until?: string) => Promise<string>;

/** A body, read part by part and no further than is asked. */
export class ResponseBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #hold: RequestHold;
  /** What was looked at and not yet read. */
  readonly #ahead: Uint8Array[] = [];
  #isAtEnd = false;

  /** Takes the stream, which nobody else may read then. */
  constructor(body: ReadableStream<Uint8Array>, hold: RequestHold) {
    this.#reader = body.getReader();
    this.#hold = hold;
  }

  /** The next part; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    return this.#ahead.shift() ?? await this.#next();
  }

  /** See {@linkcode Peek}. */
  async peek(maxBytes: number = PEEK_BYTES, until?: string): Promise<string> {
    checkCount("maxBytes", maxBytes);
    if (until !== undefined) checkString("until", until);
    const decoder = new TextDecoder();
    let bytes = 0;
    let text = "";
    for (let i = 0; bytes < maxBytes && !(until !== undefined && text.includes(until)); i++) {
      if (i === this.#ahead.length) {
        this.#hold.awaitsUpstream(true);
        const part = await this.#next();
        this.#hold.heardUpstream();
        if (part === undefined) return text + decoder.decode();
        this.#ahead.push(part);
      }
      const part = this.#ahead[i]!;
      bytes += part.length;
      text += decoder.decode(part, { stream: true });
    }
    return text;
  }

  /** Reads no more. */
  cancel(reason: unknown): Promise<void> {
    this.#ahead.length = 0;
    return this.#reader.cancel(reason);
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#isAtEnd) return undefined;
    try {
      const { done, value } = await this.#reader.read();
      this.#isAtEnd = done;
      return value;
    } catch (error) {
      this.#hold.fail(error);
      throw error;
    }
  }
}
