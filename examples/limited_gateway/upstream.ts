/**
 * A model provider that answers with a random number of tokens, up to `max_tokens`, and counts the usage of each
 * tenant itself.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Tokenizer } from "../../mod.ts";
import { type Chat, TENANT_FIELD } from "./worker.ts";

/** The usage of one tenant. */
export interface Served {
  requests: number;
  tokens: number;
  inFlight: number;
  /** The largest number of requests that were in flight at a time. */
  most: number;
}

export class Upstream {
  readonly origin: string;
  readonly #server: Server;
  readonly #served = new Map<string, Served>();
  readonly #tokenizer = new Tokenizer("o200k_base");

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<Upstream> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Upstream(server);
  }

  /** The usage of a tenant, by the upstream's own count. */
  of(tenant: string): Served {
    let served = this.#served.get(tenant);
    if (served === undefined) {
      served = { requests: 0, tokens: 0, inFlight: 0, most: 0 };
      this.#served.set(tenant, served);
    }
    return served;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const served = this.of(String(request.headers[TENANT_FIELD]));
    served.requests++;
    served.inFlight++;
    served.most = Math.max(served.most, served.inFlight);
    const { prompt, max_tokens } = JSON.parse(await text(request)) as Chat;
    await sleep(Math.random() * 4);
    const answered = 1 + Math.floor(Math.random() * max_tokens);
    const total_tokens = this.#tokenizer.count(prompt) + answered;
    served.tokens += total_tokens;
    // It ends here before the gateway can see the end, so no slot is counted twice.
    served.inFlight--;
    response.writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ usage: { total_tokens } }));
  }
}
