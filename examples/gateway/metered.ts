/**
 * A response body that settles the reservation of its request when it ends.
 *
 * @module
 */
import { type Reservation, SluiceError, type Tokenizer } from "../../mod.ts";
import { EventFilter } from "./event_filter.ts";
import { isUsageChunk, UsageMeter } from "./usage_meter.ts";

/** The facts about a request that the cost of its answer depends on. */
export interface Asked {
  /** Counts the generated tokens if the upstream does not report them. The caller closes it. */
  readonly tokenizer: Tokenizer;
  /** The tokens of the prompt. */
  readonly promptTokens: number;
  /** Whether the client asked for the chunk that reports the usage of a stream. */
  readonly wantsUsage: boolean;
}

/**
 * The body of `answer`, passed through. When it ends, for whatever reason, `call` is settled with the usage that the
 * upstream reported, or else with the tokens that passed through.
 *
 * The bytes are those of the upstream. Only the chunk with the usage of a stream is removed, for clients that did not
 * ask for it.
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
  // Not a generator: one that was never read is not told that the client disconnected.
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
 * Settles a call that the upstream refused. A wrong request counts as a request without tokens, because a tenant
 * could otherwise send any number of them. A request that the upstream could not take (429) or failed (5xx) costs
 * nothing.
 */
function refuse(call: Reservation, status: number): void {
  if (status === 429 || status >= 500) call.cancel();
  else call.settle({ tokens: 0 });
}

function settle(call: Reservation, meter: UsageMeter): void {
  try {
    call.settle({ tokens: meter.tokens });
  } catch (error) {
    // It took longer than the reservation lived, so it was charged in full at the expiry.
    if (!(error instanceof SluiceError && error.code === "SLUICE_RESERVATION_CLOSED")) throw error;
  } finally {
    meter.close();
  }
}
