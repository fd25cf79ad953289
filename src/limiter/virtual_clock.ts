/**
 * A clock that stands still until a test moves it.
 *
 * @module
 */
import { show, SluiceError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import { MAX_STEP_MS, MAX_WALL_MS } from "../ffi/symbols.gen.ts";

/**
 * Time for tests: a limiter with `clock: new VirtualClock()` sees time pass only by
 * {@linkcode VirtualClock.advance}. Limiters that are asked together must share their clock.
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
   * Makes a clock that stands still.
   *
   * @param wallMs What a wall clock shows at the start, as milliseconds since 1970: where the windows
   * of quotas begin and end follows from it.
   * @throws {RangeError} `wallMs` is not within ±9.2e12.
   */
  constructor(wallMs = 0) {
    this.#nowMs = check("wallMs", wallMs, -MAX_WALL_MS, MAX_WALL_MS);
    this.#handle = unwrap(this.#native.sluice_clock_open(wallMs));
  }

  /** Milliseconds since 1970, as this clock shows them. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** @ignore For limiters. */
  get handle(): number {
    if (this.#handle === 0) throw new SluiceError("SLUICE_DISPOSED", "This clock is closed");
    return this.#handle;
  }

  /**
   * Moves time on by `ms` milliseconds, to the nanosecond.
   *
   * @throws {RangeError} `ms` is negative, as time does not go back, or above 3.2e12.
   * @throws {SluiceError} `SLUICE_DISPOSED` once closed.
   */
  advance(ms: number): void {
    check("ms", ms, 0, MAX_STEP_MS);
    unwrap(this.#native.sluice_clock_advance(this.handle, ms));
    this.#nowMs += ms;
  }

  /** Gives the clock back; limiters that use it stand still. Closing again is fine. */
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

function check(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${name} must be from ${least} to ${most}, not ${value}`);
  }
  return value;
}
