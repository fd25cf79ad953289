/**
 * A limiter by GCRA rates, quotas and concurrency, for many keys, shared by all Workers of a process.
 *
 * @module
 */
import { checkBoolean, checkString } from "../arguments.ts";
import { configure } from "./config.ts";
import { checkAmount, isAmount, type LimiterCost, type TakeCost } from "./cost.ts";
import { peekByParts, takeByParts } from "./decide.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { denialBy } from "./denial.ts";
import { show } from "../errors.ts";
import {
  CLOCK_BOOT,
  CLOCK_COARSE,
  CLOCK_PRECISE,
  LIMITER_UNITS,
  STATUS_STALE_KEY,
} from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { checkKnown } from "../known_options.ts";
import type { LimitDefinition, LimitNamesOf, Limits, UnitsOf } from "./limit_definitions.ts";
import { NativeLimiter } from "./native_limiter.ts";
import { openLimiter } from "./open_limiters.ts";
import type { RateLimiterOptions } from "./options.ts";
import { callOf } from "./parts.ts";
import { RawLimiter } from "./raw.ts";
import type { Reservation, ReserveOptions } from "./reservation.ts";
import { reserveOne } from "./reserve.ts";
import { SharedLimiterBase } from "./shared_base.ts";
import { type SharedCalls, sharedOf } from "./shared_calls.ts";
import { SharedStore } from "./shared_store.ts";
import { takeMany } from "./take_many.ts";
import { takeUpTo, type TakeUpToOptions, type TakeUpToResult } from "./take_up_to.ts";
import { checkCost, type Units, unknownUnit } from "./units.ts";
import { VirtualClock } from "./virtual_clock.ts";

const OPTIONS = {
  name: true,
  limits: true,
  maxKeys: true,
  clock: true,
  reservationTtlMs: true,
  trackLeaks: true,
  shared: true,
} as const;
/** The shortest window of a quota that can be shared, in milliseconds. */
const SHORTEST_SHARED_WINDOW_MS = 1000;

/**
 * Decides by several limits at once, all or nothing, for each of many keys. Decisions are exact, and all
 * Workers of the process share them without messages.
 *
 * The units of costs are those of the limits: a misspelt unit is a type error. Where the limits are known only
 * at run time, any unit is accepted by the type, and an unknown one is refused by the call.
 *
 * @example
 * ```ts
 * import { concurrency, quota, rate, RateLimiter } from "./mod.ts";
 *
 * const limiter = new RateLimiter({
 *   name: "tenants",
 *   limits: {
 *     rpm: rate({ limit: 600, per: "minute", burst: 60 }),
 *     tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
 *     day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
 *     live: concurrency({ limit: 8 }),
 *   },
 * });
 * using reserved = limiter.reserve("tenant-42", { tokens: 1200 });
 * if (reserved.allowed) {
 *   // Send the request, and then charge what it has cost.
 *   reserved.settle({ tokens: 812 });
 * } else {
 *   console.log(reserved.limit, reserved.retryAfterMs);
 * }
 * ```
 */
export class RateLimiter<L extends Limits = Limits> extends SharedLimiterBase<L> {
  /** Batches with typed arrays in and out. {@linkcode RateLimiter.takeMany} is easier to use. */
  readonly raw: RawLimiter<LimitNamesOf<L>>;
  readonly #core: NativeLimiter;
  readonly #units: Units;
  readonly #take: NativeLimiter["native"]["sluice_limiter_take"];
  /** What a call costs that names no unit; 0 for units that there are not. */
  readonly #defaults: Float64Array<ArrayBuffer>;
  /** Whether all units have room in one call without parts. */
  readonly #isSmall: boolean;
  readonly #hasConcurrency: boolean;
  readonly #shared: SharedCalls | undefined;

