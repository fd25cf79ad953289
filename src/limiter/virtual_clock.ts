/**
 * A manual clock for tests.
 *
 * @module
 */
import { checkNumber } from "../arguments.ts";
import { SluiceError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import { MAX_STEP_MS, MAX_WALL_MS } from "../ffi/symbols.gen.ts";

/**
 * A clock that only {@linkcode VirtualClock.advance} moves, for tests: a limiter takes it as its option
 * `clock`. Limiters that are used in one call must share their clock.
 *
 * @example
 * ```ts
 * import { rate, RateLimiter, VirtualClock } from "./mod.ts";
 *
 * using clock = new VirtualClock();
 * using limiter = new RateLimiter({
 *   name: "one a second",
 *   limits: { rps: rate({ limit: 1, per: "second" }) },
 *   clock,
 * });
 * limiter.take("key"); // allowed
 * console.log(limiter.take("key").retryAfterMs); // 1000
 * clock.advance(1000);
 * limiter.take("key"); // allowed
 * ```
 */
export class VirtualClock implements Disposable {
  readonly #native = native();
  #handle: number;
  #nowMs: number;

  /**
   * Makes a clock. O(1).
   *
   * @param wallMs The time of its wall clock at the start, in milliseconds since 1970. The windows of quotas
   * follow from it.
   * @throws {TypeError} `wallMs` is not a number.
   * @throws {RangeError} `wallMs` is not within ±9.2e12.
   * @throws {SluiceError} `SLUICE_TOO_MANY_HANDLES`, and the errors of loading the library.
   */
  constructor(wallMs = 0) {
    this.#nowMs = checkNumber("wallMs", wallMs, -MAX_WALL_MS, MAX_WALL_MS);
    this.#handle = unwrap(this.#native.sluice_clock_open(wallMs));
  }

  /** The time of the wall clock, in milliseconds since 1970. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** @ignore For limiters. */
  get handle(): number {
    if (this.#handle === 0) throw new SluiceError("SLUICE_DISPOSED", "This clock is closed");
    return this.#handle;
  }

  /**
   * Advances the clock by `ms` milliseconds, to the nanosecond. O(1).
   *
   * @throws {TypeError} `ms` is not a number.
   * @throws {RangeError} `ms` is negative, as time does not go back, or above 3.2e12.
   * @throws {SluiceError} `SLUICE_DISPOSED` once closed.
   */
  advance(ms: number): void {
    checkNumber("ms", ms, 0, MAX_STEP_MS);
    unwrap(this.#native.sluice_clock_advance(this.handle, ms));
    this.#nowMs += ms;
  }

  /** Closes the clock. For limiters that use it no time passes any more. Closing again does nothing. */
  close(): void {
    if (this.#handle === 0) return;
    this.#native.sluice_clock_close(this.#handle);
    this.#handle = 0;
  }

  /** {@linkcode VirtualClock.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
