/**
 * A pass-through stream over the body of a request, which reports its failures and delays.
 *
 * @module
 */
import type { RequestHold } from "./request_hold.ts";

/** Where the parts of a body come from, as `fetch` asks for them. */
export interface BodySource {
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(reason: unknown): Promise<unknown> | void;
}

const encoder = new TextEncoder();

/**
 * The source of a body whose parts are still to come: a `ReadableStream` or an async iterable, such as the request of a
 * server of `node:http`. Undefined for other bodies.
 *
 * @throws {TypeError} naming `makeRequest`, if it was used before.
 */
export function sourceOf(body: unknown): BodySource | undefined {
  if (body instanceof ReadableStream) {
    refuseUsed(body.locked);
    return body.getReader();
  }
  if (typeof body !== "object" || body === null || !(Symbol.asyncIterator in body)) {
    return undefined;
  }
  // Streams of Node.js have this field.
  refuseUsed((body as { readonly readableDidRead?: unknown }).readableDidRead === true);
  const iterator = (body as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return {
    async read() {
      const { done, value } = await iterator.next();
      return { done, value: typeof value === "string" ? encoder.encode(value) : value };
    },
    cancel: () => iterator.return?.(),
  };
}

function refuseUsed(isUsed: boolean): void {
  if (!isUsed) return;
  throw new TypeError("makeRequest returned a body that was used before, or is being read");
}

/**
 * The body from `source`, chunk by chunk as `fetch` asks for it. A failure of it is not taken for one of the upstream,
 * nor is a timeout while the upstream waits for it.
 */
export function watchedRequestBody(
  source: BodySource,
  hold: RequestHold,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isWanted = true;
  return new ReadableStream({
    async pull(controller) {
      hold.awaitsBody();
      let part: Awaited<ReturnType<typeof source.read>>;
      try {
        part = await source.read();
      } catch (error) {
        // An iterator that was told to return may still be waiting for its next part.
        if (!isWanted) return;
        hold.bodyFailed(error);
        throw error;
      }
      hold.sends();
      // The upstream may have answered or disconnected in the meantime.
      if (!isWanted) return;
      if (part.done) controller.close();
      else controller.enqueue(part.value as Uint8Array<ArrayBuffer>);
    },
    async cancel(reason) {
      isWanted = false;
      // The upstream waits for nothing any more, even if a part never comes.
      hold.sends();
      await source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
