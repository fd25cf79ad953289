/**
 * What a limiter answers.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";

/** The call fits every limit, and was charged. One frozen object serves all. */
export interface Allowed {
  /** Always true. */
  readonly allowed: true;
  /** Nothing binds. */
  readonly limit: undefined;
  /** Nothing binds. */
  readonly limiter: undefined;
  /** Nothing binds. */
  readonly reason: undefined;
  /** Always 0. */
  readonly retryAfterMs: 0;
  /** Always 0. */
  readonly fitsAfterMs: 0;
  /** Always false. */
  readonly neverFits: false;
}

/**
 * Why a call does not fit: `"time"`, it will when time has passed; `"held"`, open reservations hold what is
 * missing and have to be settled, cancelled or to expire; `"never"`, it costs more than the limit allows.
 */
export type DenialReason = "time" | "held" | "never";

/** The call does not fit, and nothing changed. */
export interface Denied<Name extends string = string> extends Disposable {
  /** Always false. */
  readonly allowed: false;
  /** The limit that binds: of those that refuse, the one that will refuse for longest. */
  readonly limit: Name;
  /** The name of the limiter whose limit that is. */
  readonly limiter: string;
  /** Why it does not fit. */
  readonly reason: DenialReason;
  /**
   * How long to wait before asking again, in milliseconds: always a number that `setTimeout` takes, so at
   * most 2,147,483,647 (24.8 days). If the reason is `"time"`, that is `fitsAfterMs`; if it is `"held"`,
   * which nobody can tell the end of, a second; if it is `"never"`, as long as there is.
   */
  readonly retryAfterMs: number;
  /**
   * After this many milliseconds the same call is allowed, if nothing else happens meanwhile; exact, and
   * rounded up to a microsecond (and below 2^47 of those, 4.4 years). Undefined if time alone does not
   * help: the reason is `"held"` or `"never"`.
   */
  readonly fitsAfterMs: number | undefined;
  /**
   * Whether the cost, with what the reservation holds that it adds to, is more than the limit allows: the
   * reason is `"never"`.
   */
  readonly neverFits: boolean;
}

/** Whether a call is allowed, and if not, why and until when. */
export type Decision<Name extends string = string> = Allowed | Denied<Name>;

/** How one limit of a key stands: see {@linkcode RateLimiter.inspect}. */
export interface LimitState {
  /** What kind of limit it is. */
  readonly kind: "rate" | "quota" | "concurrency";
  /** What is counted. */
  readonly unit: string;
  /** The most that can be taken at once: a rate's `burst`, else `limit`; may be `Infinity`. For this key. */
  readonly capacity: number;
  /** What could be taken now; never below 0, and `Infinity` if `capacity` is. */
  readonly remaining: number;
  /** What is used up: a rate's level, which falls with time, or what the window has had. */
  readonly used: number;
  /** What open reservations hold. */
  readonly outstanding: number;
  /**
   * Milliseconds until `used` is 0 if nothing else happens: until the bucket is full, or the window
   * ends. 0 for concurrency.
   */
  readonly resetMs: number;
  /** Milliseconds in which the whole `capacity` of a rate comes back. 0 for other kinds. */
  readonly refillMs: number;
}

/** The answer of every call that is allowed. */
export const ALLOWED: Allowed = Object.freeze({
  allowed: true,
  limit: undefined,
  limiter: undefined,
  reason: undefined,
  retryAfterMs: 0,
  fitsAfterMs: 0,
  neverFits: false,
});

/** When to ask again where nobody knows. */
export const HELD_RETRY_MS = 1000;

/** A refusal. A class, so that `using` takes it where a reservation was hoped for. */
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
