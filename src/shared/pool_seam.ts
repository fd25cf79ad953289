/**
 * What a pool and the code that carries its calls to a store know of each other. Neither imports the other, so
 * programs that share nothing do not load that code.
 *
 * @module
 */

/** The member of a pool on whose behalf calls are made. */
export interface SharedPoolMember {
  /** The native handle; 0 once closed. */
  readonly handle: number;
  /** Does what a reply or its absence leaves to do: answers to collect, other Workers to wake. Then it asks. */
  see(chores: number): void;
}

/** The calls of one member to the store. */
export interface PoolCalls {
  /** The message of the last failed call. */
  readonly lastError: string | undefined;
  /** The median and the 99th percentile of the last round trips, in milliseconds. */
  readonly roundTripMs: { readonly p50: number; readonly p99: number } | undefined;
  /** Keeps what this process holds from now on. Call it when a lease was granted. */
  watch(): void;
  /** Something has changed that may be worth a call. @param missed Leases that were refused without a wait. */
  ask(missed: number): void;
  /** Gives back what this process holds, unless leases are in use or other members need it. */
  leave(): void;
  /** Resolves when no call is under way, at the latest after the timeout of a call. */
  settled(): Promise<void>;
}
