/**
 * A response whose body tells when it ends.
 *
 * @module
 */
import type { RequestHold } from "./request_hold.ts";
import type { ResponseBody } from "./response_body.ts";

/**
 * As much of a body is read ahead, in bytes, if it is sure to end soon: that of a failure, or one
 * of a known and smaller length. Its lease then comes back even if nobody reads it.
 */
const READ_AHEAD = 65_536;

/** Statuses that a `Response` with a body cannot be made of. */
const BODILESS: readonly number[] = [101, 103, 204, 205, 304];

/** Whether a response has a body to be read. */
export function hasBody({ body, status }: Response): boolean {
  return body !== null && !BODILESS.includes(status);
}

/**
 * The response `original`, holding the lease until its body ends. Without a body that is now.
 *
 * What it returns differs from `original` in that its body has no BYOB reader, and in that the
 * headers are those of the body: if `fetch` has decoded it, `content-encoding` and `content-length`
 * are true no more, and a server that passed them on would send a body that nobody can read.
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

/**
 * A `Response` made of another one and of a stream: a constructed one would have lost `url`,
 * `redirected` and `type`.
 */
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

  /** Both clones read one body, which ends when it was read to its end or both were cancelled. */
  override clone(): Response {
    const twin = super.clone();
    return new LeasedResponse(twin.body!, twin, this.#original);
  }
}

/**
 * `body`, part by part as it comes, with nothing in between: by default nothing is read that nobody
 * asked for, so an unread body leaves nothing pending and can be collected.
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
        // There may be a rest of what came before the request was aborted.
        if (hold.loss !== undefined) throw hold.loss;
        const part = await body.read();
        hold.heardUpstream();
        if (part !== undefined) return controller.enqueue(part);
        hold.end("answered");
        controller.close();
      } catch (error) {
        hold.fail(error);
        controller.error(hold.toldFor(error));
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
