/**
 * What is asked of the Workers that contend, and what they answer.
 *
 * @module
 */

/** How permits are shared between Workers. */
export const SHARINGS = ["sluice", "SharedArrayBuffer + Atomics", "owner Worker"] as const;

/** One of {@linkcode SHARINGS}. */
export type Sharing = (typeof SHARINGS)[number];

/** What a Worker is told to do. */
export interface Contest {
  readonly sharing: Sharing;
  readonly name: string;
  readonly slots: number;
  /** How many tasks contend in each Worker. */
  readonly tasks: number;
  readonly ms: number;
  /** Whether a permit is held for a turn of the event loop, as for every request, or given back at
   * once, which is the most that the exchange itself can do. */
  readonly holds: boolean;
  /** Permits free (for atomics), in use now, and the most ever in use. */
  readonly shared: SharedArrayBuffer;
  /** The way to the owner Worker, if that is who shares. */
  readonly port?: MessagePort;
}

/** What it did. */
export interface Contested {
  readonly operations: number;
  /** How long each wait was, in microseconds. */
  readonly waits: Float64Array;
}
