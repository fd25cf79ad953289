/**
 * A pass-through stream over the body of a request, which reports its failures and delays.
 *
 * @module
 */
import type { RequestHold } from "./request_hold.ts";

/**
 * `body`, chunk by chunk as `fetch` asks for it. A failure of it is not taken for one of the upstream, nor is a
 * timeout while the upstream waits for it.
 */
export function watchedRequestBody(
  body: ReadableStream,
  hold: RequestHold,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let isWanted = true;
  return new ReadableStream({
    async pull(controller) {
      hold.awaitsBody();
      let part: Awaited<ReturnType<typeof reader.read>>;
      try {
        part = await reader.read();
      } catch (error) {
        hold.bodyFailed(error);
        throw error;
      }
      hold.sends();
      // The upstream may have answered or disconnected in the meantime.
      if (!isWanted) return;
      if (part.done) controller.close();
      else controller.enqueue(part.value);
    },
    async cancel(reason) {
      isWanted = false;
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
