/**
 * One Worker of the gateway: an HTTP server that passes each request on to the upstream that the
 * shared pool names, and streams the answer back.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type PoolOptions, UpstreamPool } from "../../mod.ts";

/** What a Worker is told. */
export interface Order {
  readonly pool: PoolOptions;
  /** Where the upstreams are, by id. */
  readonly origins: Readonly<Record<string, string>>;
}

interface Scope {
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(port: number): void;
}

/** How often a request is tried, while the client has seen nothing of it. */
const ATTEMPTS = 3;

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { pool: options, origins } }) => {
  const pool = new UpstreamPool(options);
  const server = createServer((request, response) => void proxy(pool, origins, request, response));
  server.listen(0, "127.0.0.1", () => scope.postMessage((server.address() as AddressInfo).port));
};

async function proxy(
  pool: UpstreamPool,
  origins: Order["origins"],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.once("error", () => gone.abort());
  try {
    const answer = await ask(pool, origins, request.url!, gone.signal);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    if (answer.body !== null) {
      for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
        if (!response.write(part)) await once(response, "drain", { signal: gone.signal });
      }
    }
    response.end();
  } catch {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end("no upstream could answer");
  }
}

/** The answer of an upstream, of another one if the first fails before it says anything. */
async function ask(
  pool: UpstreamPool,
  origins: Order["origins"],
  path: string,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 1;; attempt++) {
    const isLast = attempt === ATTEMPTS;
    try {
      const make = (upstream: string) =>
        new Request(origins[upstream] + path, { method: "POST", body: '{"stream":true}' });
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
