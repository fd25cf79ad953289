/**
 * The messages between a run and its Workers.
 *
 * @module
 */
import type { Commit, Plan } from "../plan/plan_types.ts";
import type { BadLine } from "../unit/quarantine.ts";
import type { Totals } from "../unit/totals.ts";
import type { Failure } from "./failure.ts";

/** The first message to a Worker. */
export interface Setup {
  readonly out: string;
  readonly plan: Plan;
  /** One word, which is not 0 when the work is to end. */
  readonly stop: SharedArrayBuffer;
  /** Whether the first bad line sets it. */
  readonly stopsAtBad: boolean;
}

export interface Order {
  readonly unit: number;
}

export type ToWorker = Setup | Order;

export type FromWorker =
  | { readonly kind: "progress"; readonly totals: Totals }
  | { readonly kind: "bad-line"; readonly line: BadLine }
  | { readonly kind: "committed"; readonly commit: Commit }
  | { readonly kind: "failed"; readonly failure: Failure };
