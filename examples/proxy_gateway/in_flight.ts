/**
 * An upstream's own count of the requests in flight, compared with the limit.
 *
 * @module
 */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The time in which the news of an aborted request arrives. */
const NEWS_MS = 200;

/** Requests by name: the number of their gateway, a dash, the number of the request. */
const givenUp = new Set<string>();

/** Notes that a gateway has aborted a request or, given its number alone, was killed with all its requests. */
export function giveUp(request: string): void {
  givenUp.add(request);
}

/** Counts the requests in flight to one upstream, or to all of them. */
export class InFlight {
  readonly max: number;
  readonly #open = new Map<ServerResponse, string>();
  /** The largest number at a time. */
  most = 0;
  /** How often the number was above `max`. */
  exceeded = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Notes that a request has arrived. */
  begin(response: ServerResponse, name: string): void {
    this.#open.set(response, name);
    // The connection closes, or `end` is called, whichever comes first.
    response.once("close", () => this.end(response));
    if (this.#open.size <= this.max) this.most = Math.max(this.most, this.#open.size);
    else void this.#judge([...this.#open]);
  }

  /** Notes that it was answered. */
  end(response: ServerResponse): void {
    this.#open.delete(response);
  }

  /**
   * Decides about requests above the limit. A lease returns when its client disconnects or its Worker dies, and the
   * closed connection is seen here a little later. Such requests do not count. Those that end normally in the
   * meantime do.
   */
  async #judge(open: readonly [ServerResponse, string][]): Promise<void> {
    await sleep(NEWS_MS);
    const real = open.filter(([response, name]) =>
      (!response.destroyed || response.writableEnded) &&
      !givenUp.has(name) && !givenUp.has(name.split("-")[0]!)
    );
    this.most = Math.max(this.most, real.length);
    if (real.length > this.max) this.exceeded++;
  }
}
