/**
 * Reservations: two-phase charging of a cost that is known only after the call.
 *
 * @module
 */
import { allocate } from "./batch.ts";
import type { LimiterCost } from "./cost.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { denialBy, denialByAll } from "./denial.ts";
import { show, SluiceError } from "../errors.ts";
import {
  MAX_LIMITS,
  SETTLE_ACTUAL,
  SETTLE_FULL,
  SETTLE_NOTHING,
  STATUS_RESERVATION_CLOSED,
} from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { Leaks } from "../leaks.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { borrow, giveBack } from "./parts.ts";
import { readForAll } from "./units.ts";

/** The options of a reservation. */
export interface ReserveOptions {
  /**
   * The lifetime in milliseconds. At its end the reservation is settled in full, and its concurrency slots are
   * released. `topUp` does not extend it, {@linkcode Reservation.renew} does. A stream that may take longer
   * renews it; `pool.fetch` does so for its option `reservation`.
   *
   * @default The first limiter's `reservationTtlMs`.
   */
  readonly ttlMs?: number | undefined;
}

const NO_COSTS = allocate(0);
/** The costs of a call, while the native side reads them. They are written last: nothing runs in between. */
const costs = allocate(MAX_LIMITS);
/** The cost of `sluice_reservation_end` that stands for the reserved amount. */
const AS_RESERVED = -1;

interface Lost {
  readonly core: NativeLimiter;
  readonly key: LimiterKey;
  readonly number: number;
}

/** Settles a lost reservation in full, and warns of it. */
const leaks = new Leaks<Lost>(({ core, key, number, stack }) => {
  const { sluice_reservation_end } = core.native;
  // It may have expired, and the limiter may be closed.
  if (sluice_reservation_end(core.handle, number, SETTLE_FULL, NO_COSTS, 0) < 0) return;
  process.emitWarning(
    `A reservation of ${show(key.name)} at the limiter ${show(core.name)} was never settled or ` +
      `cancelled, and is charged in full. Made by:\n${stack}`,
    { type: "SluiceWarning", code: "SLUICE_RESERVATION_LEAKED" },
  );
});

/**
 * An open reservation. {@linkcode RateLimiter.reserve} and {@linkcode reserveAll} make it, and it is ended
 * once.
 *
 * What it holds counts against every limit until it is settled, cancelled or expires, and does not come back
 * with time. With `using` it is settled in full at the end of the scope, unless it was ended before. It
 * belongs to the Worker that made it: if that Worker is terminated, it is settled in full.
 */
