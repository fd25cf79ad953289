/**
 * Decisions of a limiter that is shared with other processes: they say on what they rest.
 *
 * @module
 */
import { ALLOWED, type Allowed, Denial, type DenialReason, type Denied } from "./decision.ts";

/**
 * What a decision rests on. `"credit"`: what this process holds of the limit. `"store"`: an answer of the
 * store, which may be a refusal that still applies. `"outage"`: the store could not be asked, so `onOutage`
 * has decided.
 */
export type DecisionSource = "credit" | "store" | "outage";

/** The call fits every limit, and was charged. */
export interface SharedAllowed extends Allowed {
  /** What the decision rests on. */
  readonly source: DecisionSource;
}

/** The call does not fit, and nothing changed. */
export interface SharedDenied<Name extends string = string> extends Denied<Name> {
  /** What the decision rests on. */
  readonly source: DecisionSource;
}

/** A decision of a limiter that is shared with other processes. */
export type SharedDecision<Name extends string = string> = SharedAllowed | SharedDenied<Name>;

const allowedBy = (source: DecisionSource): SharedAllowed => Object.freeze({ ...ALLOWED, source });

/** The decisions that allow a call. */
export const ALLOWED_BY: Readonly<Record<DecisionSource, SharedAllowed>> = {
  credit: allowedBy("credit"),
  store: allowedBy("store"),
  outage: allowedBy("outage"),
};

/** A refusal of a limiter that is shared with other processes. */
export class SharedDenial<Name extends string = string> extends Denial<Name>
  implements SharedDenied<Name> {
  /** What the decision rests on. */
  readonly source: DecisionSource;

  /** @ignore Limiters make these. */
  constructor(
    limiter: string,
    limit: Name,
    reason: DenialReason,
    fitsAfterMs: number | undefined,
  ) {
    super(limiter, limit, reason, fitsAfterMs);
    this.source = reason === "lease" ? "credit" : reason === "outage" ? "outage" : "store";
  }
}
