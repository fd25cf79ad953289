/**
 * An answer on its way to the client, and what it has cost once it is over.
 *
 * @module
 */
import { type Reservation, SluiceError, type Tokenizer } from "../../mod.ts";
import { EventFilter } from "./event_filter.ts";
import { isUsageChunk, UsageMeter } from "./usage_meter.ts";

/** What was asked, as far as the answer's price depends on it. */
export interface Asked {
  /** Counts what is generated if the upstream does not tell. The caller closes it. */
  readonly tokenizer: Tokenizer;
  /** What the prompt costs. */
  readonly promptTokens: number;
  /** Whether the client asked for the chunk of a stream that tells the usage. */
  readonly wantsUsage: boolean;
}

/**
 * The body of `answer`, as it comes. When it ends, however it does, `call` is settled: with the usage
 * that the upstream told, or with what went through if it did not come to that.
 *
 * The bytes are those of the upstream, whatever they are. Only the chunk that tells the usage of a
 * stream is left out for a client that did not ask for it.
 */
export function metered(answer: Response, call: Reservation, asked: Asked): BodyInit | null {
  if (!answer.ok || answer.body === null) {
    refuse(call, answer.status);
    return answer.body;
  }
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const meter = new UsageMeter(asked.tokenizer, asked.promptTokens, isStream);
  const filter = isStream && !asked.wantsUsage ? new EventFilter(isUsageChunk) : undefined;
  const reader = answer.body.getReader();
  // Not a generator: one that was never asked for anything does not hear that the client left.
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          meter.read(value);
          const passed = filter === undefined ? value : filter.push(value);
          if (passed.length > 0) return controller.enqueue(passed);
        }
      } catch (error) {
        settle(call, meter);
        throw error;
      }
      meter.finish();
      settle(call, meter);
      const rest = filter?.flush();
      if (rest !== undefined && rest.length > 0) controller.enqueue(rest);
      controller.close();
    },
    async cancel(reason) {
      settle(call, meter);
      await reader.cancel(reason);
    },
  });
}

/**
 * Settles a call that the upstream refused. A request that was wrong counts as a request and costs no
 * tokens: for free, a tenant could send as many as it likes. One that the upstream could not take
 * (429) or failed (5xx) costs nothing.
 */
function refuse(call: Reservation, status: number): void {
  if (status === 429 || status >= 500) call.cancel();
  else call.settle({ tokens: 0 });
}

function settle(call: Reservation, meter: UsageMeter): void {
  try {
    call.settle({ tokens: meter.tokens });
  } catch (error) {
    // It took longer than a reservation lives, and was charged in full then.
    if (!(error instanceof SluiceError && error.code === "SLUICE_RESERVATION_CLOSED")) throw error;
  } finally {
    meter.close();
  }
}
