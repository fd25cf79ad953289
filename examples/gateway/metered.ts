/**
 * An answer on its way to the client, and what it has cost once it is over.
 *
 * @module
 */
import { ReadableStream } from "node:stream/web";
import { createParser } from "eventsource-parser";
import { type Reservation, SluiceError, type TokenCounter, Tokenizer } from "../../mod.ts";

/** A whole answer, or a part of one that streams. */
interface Completion {
  readonly usage?: { readonly total_tokens: number } | null;
  readonly choices?: readonly {
    readonly index: number;
    readonly delta?: { readonly content?: string | null };
  }[];
}

/**
 * The body of `answer`, as it comes. When it ends, however it does, `call` is settled: with the usage
 * that the upstream told, or with what went through if it did not come to that.
 */
export function metered(
  answer: Response,
  call: Reservation,
  model: string,
  promptTokens: number,
): BodyInit | null {
  if (!answer.ok || answer.body === null) {
    // Refused: it costs nothing.
    call.cancel();
    return answer.body;
  }
  const meter = new Meter(model, promptTokens);
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const body = answer.body;
  async function* pass() {
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent: ({ data }) => meter.read(data) });
    let whole = "";
    try {
      for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
        const text = decoder.decode(part, { stream: true });
        isStream ? parser.feed(text) : whole += text;
        yield part;
      }
      if (!isStream) meter.read(whole);
    } finally {
      settle(call, meter.tokens);
    }
  }
  // Bun's types do not have `from` yet, those of Node.js do.
  return ReadableStream.from(pass()) as unknown as BodyInit;
}

function settle(call: Reservation, tokens: number): void {
  try {
    call.settle({ tokens });
  } catch (error) {
    // It took longer than a reservation lives, and was charged in full then.
    if (!(error instanceof SluiceError && error.code === "SLUICE_RESERVATION_CLOSED")) throw error;
  }
}

class Meter {
  #total: number | undefined;
  readonly #promptTokens: number;
  readonly #tokenizer: Tokenizer;
  /** The tokens of each choice so far. */
  readonly #counters = new Map<number, TokenCounter>();

  constructor(model: string, promptTokens: number) {
    this.#tokenizer = Tokenizer.forModel(model);
    this.#promptTokens = promptTokens;
  }

  read(data: string): void {
    if (data === "[DONE]") return;
    const { usage, choices = [] } = JSON.parse(data) as Completion;
    if (usage) this.#total = usage.total_tokens;
    for (const { index, delta } of choices) {
      if (!delta?.content) continue;
      let counter = this.#counters.get(index);
      if (counter === undefined) this.#counters.set(index, counter = this.#tokenizer.counter());
      counter.push(delta.content);
    }
  }

  get tokens(): number {
    if (this.#total !== undefined) return this.#total;
    const counts = [...this.#counters.values()].map(({ count }) => count);
    return counts.reduce((sum, count) => sum + count, this.#promptTokens);
  }
}
