/**
 * The data types of decisions: a discriminated union of one that allows and one that denies.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";

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
 */
export type DenialReason = "time" | "held" | "never";

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
   * 2,147,483,647 (24.8 days). For the reason `"time"` it is `fitsAfterMs`; for `"held"`, whose end is not
   * known, a second; for `"never"` the maximum.
   */
  readonly retryAfterMs: number;
  /**
   * The time after which the same call is allowed, in milliseconds, if nothing else happens meanwhile. It is
   * exact, rounded up to a microsecond (and below 2^47 microseconds, 4.4 years). Undefined if time alone does
   * not help: the reason is `"held"` or `"never"`.
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

/** A refusal. It is a class, so that `using` accepts it in place of a reservation. */
export class Denial<Name extends string = string> implements Denied<Name> {
  /** Always false. */
  readonly allowed = false;
  readonly retryAfterMs: number;
  readonly neverFits: boolean;

  /** @ignore Limiters make these. */
  constructor(
    readonly limiter: string,
    readonly limit: Name,
    readonly reason: DenialReason,
    readonly fitsAfterMs: number | undefined,
  ) {
    this.neverFits = reason === "never";
    this.retryAfterMs = fitsAfterMs === undefined
      ? (reason === "held" ? HELD_RETRY_MS : LONGEST_TIMER)
      : Math.min(fitsAfterMs, LONGEST_TIMER);
  }

  /** Does nothing: a refusal holds nothing. */
  [Symbol.dispose](): void {}
}
