/**
 * One Worker of the gateway: an HTTP server that reserves the maximal cost of a request for its tenant, passes the
 * request on, and charges the real cost.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { text } from "node:stream/consumers";
import { type Denied, type Limits, RateLimiter, Tokenizer } from "../../mod.ts";

/** The limits of each tenant. */
export type LimitName = "requests" | "tokens" | "live";

/** The message to a Worker. Limits are plain objects, so they can be posted. */
export interface Order {
  readonly limits: Limits<LimitName>;
  readonly upstream: string;
}

/** The answer of a Worker: the port on which it listens. */
export interface Started {
  readonly port: number;
}

/** The request of a client. */
export interface Chat {
  readonly prompt: string;
  readonly max_tokens: number;
}

/** The body of a refusal, with status 429. */
export interface Refused {
  readonly limit: LimitName;
  /** `null` if it depends on the end of other requests. */
  readonly retryAfterMs: number | null;
}

/** The header field that names the tenant. A real gateway looks up an API key. */
export const TENANT_FIELD = "x-tenant";

const tokenizer = new Tokenizer("o200k_base");

// The main thread imports this file for its types and names.
parentPort?.on("message", ({ limits, upstream }: Order) => {
  // The Workers share the limiter by its name alone, so no object has to be passed.
  const limiter = new RateLimiter({ name: "tenants", limits });
  const server = createServer((request, response) => {
    serve(limiter, upstream, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end("the upstream could not answer");
    });
  });
  server.listen(0, "127.0.0.1", () => {
    parentPort!.postMessage({ port: (server.address() as AddressInfo).port } satisfies Started);
  });
});

async function serve(
  limiter: RateLimiter<Limits<LimitName>>,
  upstream: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const tenant = String(request.headers[TENANT_FIELD]);
  const body = await text(request);
  const { prompt, max_tokens } = JSON.parse(body) as Chat;
  // If something fails, the end of the scope settles it in full, because it may have been served.
  using call = limiter.reserve(tenant, { tokens: tokenizer.count(prompt) + max_tokens });
  if (!call.allowed) return refuse(call, response);
  const answer = await fetch(upstream, {
    method: "POST",
    headers: { [TENANT_FIELD]: tenant },
    body,
  });
  const completion = await answer.text();
  const { usage } = JSON.parse(completion) as { usage: { total_tokens: number } };
  call.settle({ tokens: usage.total_tokens });
  response.writeHead(answer.status, { "content-type": "application/json" }).end(completion);
}

function refuse(
  { limit, reason, retryAfterMs }: Denied<LimitName>,
  response: ServerResponse,
): void {
  const refused: Refused = { limit, retryAfterMs: reason === "time" ? retryAfterMs : null };
  const seconds = Math.ceil(retryAfterMs / 1000);
  response.writeHead(429, { "content-type": "application/json", "retry-after": `${seconds}` })
    .end(JSON.stringify(refused));
}
