/**
 * An answer on its way to the client, and what it has cost once it is over.
 *
 * @module
 */
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
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const meter = new Meter(model, promptTokens, isStream);
  const reader = answer.body.getReader();
  // Not a generator: one that was never asked for anything does not hear that the client left.
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          meter.read(value);
          controller.enqueue(value);
          return;
        }
        meter.finish();
      } catch (error) {
        settle(call, meter);
        // What cannot be read is not read on, or its lease would stay.
        await reader.cancel(error).catch(() => {});
        throw error;
      }
      settle(call, meter);
      controller.close();
    },
    async cancel(reason) {
      settle(call, meter);
      await reader.cancel(reason);
    },
  });
}

function settle(call: Reservation, meter: Meter): void {
  try {
    call.settle({ tokens: meter.tokens });
  } catch (error) {
    // It took longer than a reservation lives, and was charged in full then.
    if (!(error instanceof SluiceError && error.code === "SLUICE_RESERVATION_CLOSED")) throw error;
  } finally {
    meter.close();
  }
}

/** Reads an answer as it goes by. */
class Meter {
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({ onEvent: ({ data }) => this.#note(data) });
  readonly #isStream: boolean;
  readonly #promptTokens: number;
  readonly #tokenizer: Tokenizer;
  /** The tokens of each choice so far. */
  readonly #counters = new Map<number, TokenCounter>();
  #whole = "";
  #total: number | undefined;

  constructor(model: string, promptTokens: number, isStream: boolean) {
    this.#isStream = isStream;
    this.#promptTokens = promptTokens;
    this.#tokenizer = Tokenizer.forModel(model, { estimate: true });
  }

  read(part: Uint8Array): void {
    const text = this.#decoder.decode(part, { stream: true });
    if (this.#isStream) this.#parser.feed(text);
    else this.#whole += text;
  }

  finish(): void {
    if (!this.#isStream) this.#note(this.#whole);
  }

  /** As the upstream told it, or else what was seen of it. */
  get tokens(): number {
    if (this.#total !== undefined) return this.#total;
    const counts = [...this.#counters.values()].map(({ count }) => count);
    return counts.reduce((sum, count) => sum + count, this.#promptTokens);
  }

  close(): void {
    for (const counter of this.#counters.values()) counter.close();
    this.#tokenizer.close();
  }

  #note(data: string): void {
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
}
