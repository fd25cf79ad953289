/** What a gateway of the rig asks of a limiter, so that others can stand in for sluice. */

/** An answer. */
export interface Verdict {
  readonly allowed: boolean;
  /** Where it came from. */
  readonly source: string;
  /** Why it was refused, and by which limit. */
  readonly reason?: string;
  /** Ends the request: what it has cost, if it was reserved. */
  end(cost: number): void;
}

/** A limiter of a gateway. */
export interface Decider {
  /** Decides about a request that may cost this much. */
  decide(key: string, cost: number): Promise<Verdict>;
  /** Whatever it knows of itself. */
  stats(key: string): Promise<unknown>;
  /** Gives back what it holds. */
  close(): Promise<void>;
}
