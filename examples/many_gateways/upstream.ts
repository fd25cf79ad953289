/**
 * A model provider that notes each request of a tenant by its own clock, and answers at once.
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { TENANT_FIELD } from "./limit.ts";

export class Upstream implements AsyncDisposable {
  readonly origin: string;
  readonly #server: Server;
  /** The milliseconds at which requests came, by tenant. */
  readonly #times = new Map<string, number[]>();

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on("request", (request, response) => {
      const tenant = String(request.headers[TENANT_FIELD]);
      const times = this.#times.get(tenant) ?? [];
      times.push(performance.now());
      this.#times.set(tenant, times);
      response.end("{}");
    });
  }

  static async start(): Promise<Upstream> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Upstream(server);
  }

  /** How many requests of a tenant came. */
  admitted(tenant: string): number {
    return this.#times.get(tenant)?.length ?? 0;
  }

  /**
   * The most that came in any window W beyond `rate * W`: the peak of a queue that gains each request and leaks at the rate.
   *
   * @param rate Requests a second.
   * @param until Later requests are not looked at.
   */
  worstWindow(tenant: string, rate: number, until: number = Infinity): number {
    let [level, peak, last] = [0, 0, 0];
    for (const time of this.#times.get(tenant) ?? []) {
      if (time > until) break;
      level = Math.max(0, level - (time - last) * rate / 1000) + 1;
      peak = Math.max(peak, level);
      last = time;
    }
    return peak;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
