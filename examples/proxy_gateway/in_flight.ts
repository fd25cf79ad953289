/**
 * An upstream's own count of the requests that are in flight, beside the most that may be.
 *
 * @module
 */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Time for the news that a gateway has given a request up to come through. */
const NEWS_MS = 200;

/** Requests, by the name that their gateway gave them: its own number, a dash, the request's. */
const givenUp = new Set<string>();

/** A gateway has given up a request, or, named by its number alone, was killed with all of its. */
export function giveUp(request: string): void {
  givenUp.add(request);
}

/** Requests in flight: to one upstream, or to all of them. */
export class InFlight {
  readonly max: number;
  readonly #open = new Map<ServerResponse, string>();
  /** The most that there were at a time. */
  most = 0;
  /** How often there were more than `max`. */
  exceeded = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** A request has come in. */
  begin(response: ServerResponse, name: string): void {
    this.#open.set(response, name);
    // Cut off, or ended below, whichever comes first.
    response.once("close", () => this.end(response));
    if (this.#open.size <= this.max) this.most = Math.max(this.most, this.#open.size);
    else void this.#judge([...this.#open]);
  }

  /** It was answered. */
  end(response: ServerResponse): void {
    this.#open.delete(response);
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
      !givenUp.has(name) && !givenUp.has(name.split("-")[0]!)
    );
    this.most = Math.max(this.most, real.length);
    if (real.length > this.max) this.exceeded++;
  }
}
