/**
 * An adapter of `node:http` for handlers of the Fetch standard, which Node.js has no server for.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";

/** Answers a request, whose signal aborts if the client leaves. */
export type Handle = (request: Request) => Promise<Response>;

/** Listens on a port that other Workers listen on as well: the system distributes the connections. */
export function serve(handle: Handle, port: number): Server {
  const server = createServer((request, response) => void answer(handle, request, response));
  return server.listen({ port, reusePort: true });
}

async function answer(
  handle: Handle,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  try {
    const { status, headers, body } = await handle(requestOf(incoming, gone.signal));
    outgoing.writeHead(status, [...headers].flat());
    if (body === null) outgoing.end();
    // Waits for a slow client, and cancels the body if it leaves, so that the lease is given back.
    else await pipeline(Readable.fromWeb(body as unknown as NodeReadableStream), outgoing);
  } catch {
    // The client has left, or the upstream failed. One that has got headers sees that the answer is cut off.
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(500).end();
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", rawHeaders } = incoming;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(new URL(url, `http://${incoming.headers.host ?? "localhost"}`), {
    method,
    headers,
    signal,
    ...hasBody && { body: Readable.toWeb(incoming) as unknown as ReadableStream, duplex: "half" },
  });
}
