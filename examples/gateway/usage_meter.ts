/**
 * Reads the token usage of an answer while its bytes pass by.
 *
 * It never throws, whatever an upstream sends: it skips everything unknown. Its memory is bounded.
 *
 * @module
 */
import { createParser, type EventSourceParser } from "eventsource-parser";
import type { TokenCounter, Tokenizer } from "../../mod.ts";

/** The longest answer, or event of a stream, that is read, in characters. */
const MOST_CHARACTERS = 4_194_304;
/** The largest usage that can be a token count of a model. */
const MOST_TOKENS = 1_000_000_000;
/** The number of choices of one stream that are counted. OpenAI allows 128. */
const MOST_CHOICES = 128;

/** Reads the usage from the bytes of an answer, and counts the generated tokens if there is none. */
export class UsageMeter {
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser | undefined;
  readonly #promptTokens: number;
  readonly #tokenizer: Tokenizer;
  /** The tokens of each choice so far. */
  readonly #counters = new Map<number, TokenCounter>();
  #whole = "";
  #isTooLong = false;
  #total: number | undefined;

  constructor(tokenizer: Tokenizer, promptTokens: number, isStream: boolean) {
    this.#tokenizer = tokenizer;
    this.#promptTokens = promptTokens;
    if (!isStream) return;
    this.#parser = createParser({
      maxBufferSize: MOST_CHARACTERS,
      onEvent: ({ data }) => this.#note(data),
    });
  }

  /** Reads the next part of the answer. Never throws. */
  read(part: Uint8Array): void {
    if (this.#isTooLong) return;
    try {
      const text = this.#decoder.decode(part, { stream: true });
      if (this.#parser !== undefined) return this.#parser.feed(text);
      this.#isTooLong = this.#whole.length + text.length > MOST_CHARACTERS;
      this.#whole = this.#isTooLong ? "" : this.#whole + text;
    } catch {
      // An event of more than MOST_CHARACTERS: the count so far remains.
      this.#isTooLong = true;
    }
  }

  /** Ends the answer. Never throws. */
  finish(): void {
    if (this.#parser === undefined) this.#note(this.#whole);
  }

  /** The usage that the upstream reported, or else the prompt and the tokens that passed. */
  get tokens(): number {
    if (this.#total !== undefined) return this.#total;
    const counts = [...this.#counters.values()].map(({ count }) => count);
    return counts.reduce((sum, count) => sum + count, this.#promptTokens);
  }

  /** Closes its counters. */
  close(): void {
    for (const counter of this.#counters.values()) counter.close();
  }

  #note(data: string): void {
    const body = parsed(data);
    if (!isObject(body)) return;
    if (isObject(body["usage"])) {
      this.#total = tokenCount(body["usage"]["total_tokens"]) ?? this.#total;
    }
    const choices = body["choices"];
    if (!Array.isArray(choices)) return;
    for (const choice of choices) {
      if (!isObject(choice)) continue;
      const said = isObject(choice["delta"]) ? choice["delta"]["content"] : undefined;
      if (typeof said === "string") this.#counter(choice["index"])?.push(said);
    }
  }

  #counter(index: unknown): TokenCounter | undefined {
    const key = typeof index === "number" ? index : 0;
    let counter = this.#counters.get(key);
    if (counter === undefined && this.#counters.size < MOST_CHOICES) {
      this.#counters.set(key, counter = this.#tokenizer.counter());
    }
    return counter;
  }
}

/** Whether a chunk of a stream is the one that only reports the usage. */
export function isUsageChunk(data: string): boolean {
  const body = parsed(data);
  if (!isObject(body) || !isObject(body["usage"])) return false;
  return Array.isArray(body["choices"]) && body["choices"].length === 0;
}

function tokenCount(value: unknown): number | undefined {
  const isCount = Number.isSafeInteger(value) && value as number >= 0 &&
    value as number <= MOST_TOKENS;
  return isCount ? value as number : undefined;
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    // `[DONE]`, a ping or HTML contain no usage.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
