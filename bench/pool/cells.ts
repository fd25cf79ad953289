/**
 * What the bench of pools measures, one by one.
 *
 * @module
 */
import { rounded, type Spread, spread } from "../measure.ts";
import type { Sharing } from "./contest.ts";
import type { RivalName } from "./rivals.ts";

/** One measurement. */
export type PoolCell =
  /** Nanoseconds for acquire and release, nobody else there. */
  | (Spread & { readonly part: "pair"; readonly name: RivalName })
  /** Nanoseconds for a turn of a line of so many. */
  | (Spread & { readonly part: "line"; readonly name: RivalName; readonly waiters: number })
  /** Nanoseconds for acquire and release among so many upstreams. */
  | (Spread & { readonly part: "choice"; readonly name: Chooser; readonly upstreams: number })
  /** Two Workers, eight tasks each, four permits. Waits are in nanoseconds. */
  | {
    readonly part: "contest";
    readonly name: Sharing;
    /** Whether permits were held for a turn of the event loop. */
    readonly holds: boolean;
    /** Nanoseconds for an operation, over both Workers. */
    readonly median: number;
    readonly low: number;
    readonly high: number;
    readonly wait50: number;
    readonly wait99: number;
    readonly longest: number;
  }
  /** From a release to who waits in another Worker, in nanoseconds, by how often that one looks. */
  | (Spread & {
    readonly part: "wake";
    readonly name: Waking;
    readonly pollMs: number;
    readonly wait99: number;
    /** The first wake of all, when the two do not know each other's bells. */
    readonly first: number;
    /** What one who waits takes of a core, in percent. */
    readonly idleCpu: number;
  })
  /** Bytes of resident memory for each that is held, or waits. */
  | (Spread & { readonly part: "memory"; readonly name: string; readonly of: "lease" | "waiter" });

/** How who waits is woken: by bells and looks, as it is, or by looks alone. */
export type Waking = "bell and poll" | "poll alone";

/** Who chooses among upstreams: ours, or a loop over an array as gateways have it. */
export type Chooser = "sluice" | "loop over an array";

/** Median and range, rounded for a record. */
export function roundedSpread(values: readonly number[]): Spread {
  const { median, low, high } = spread(values);
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}
