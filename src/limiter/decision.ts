/**
 * The data types of decisions: a discriminated union of one that allows and one that denies.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";
import type { SharedLimitState } from "./shared_stats.ts";

/** The call fits every limit, and was charged. All such calls share one frozen object. */
export interface Allowed {
  /** Always true. */
  readonly allowed: true;
  /** Always undefined: no limit refused. */
  readonly limit: undefined;
  /** Always undefined: no limiter refused. */
  readonly limiter: undefined;
  /** Always undefined: there is no reason. */
  readonly reason: undefined;
  /** Always 0. */
  readonly retryAfterMs: 0;
  /** Always 0. */
  readonly fitsAfterMs: 0;
  /** Always false. */
  readonly neverFits: false;
}

/**
 * Why a call does not fit. `"time"`: it fits after some time. `"held"`: open reservations hold what is
 * missing, until they are settled, cancelled or expire. `"never"`: it costs more than the limit allows.
 *
 * Two reasons are only of limiters that are shared with other processes. `"lease"`: what this process holds of
 * the limit does not cover the call, and the store was not asked; {@linkcode RateLimiter.takeShared} asks it.
 * `"outage"`: the store cannot be asked, and `onOutage` does not admit the call.
 */
export type DenialReason = "time" | "held" | "never" | "lease" | "outage";

/** The call does not fit, and nothing changed. */
export interface Denied<Name extends string = string> extends Disposable {
  /** Always false. */
  readonly allowed: false;
  /** The limit that refused. If several did, the one that refuses for longest. */
  readonly limit: Name;
  /** The name of the limiter that has the limit. */
  readonly limiter: string;
  /** Why the call does not fit. */
  readonly reason: DenialReason;
  /**
   * The time to wait before asking again, in milliseconds. `setTimeout` accepts it: it is at most
   * 2,147,483,647 (24.8 days). It is `fitsAfterMs` if that is known. Otherwise it is a second for `"held"`, whose
   * end is not known, 20 ms for `"lease"`, 200 ms for `"outage"`, and the maximum for `"never"`.
   */
  readonly retryAfterMs: number;
  /**
   * The time after which the same call is allowed, in milliseconds, if nothing else happens meanwhile. It is
   * exact, rounded up to a microsecond (and below 2^46 microseconds, 2.2 years). Undefined if time alone does
   * not help or how much is not known: then the reason is not `"time"`.
   */
  readonly fitsAfterMs: number | undefined;
  /**
   * True if this cost can never be admitted. For {@linkcode Reservation.topUp} that includes what the
   * reservation already holds. The reason is `"never"`.
   */
  readonly neverFits: boolean;
}

/** Whether a call is allowed, and if not, why and until when. */
export type Decision<Name extends string = string> = Allowed | Denied<Name>;

/** How one limit of a key stands: see {@linkcode RateLimiter.inspect}. */
export interface LimitState {
  /** The kind of the limit. */
  readonly kind: "rate" | "quota" | "concurrency";
  /** The unit that is counted. */
  readonly unit: string;
  /** The most this key can take at once: the `burst` of a rate, else `limit`. It may be `Infinity`. */
  readonly capacity: number;
  /** What can be taken now. It is never below 0, and `Infinity` if `capacity` is. */
  readonly remaining: number;
  /** What is used: the level of a rate, which falls with time, or what the window has had. */
  readonly used: number;
  /** What open reservations hold. */
  readonly outstanding: number;
  /**
   * Milliseconds until `used` is 0 if nothing else happens: until the bucket is full, or the window ends. 0
   * for concurrency.
   */
  readonly resetMs: number;
  /** Milliseconds in which the whole `capacity` of a rate comes back. 0 for other kinds. */
  readonly refillMs: number;
  /**
   * What is known of the other processes that share the limit. Then `used` is what all of them had used or held
   * when the store answered last, `remaining` what this process may expect to take, and `outstanding` what
   * reservations of this process hold. Undefined without the option `shared`.
   */
  readonly shared?: SharedLimitState | undefined;
}

/** The decision on every call that is allowed. */
export const ALLOWED: Allowed = Object.freeze({
  allowed: true,
  limit: undefined,
  limiter: undefined,
  reason: undefined,
  retryAfterMs: 0,
  fitsAfterMs: 0,
  neverFits: false,
});

/** The time to wait where open reservations hold what is missing. */
export const HELD_RETRY_MS = 1000;
/** The time to wait for each reason where nothing better is known. */
const RETRY_MS: Readonly<Record<DenialReason, number>> = {
  time: 0,
  held: HELD_RETRY_MS,
  never: LONGEST_TIMER,
  // The next call may find credit by then.
  lease: 20,
  // The store is asked again after as long.
  outage: 200,
};

/** A refusal. It is a class, so that `using` accepts it in place of a reservation. */
export class Denial<Name extends string = string> implements Denied<Name> {
  /** Always false. */
  readonly allowed = false;
  readonly limiter: string;
  readonly limit: Name;
  readonly reason: DenialReason;
  readonly fitsAfterMs: number | undefined;
  readonly retryAfterMs: number;
  readonly neverFits: boolean;

  /** @ignore Limiters make these. */
  constructor(
    limiter: string,
    limit: Name,
    reason: DenialReason,
    fitsAfterMs: number | undefined,
  ) {
    this.limiter = limiter;
    this.limit = limit;
    this.reason = reason;
    this.fitsAfterMs = fitsAfterMs;
    this.neverFits = reason === "never";
    this.retryAfterMs = fitsAfterMs === undefined
      ? RETRY_MS[reason]
      : Math.min(fitsAfterMs, LONGEST_TIMER);
  }

  /** Does nothing: a refusal holds nothing. */
  [Symbol.dispose](): void {}
}
