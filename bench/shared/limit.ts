/**
 * A limit that is the same for all ways to limit, and a way that is open.
 *
 * @module
 */

/** A limit of requests, the same for all. */
export interface SharedLimit {
  /** Requests a second. */
  readonly rate: number;
  /** The burst. Where windows are fixed it is the number of requests of a window of `burst / rate` seconds. */
  readonly burst: number;
  /** How many processes share it. */
  readonly processes: number;
  /** How long sluice waits for the store: longer where no outage is meant, so that a busy machine makes none. */
  readonly timeoutMs?: number;
}

/** A way to limit that is open. */
export interface Decider {
  /** Whether a request of a key is admitted. Rejects where the way itself has no answer. */
  decide(key: string): boolean | Promise<boolean>;
  close?(): unknown;
}