export class Reservation<Unit extends string = string, Name extends string = string>
  implements Disposable {
  /** Always true, to tell a reservation from a refusal. */
  readonly allowed = true;
  readonly #core: NativeLimiter;
  readonly #key: LimiterKey;
  /** The limiters of a reservation at several keys, one for each key. `#core` is the first. */
  readonly #cores: readonly NativeLimiter[];
  readonly #number: number;
  readonly #ttlMs: number;
  readonly #isWatched: boolean;
  #open = true;

  /** @ignore Limiters make these. */
  constructor(
    core: NativeLimiter,
    key: LimiterKey,
    cores: readonly NativeLimiter[],
    number: number,
    ttlMs: number,
    isWatched: boolean,
  ) {
    this.#core = core;
    this.#key = key;
    this.#cores = cores;
    this.#number = number;
    this.#ttlMs = ttlMs;
    this.#isWatched = isWatched;
    if (isWatched) leaks.watch(this, { core, key, number });
  }

  /** Whether the reservation was not ended here. It may have expired. O(1). */
  get isOpen(): boolean {
    return this.#open;
  }

  /** The lifetime without a renewal, in milliseconds. O(1). */
  get ttlMs(): number {
    return this.#ttlMs === 0 ? this.#core.reservationTtlMs : this.#ttlMs;
  }

  /**
   * Ends the reservation and charges what was used. Units that `actual` does not name are charged as reserved;
   * without `actual` all units are. More than was reserved becomes debt, for which later calls wait.
   * O(limits).
   *
   * The reservation is ended whatever `actual` is. An upstream may report a usage that is invalid, such as a
   * negative one: then all units are charged as reserved, and the error is thrown.
   *
   * @throws {TypeError} `actual` is not a cost. The reservation was settled in full.
   * @throws {RangeError} `actual` has an invalid amount, or a unit that no limit counts. The reservation was
   * settled in full.
   * @throws {SluiceError} `SLUICE_RESERVATION_CLOSED` if it was ended before or has expired, and
   * `SLUICE_DISPOSED` if the limiter is closed. Nothing changes then.
   */
  settle(actual?: LimiterCost<Unit>): void {
    this.#checkOpen();
    if (actual === undefined) return this.#end(SETTLE_FULL, NO_COSTS, 0);
    let length = 0;
    try {
      length = this.#write("actual", actual, AS_RESERVED);
    } catch (error) {
      // A getter of `actual` may have ended it.
      if (this.#open) this.#end(SETTLE_FULL, NO_COSTS, 0);
      throw error;
    }
    this.#checkOpen();
    this.#end(SETTLE_ACTUAL, costs, length);
  }

  /**
   * Ends the reservation and charges nothing: for a request that was not sent. O(limits).
   *
   * @throws As {@linkcode Reservation.settle}.
   */
  cancel(): void {
    this.#checkOpen();
    this.#end(SETTLE_NOTHING, NO_COSTS, 0);
  }

  /**
   * Restarts the lifetime of the reservation, for a stream that goes on. `pool.fetch` does so for its option
   * `reservation`. Returns false if the reservation was ended, has expired, or its limiter is closed.
   * O(log reservations).
   */
  renew(): boolean {
    const core = this.#core;
    if (!this.#open || core.handle === 0) return false;
    const { sluice_reservation_renew } = core.native;
    const renewed = sluice_reservation_renew(core.handle, this.#number, this.#ttlMs);
    if (renewed === STATUS_RESERVATION_CLOSED) return false;
    core.unwrap(renewed);
    return true;
  }

  /**
   * Reserves more, all or nothing, for a stream that turns out longer. Units that `more` does not name stay as
   * they are, and so does the end of the lifetime: see {@linkcode ReserveOptions.ttlMs}. O(limits).
   *
   * @throws {TypeError} `more` is not a cost.
   * @throws {RangeError} `more` has an invalid amount, or a unit that no limit counts.
   * @throws {SluiceError} As {@linkcode Reservation.settle}, and `SLUICE_STALE_KEY` if a key was forgotten.
   */
  topUp(more: LimiterCost<Unit>): Decision<Name> {
    if (more === undefined) {
      throw new TypeError("more must be an object such as { tokens: 64 }, not undefined");
    }
    const length = this.#write("more", more, 0);
    this.#checkOpen();
    const core = this.#core;
    const code = core.unwrap(
      core.native.sluice_reservation_top_up(core.handle, this.#number, costs, length),
    );
    if (code === 0) return ALLOWED;
    const isOne = this.#cores.length === 0;
    const denial = isOne ? denialBy(code, core) : denialByAll(code, this.#cores);
    return denial as Denied<Name>;
  }

  /** Settles in full if the reservation and its limiter are still open, for `using`. */
  [Symbol.dispose](): void {
    const core = this.#core;
    if (!this.#open || core.handle === 0) return;
    this.#forget();
    const { sluice_reservation_end } = core.native;
    const ended = sluice_reservation_end(core.handle, this.#number, SETTLE_FULL, NO_COSTS, 0);
    if (ended !== STATUS_RESERVATION_CLOSED) core.unwrap(ended);
  }

  #end(how: number, costs: Float64Array, length: number): void {
    const core = this.#core;
    core.unwrap(
      core.native.sluice_reservation_end(core.handle, this.#number, how, costs, length),
    );
    this.#forget();
  }

  /** Marks it as ended. */
  #forget(): void {
    this.#open = false;
    if (this.#isWatched) leaks.forget(this);
  }

  /** Reads a cost, writes one amount for each unit of each key to `costs`, and returns how many. */
  #write(name: string, cost: unknown, missing: number): number {
    const cores = this.#cores;
    if (cores.length === 0) {
      const amounts = this.#core.units.read(name, cost, missing);
      for (let i = 0; i < amounts.length; i++) costs[i] = amounts[i]!;
      return amounts.length;
    }
    const call = borrow();
    const { numbers } = call;
    let length = 0;
    for (const { units } of cores) length = units.writeBase(numbers, length, missing);
    readForAll(name, cost, cores, cores.length, numbers, 0);
    for (let i = 0; i < length; i++) costs[i] = numbers[i]!;
    giveBack(call);
    return length;
  }

  #checkOpen(): void {
    this.#core.checkOpen();
    if (this.#open) return;
    throw new SluiceError(
      "SLUICE_RESERVATION_CLOSED",
      `This reservation of ${show(this.#key.name)} at ${show(this.#core.name)} was settled or ` +
        "cancelled",
    );
  }
}
