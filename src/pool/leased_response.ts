/**
 * A response whose body holds a lease until it ends.
 *
 * @module
 */
import type { RequestHold } from "./request_hold.ts";
import type { ResponseBody } from "./response_body.ts";

/**
 * How much of a body is read ahead, in bytes, if it ends soon: the body of a failure, or one of a known smaller
 * length. Its lease is given back even if the caller does not read it.
 */
const READ_AHEAD = 65_536;

/** Statuses with which a `Response` cannot have a body. */
const BODILESS: readonly number[] = [101, 103, 204, 205, 304];

/** Whether a response has a body to read. */
export function hasBody({ body, status }: Response): boolean {
  return body !== null && !BODILESS.includes(status);
}

/**
 * The response `original`, holding the lease until its body ends. Without a body, that is now.
 *
 * The result differs from `original` in two ways. Its body has no BYOB reader. And if `fetch` has decoded the
 * body, it has no `content-encoding` and no `content-length`: they would be wrong, and a server that forwarded
 * them would send an unreadable body.
 */
export function leasedResponse(
  original: Response,
  body: ResponseBody | undefined,
  hold: RequestHold,
  isDecoded: boolean,
): Response {
  if (body === undefined) {
    hold.end("answered");
    return original;
  }
  const stream = watched(body, hold, readAhead(original));
  if (!isDecoded) return new LeasedResponse(stream, original, original);
  const { status, statusText } = original;
  const headers = new Headers(original.headers);
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return new LeasedResponse(stream, { status, statusText, headers }, original);
}

/** A `Response` with another body that keeps `url`, `redirected` and `type`, which a constructor cannot set. */
class LeasedResponse extends Response {
  readonly #original: Response;

  constructor(body: ReadableStream<Uint8Array>, init: ResponseInit, original: Response) {
    super(body as ReadableStream<Uint8Array<ArrayBuffer>>, init);
    this.#original = original;
  }

  override get url(): string {
    return this.#original.url;
  }

  override get redirected(): boolean {
    return this.#original.redirected;
  }

  override get type(): ResponseType {
    return this.#original.type;
  }

  /** Both clones share one body. It ends when it was read to its end or both were cancelled. */
  override clone(): Response {
    const twin = super.clone();
    return new LeasedResponse(twin.body!, twin, this.#original);
  }
}

/**
 * A stream of `body` without a buffer. Unless it reads ahead, it reads only on demand, so an unread body has no
 * pending read and can be collected.
 */
function watched(
  body: ResponseBody,
  hold: RequestHold,
  aheadBytes: number,
): ReadableStream<Uint8Array> {
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      hold.awaitsUpstream(aheadBytes === 0);
      try {
        // Chunks that arrived before the request was aborted may be left.
        if (hold.loss !== undefined) throw hold.loss;
        const part = await body.read();
        hold.heardUpstream();
        if (part !== undefined) return controller.enqueue(part);
        hold.end("answered");
        controller.close();
      } catch (error) {
        hold.fail(error);
        controller.error(hold.errorFor(error));
      }
    },
    cancel(reason) {
      const cancelled = body.cancel(reason);
      hold.end("left");
      return hold.loss === undefined ? cancelled : cancelled.catch(() => {});
    },
  };
  return new ReadableStream(
    source,
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  );
}

function readAhead({ ok, headers }: Response): number {
  if (!ok) return READ_AHEAD;
  const length = headers.get("content-length");
  return length !== null && Number(length) <= READ_AHEAD ? READ_AHEAD : 0;
}
