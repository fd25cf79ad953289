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
 * A look that is still under way when `classify` has returned ends with what it has seen.
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
  /** The read that is under way: looks and reads share it, so that parts stay in order. */
  #arriving: Promise<boolean> | undefined;
  #isHandedOn = false;

  /** Takes the stream, which nobody else may read then. */
  constructor(body: ReadableStream<Uint8Array>, hold: RequestHold) {
    this.#reader = body.getReader();
    this.#hold = hold;
  }

  /** The next part; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#ahead.length === 0) if (!await this.#arrive()) return undefined;
    return this.#ahead.shift();
  }

  /** From now on the caller reads. A look that nobody waited for ends with what it has seen. */
  handOn(): void {
    this.#isHandedOn = true;
    // It waits no more, and a lease is not renewed for it.
    if (this.#arriving !== undefined) this.#hold.heardUpstream();
  }

  /** See {@linkcode Peek}. */
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
        const hasCome = await this.#arrivesForLook();
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

  /** Reads no more. */
  cancel(reason: unknown): Promise<void> {
    this.#ahead.length = 0;
    return this.#reader.cancel(reason);
  }

  /** The next part comes to the others; false at the end. */
  #arrive(): Promise<boolean> {
    return this.#arriving ??= this.#next().finally(() => this.#arriving = undefined);
  }

  /** A failure of what is the caller's by now is told to the caller alone. */
  async #arrivesForLook(): Promise<boolean> {
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
