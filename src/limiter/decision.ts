/**
 * What a limiter answers.
 *
 * @module
 */

/** The call fits every limit, and was charged. One frozen object serves all. */
export interface Allowed {
  /** Always true. */
  readonly allowed: true;
  /** Nothing binds. */
  readonly limit: undefined;
  /** Nothing binds. */
  readonly limiter: undefined;
  /** Always 0. */
  readonly retryAfterMs: 0;
  /** Always false. */
  readonly neverFits: false;
}

/** The call does not fit, and nothing changed. */
export interface Denied<Name extends string = string> extends Disposable {
  /** Always false. */
  readonly allowed: false;
  /** The limit that binds: of those that refuse, the one that will refuse for longest. */
  readonly limit: Name;
  /** The name of the limiter whose limit that is. */
  readonly limiter: string;
  /**
   * After this many milliseconds the same call is allowed, if nothing else happens meanwhile;
   * exact, and rounded up to a microsecond. `Infinity` if time alone does not help: open reservations
   * hold what is missing and have to be settled, cancelled or to expire (`neverFits` is false), or
   * the cost is greater than the limit (`neverFits` is true), as is more for a reservation that holds
   * what is missing itself.
   */
  readonly retryAfterMs: number;
  /** Whether the cost, with what the reservation holds that it adds to, is more than the limit allows. */
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
  /** The most that can be taken at once: a rate's `burst`, else `limit`. For this key. */
  readonly capacity: number;
  /** What could be taken now; never below 0. */
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
  retryAfterMs: 0,
  neverFits: false,
});

/** A refusal. A class, so that `using` takes it where a reservation was hoped for. */
export class Denial<Name extends string = string> implements Denied<Name> {
  /** Always false. */
  readonly allowed = false;

  /** @ignore Limiters make these. */
  constructor(
    readonly limiter: string,
    readonly limit: Name,
    readonly retryAfterMs: number,
    readonly neverFits: boolean,
  ) {}

  /** Does nothing: a refusal holds nothing. */
  [Symbol.dispose](): void {}
}