  /**
   * Opens the limiter of a name, which is made if it is not open; or a limiter of this object's own.
   * O(limits).
   *
   * @throws {TypeError} An option is unknown or has a wrong type.
   * @throws {RangeError} An option has a wrong value.
   * @throws {SluiceError} `SLUICE_LIMITER_MISMATCH` if the limiter of that name has other options,
   * `SLUICE_TOO_MANY_HANDLES`, and the errors of loading the library.
   */
  constructor(options: RateLimiterOptions<L>) {
    checkKnown<RateLimiterOptions>("the options of a RateLimiter", options, OPTIONS);
    const { limits, maxKeys = 1_000_000, clock, reservationTtlMs = 600_000 } = options;
    const { name = `private ${crypto.randomUUID()}`, trackLeaks = false, shared } = options;
    checkString("name", name);
    checkBoolean("trackLeaks", trackLeaks);
    const config = configure(name, limits, maxKeys, reservationTtlMs);
    const { units, concurrencyUnits } = config;
    const isPrivate = options.name === undefined;
    if (shared !== undefined) checkShared(shared, isPrivate, clock, config.limits);
    const open = openLimiter(name, isPrivate, config, clockNumber(clock, shared), shared);
    const core = new NativeLimiter(
      open,
      Object.keys(limits),
      units,
      concurrencyUnits,
      trackLeaks,
      reservationTtlMs,
      shared,
    );
    super(core, limits);
    this.raw = new RawLimiter(core);
    this.#core = core;
    this.#units = units;
    this.#take = core.native.sluice_limiter_take;
    const [cost0 = 0, cost1 = 0, cost2 = 0, cost3 = 0] = units.defaults;
    this.#defaults = Float64Array.of(cost0, cost1, cost2, cost3);
    this.#isSmall = units.names.length <= LIMITER_UNITS;
    this.#hasConcurrency = concurrencyUnits.length > 0;
    this.#shared = sharedOf(core);
  }

