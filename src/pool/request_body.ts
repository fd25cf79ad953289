/**
 * A request's body that tells of its own end.
 *
 * @module
 */
import type { RequestHold } from "./request_hold.ts";

/**
 * `body`, part by part as `fetch` asks for it. If it fails, that is known by the error itself, and
 * never taken for a failure of the upstream; and while it keeps the upstream waiting, the silence is
 * not the upstream's.
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
        hold.brokenBy(error);
        throw error;
      }
      hold.sends();
      // The upstream may have answered, or gone, in the meantime.
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
