/**
 * One Worker of the gateway: an HTTP server that passes each request on to the upstream that the
 * shared pool names, and streams the answer back.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { type PoolOptions, UpstreamPool } from "../../mod.ts";
import { REQUEST_FIELD } from "./upstream.ts";

/** The message to a Worker. */
export interface Order {
  readonly number: number;
  readonly pool: PoolOptions;
  /** The origins of the upstreams, by id. */
  readonly origins: Readonly<Record<string, string>>;
}

/** The messages of a Worker: its port, and the requests that it aborted because their client disconnected. */
export type News = { readonly port: number } | { readonly gaveUp: string };

/** How often a request is tried, as long as the client has received nothing. */
const ATTEMPTS = 3;

const port = parentPort!;

let requests = 0;

port.on("message", (order: Order) => {
  const pool = new UpstreamPool(order.pool);
  const server = createServer((request, response) => void proxy(pool, order, request, response));
  server.listen(0, "127.0.0.1", () => {
    port.postMessage({ port: (server.address() as AddressInfo).port } satisfies News);
  });
});

async function proxy(
  pool: UpstreamPool,
  order: Order,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  let current: string | undefined;
  const leave = () => {
    // Only the upstreams of this example need it, for exact counts.
    if (current !== undefined) port.postMessage({ gaveUp: current } satisfies News);
    gone.abort();
  };
  response.once("close", leave);
  response.once("error", leave);
  const make = (upstream: string) =>
    new Request(order.origins[upstream] + request.url!, {
      method: "POST",
      headers: { [REQUEST_FIELD]: current = `${order.number}-${requests++}` },
      body: '{"stream":true}',
    });
  try {
    const answer = await ask(pool, make, gone.signal);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    if (answer.body !== null) {
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
        if (!response.write(part)) await once(response, "drain", { signal: gone.signal });
      }
    }
    current = undefined;
    response.end();
  } catch {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end("no upstream could answer");
  }
}

/** The answer of an upstream, or of another one if the first fails before its headers. */
async function ask(
  pool: UpstreamPool,
  make: (upstream: string) => Request,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 1;; attempt++) {
    const isLast = attempt === ATTEMPTS;
    try {
      const answer = await pool.fetch(make, {
        signal,
        headersTimeoutMs: 2000,
        idleTimeoutMs: 2000,
        priority: attempt,
      });
      if (answer.ok || isLast) return answer;
      await answer.body?.cancel();
    } catch (error) {
      if (signal.aborted || isLast) throw error;
    }
  }
}