  /**
   * Decides, and charges the cost if the call is allowed. A refusal changes nothing. O(limits), one crossing,
   * and no allocation if it is allowed.
   *
   * A call holds no concurrency slot once it has returned, so a limit of {@linkcode concurrency} would never
   * limit it. Where there is such a limit, use {@linkcode RateLimiter.reserve}, or say that the call needs no
   * slot.
   *
   * @throws {TypeError} `key` or `cost` has a wrong type, or the limiter has a limit of concurrency and `cost`
   * does not say `{ concurrent: 0 }`.
   * @throws {RangeError} `cost` has an invalid amount or a unit that no limit counts, or the key belongs to
   * another limiter.
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`.
   */
  take(key: string | LimiterKey, ...cost: TakeCost<L>): Decision<LimitNamesOf<L>>;
  take(key: string | LimiterKey, cost?: unknown): Decision<LimitNamesOf<L>> {
    const core = this.#core;
    const units = this.#units;
    if (!this.#isSmall) return this.#takeByParts(core.resolve(key), units.read("cost", cost));
    const defaults = this.#defaults;
    // Units.read() into variables: it allocates nothing, and no getter of the cost can reach them.
    let cost0 = defaults[0]!;
    let cost1 = defaults[1]!;
    let cost2 = defaults[2]!;
    let cost3 = defaults[3]!;
    if (cost !== undefined) {
      checkCost("cost", cost);
      for (const unit in cost) {
        const value = cost[unit];
        const index = units.indexOf(unit);
        if (index < 0) throw unknownUnit("cost", unit, [units]);
        const amount = isAmount(value) ? value : checkAmount(`cost.${unit}`, value);
        if (index === 0) cost0 = amount;
        else if (index === 1) cost1 = amount;
        else if (index === 2) cost2 = amount;
        else cost3 = amount;
      }
    }
    if (this.#hasConcurrency) core.checkTake([cost0, cost1, cost2, cost3]);
    const target = core.resolve(key);
    const code = this.#take(core.handle, target.id, cost0, cost1, cost2, cost3);
    if (code === 0) return ALLOWED;
    if (code > 0 && this.#shared === undefined) {
      return denialBy(code, core) as Denied<LimitNamesOf<L>>;
    }
    if (code > 0 || code === STATUS_STALE_KEY) {
      const amounts = [cost0, cost1, cost2, cost3].slice(0, this.units.length);
      return this.#takeByParts(target, amounts);
    }
    core.unwrap(code);
    return ALLOWED;
  }

  /**
   * Takes for many keys at the same cost, one after the other, in one crossing. Each decision is that of
   * {@linkcode RateLimiter.take}. O(keys * limits).
   *
   * All are decided as of one moment. A key that has lost its slot is looked up again, and decided after all
   * others.
   *
   * @returns A decision for each key, in order.
   * @throws As {@linkcode RateLimiter.take}. Nothing is charged then, unless a key of the batch loses its slot
   * during the call and finds no other: the calls for the other keys are charged when
   * `SLUICE_TOO_MANY_KEYS` is thrown for that reason.
   */
  takeMany(
    keys: readonly (string | LimiterKey)[],
    ...cost: TakeCost<L>
  ): Decision<LimitNamesOf<L>>[];
  takeMany(
    keys: readonly (string | LimiterKey)[],
    cost?: unknown,
  ): Decision<LimitNamesOf<L>>[] {
    return takeMany(this.#core, keys, cost) as Decision<LimitNamesOf<L>>[];
  }

  /**
   * Takes of each unit what is left, up to `cost`, in one step: all of it, or else the largest multiple of
   * `step` that fits every limit of the unit. O(limits).
   *
   * @returns What was taken of each unit, and whether that is all.
   * @throws {TypeError} As {@linkcode RateLimiter.take}, or an option is unknown or has a wrong type.
   * @throws {RangeError} As {@linkcode RateLimiter.take}, or `step` is out of range.
   * @throws {SluiceError} As {@linkcode RateLimiter.take}.
   */
  takeUpTo(
    key: string | LimiterKey,
    cost: LimiterCost<UnitsOf<L>>,
    options?: TakeUpToOptions,
  ): TakeUpToResult<UnitsOf<L>> {
    return takeUpTo(this.#core, key, cost, options) as TakeUpToResult<UnitsOf<L>>;
  }

  /**
   * Decides as a reservation or a take would, and charges nothing. A name that has no slot is decided as a
   * new key would be, and gets no slot. O(limits).
   *
   * @throws {TypeError} `key` or `cost` has a wrong type.
   * @throws {RangeError} `cost` has an invalid amount or a unit that no limit counts, or the key belongs to
   * another limiter.
   * @throws {SluiceError} `SLUICE_DISPOSED`.
   */
  peek(
    key: string | LimiterKey,
    cost?: LimiterCost<UnitsOf<L>>,
  ): Decision<LimitNamesOf<L>> {
    const core = this.#core;
    const amounts = core.units.read("cost", cost);
    const call = callOf(core, core.lookUp(key), amounts);
    return peekByParts(call) as Decision<LimitNamesOf<L>>;
  }

  /**
   * Decides, and holds the cost if the call is allowed, until the real cost is known. Then
   * {@linkcode Reservation.settle} charges that. `allowed` tells a refusal, which changes nothing. O(limits),
   * one crossing.
   *
   * @throws {TypeError} `key` or `cost` has a wrong type, or an option is unknown or has a wrong type.
   * @throws {RangeError} `cost` has an invalid amount or a unit that no limit counts, `ttlMs` is out of range,
   * or the key belongs to another limiter.
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS`, `SLUICE_TOO_MANY_RESERVATIONS` or `SLUICE_DISPOSED`.
   */
  reserve(
    key: string | LimiterKey,
    cost?: LimiterCost<UnitsOf<L>>,
    options?: ReserveOptions,
  ): Reservation<UnitsOf<L>, LimitNamesOf<L>> | Denied<LimitNamesOf<L>> {
    return reserveOne(this.#core, key, cost, options) as
      | Reservation<UnitsOf<L>, LimitNamesOf<L>>
      | Denied<LimitNamesOf<L>>;
  }

  /**
   * Takes by the call for several keys, for more units than cross as numbers and for stale keys. Takes by credit
   * that is not at hand yet, if other processes share the limits.
   */
  #takeByParts(key: LimiterKey, amounts: readonly number[]): Decision<LimitNamesOf<L>> {
    const shared = this.#shared;
    if (shared !== undefined) {
      return shared.takeNow(this.#core, key, amounts) as Decision<LimitNamesOf<L>>;
    }
    return takeByParts(callOf(this.#core, key, amounts)) as Decision<LimitNamesOf<L>>;
  }
}

/** Refuses what cannot be shared. */
function checkShared(
  shared: unknown,
  isPrivate: boolean,
  clock: unknown,
  limits: readonly LimitDefinition[],
): void {
  if (!(shared instanceof SharedStore)) {
    throw new TypeError(`shared must be made by valkey() of sluice/shared, not ${show(shared)}`);
  }
  if (isPrivate) throw new TypeError("name must be a string if the limits are shared");
  if (clock === "precise" || clock === "coarse") {
    throw new RangeError(
      `clock must be a VirtualClock or left out if the limits are shared, not ${show(clock)}`,
    );
  }
  for (const { kind, per } of limits as readonly { kind: string; per?: unknown }[]) {
    if (kind === "quota" && typeof per === "number" && per < SHORTEST_SHARED_WINDOW_MS) {
      throw new RangeError(
        `a quota that is shared must have windows of ${SHORTEST_SHARED_WINDOW_MS} ms or more, ` +
          `not ${per}`,
      );
    }
  }
}

function clockNumber(clock: unknown, shared: SharedStore | undefined): number {
  // Leases end while the machine is suspended.
  if (clock === undefined && shared !== undefined) return CLOCK_BOOT;
  if (clock === undefined || clock === "precise") return CLOCK_PRECISE;
  if (clock === "coarse") return CLOCK_COARSE;
  if (clock instanceof VirtualClock) return clock.handle;
  throw new TypeError(`clock must be "precise", "coarse" or a VirtualClock, not ${show(clock)}`);
}
