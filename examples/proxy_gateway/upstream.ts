/**
 * A flaky model provider: streams events, refuses, fails and hangs up now and then, has an outage,
 * and keeps its own count of the requests that are in flight.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Time for the news that a gateway has given a request up to come through. */
const NEWS_MS = 200;

/** The field that a gateway names its request in: its own number, a dash, the request's. */
export const REQUEST_FIELD = "x-request";

export class Upstream {
  readonly id: string;
  readonly maxInFlight: number;
  readonly origin: string;
  readonly #server: Server;
  readonly #open = new Map<ServerResponse, string>();
  readonly #givenUp = new Set<string>();
  /** Whether it fails everything. */
  isOut = false;
  served = 0;
  failed = 0;
  /** The most requests that were in flight at a time. */
  most = 0;
  /** How often there were more than `maxInFlight`. */
  exceeded = 0;

  private constructor(id: string, maxInFlight: number, server: Server) {
    this.id = id;
    this.maxInFlight = maxInFlight;
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(id: string, maxInFlight: number): Promise<Upstream> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Upstream(id, maxInFlight, server);
  }

  get inFlight(): number {
    return this.#open.size;
  }

  /** A gateway has given up a request, or, named by its number alone, was killed with all of its. */
  giveUp(request: string): void {
    this.#givenUp.add(request);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#begin(response, String(request.headers[REQUEST_FIELD]));
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

  #begin(response: ServerResponse, name: string): void {
    this.served++;
    this.#open.set(response, name);
    // Cut off, or ended below, whichever comes first.
    response.once("close", () => this.#open.delete(response));
    if (this.#open.size <= this.maxInFlight) {
      this.most = Math.max(this.most, this.#open.size);
    } else void this.#judge([...this.#open]);
  }

  #end(response: ServerResponse, last: string): void {
    this.#open.delete(response);
    response.end(last);
  }

  /**
   * More are open than may be. A lease comes back when its client leaves, or its Worker dies, and
   * that the connection is cut is known here a little later; those do not count. Those that end
   * well in the meantime do.
   */
  async #judge(open: readonly [ServerResponse, string][]): Promise<void> {
    await sleep(NEWS_MS);
    const real = open.filter(([response, name]) =>
      (!response.destroyed || response.writableEnded) &&
      !this.#givenUp.has(name) && !this.#givenUp.has(name.split("-")[0]!)
    );
    this.most = Math.max(this.most, real.length);
    if (real.length > this.maxInFlight) this.exceeded++;
  }
}
