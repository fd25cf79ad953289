/**
 * An unreliable model provider: it streams events, sometimes refuses, fails or disconnects, has an outage, and counts
 * the requests in flight itself.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { InFlight } from "./in_flight.ts";

/** The header field with the name of a request: the number of the gateway, a dash, the number of the request. */
export const REQUEST_FIELD = "x-request";

export class Upstream {
  readonly id: string;
  readonly inFlight: InFlight;
  readonly origin: string;
  readonly #server: Server;
  readonly #overAll: InFlight;
  /** Whether it fails everything. */
  isOut = false;
  served = 0;
  failed = 0;

  private constructor(id: string, maxInFlight: number, overAll: InFlight, server: Server) {
    this.id = id;
    this.inFlight = new InFlight(maxInFlight);
    this.#overAll = overAll;
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** @param overAll Counts the requests to all upstreams. */
  static async start(id: string, maxInFlight: number, overAll: InFlight): Promise<Upstream> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Upstream(id, maxInFlight, overAll, server);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = String(request.headers[REQUEST_FIELD]);
    this.served++;
    this.inFlight.begin(response, name);
    this.#overAll.begin(response, name);
    request.resume();
    const chance = Math.random();
    if (this.isOut ? chance < 0.5 : chance < 0.02) {
      this.failed++;
      return this.#end(response.writeHead(500), "internal error");
    }
    if (this.isOut || chance < 0.03) {
      this.failed++;
      return void response.destroy();
    }
    if (chance < 0.04) {
      this.failed++;
      return this.#end(response.writeHead(429, { "retry-after-ms": "200" }), "slow down");
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const parts = 2 + Math.floor(Math.random() * 12);
    const cut = chance < 0.05 ? 2 : Infinity;
    for (let i = 0; i < parts && !response.destroyed; i++) {
      response.write(`data: {"part":${i}}\n\n`);
      if (i === cut) {
        this.failed++;
        return void response.destroy();
      }
      await sleep(2 + Math.random() * 10);
    }
    if (!response.destroyed) this.#end(response, "data: [DONE]\n\n");
  }

  #end(response: ServerResponse, last: string): void {
    this.inFlight.end(response);
    this.#overAll.end(response);
    response.end(last);
  }
}
