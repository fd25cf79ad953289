/**
 * The option `shared` of a limiter: a store that other processes share.
 *
 * A limiter imports no code that talks to a store, so programs that share nothing do not load it.
 *
 * @module
 */
import { SharedTransport } from "../shared/transport.ts";

/** What serves a limiter that is shared. All but its life is in `shared_calls.ts`. */
export interface SharedLife {
  /** Adds one more object of the limiter. Its client makes the calls from now on. */
  join(store: SharedStore): void;
  /** Removes an object of the limiter. */
  part(store: SharedStore): void;
  /** Gives back what this process holds if no other Worker has the limiter open, and then calls `close`. */
  leave(close: () => void): Promise<void>;
}

/** A store that several processes share: `valkey()` of `sluice/shared` makes it. */
export abstract class SharedStore extends SharedTransport {
  /** @ignore Begins to serve a limiter that this isolate has opened. It makes `SharedCalls`. */
  abstract serve(handle: number, name: string): SharedLife;
}
