/**
 * The data types of statistics of limits that other processes share.
 *
 * @module
 */

/**
 * The statistics of a limiter that other processes share, over all Workers of this process:
 * {@linkcode LimiterStats.shared}.
 */
export interface SharedStats<Name extends string = string> {
  /** Whether the store answers: `"idle"` before the first answer, and `"out"` while calls fail. */
  readonly state: "idle" | "connected" | "out";
  /** How long calls have failed without an answer in between, in milliseconds. Undefined if they do not. */
  readonly outMs: number | undefined;
  /** How long ago the store answered last, in milliseconds. Undefined if it never did. */
  readonly lastSyncMs: number | undefined;
  /** Why the last call of this Worker failed, in the words of its client. */
  readonly lastError: string | undefined;
  /** The number of processes that shared a key at the last answer. */
  readonly holders: number;
  /** The number of keys that hold credit, wait or are in an outage. */
  readonly keys: number;
  /** The number of decisions that wait for the store. */
  readonly waiting: number;
  /** The median and the 99th percentile of the last 512 round trips, in milliseconds. */
  readonly roundTripMs: { readonly p50: number; readonly p99: number };
  /** The number of calls to the store. */
  readonly calls: number;
  /** `calls` for each decision that `decided` counts. */
  readonly callsPerDecision: number;
  /**
   * The number of decisions by what they rest on. `credit` counts what `takeShared` and `reserveShared` of this
   * Worker allowed; `take` is not counted.
   */
  readonly decided: { readonly credit: number; readonly store: number; readonly outage: number };
  /** What this process holds of each limit, over all keys. */
  readonly leased: Readonly<Record<Name, number>>;
  /** What this process has spent of each limit and not reported yet, over all keys. */
  readonly unreported: Readonly<Record<Name, number>>;
  /** What was admitted of each limit without credit in outages that are not over. */
  readonly overBoundNow: Readonly<Record<Name, number>>;
  /** How often the clock of the store jumped against that of this process. */
  readonly clockJumps: number;
  /** How often the store had lost its state. */
  readonly lostEpochs: number;
}

/** How one limit of a key stands between processes: {@linkcode LimitState.shared}. */
export interface SharedLimitState {
  /** The free credit of this process, which it can spend without asking. */
  readonly credit: number;
  /** Milliseconds until that credit ends. It is renewed before, while it is used. */
  readonly creditMs: number;
  /** The number of processes that shared the key at the last answer of the store; 0 if there was none. */
  readonly holders: number;
}
