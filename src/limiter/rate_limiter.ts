/**
 * Rate limits, quotas and concurrency for many keys, shared by all Workers of a process.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { type Cost, Units } from "./cost.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { show } from "../errors.ts";
import {
  CLOCK_COARSE,
  CLOCK_PRECISE,
  LIMITER_UNITS,
  STATUS_STALE_KEY,
} from "../ffi/symbols.gen.ts";
import { LimiterBatch } from "./batch.ts";
import { configure } from "./config.ts";
import type { LimiterKey } from "./key.ts";
import { LimiterKeys } from "./keys.ts";
import { checkKnown } from "../known_options.ts";
import type { Limit } from "./limits.ts";
import { denialOf, NativeLimiter } from "./native_limiter.ts";
import { openLimiter } from "./open_limiters.ts";
import type { RateLimiterOptions } from "./options.ts";
import { type Reservation, reserve, type ReserveOptions } from "./reservation.ts";
import type { TakeCost, Taken, TakeUpToOptions } from "./take.ts";
import { takeUpTo } from "./take.ts";
import { decide } from "./together.ts";
import { VirtualClock } from "./virtual_clock.ts";

const OPTIONS = {
  name: true,
  limits: true,
  maxKeys: true,
  clock: true,
  reservationTtlMs: true,
  trackLeaks: true,
} as const;

/**
 * Decides by several limits at once, all or nothing, for each of many keys. Exact, and shared by all
 * Workers of the process without messages.
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
export class RateLimiter<
  Name extends string = string,
  // deno-lint-ignore no-explicit-any
  Kind extends Limit = any,
> extends LimiterKeys<Name> {
  readonly #core: NativeLimiter;
  readonly #take: NativeLimiter["native"]["sluice_limiter_take"];
  /** Costs of the call at hand, and what they are if it does not say. */
  readonly #costs: Float64Array<ArrayBuffer>;
  readonly #defaults: Float64Array<ArrayBuffer>;
  readonly #isSmall: boolean;
  readonly #hasPlaces: boolean;
  readonly #batch: LimiterBatch;

  /**
   * Opens the limiter of a name, which is made if nobody has it open; or one of its own.
   *
   * @throws {TypeError} An option is not known, or has a wrong type.
   * @throws {RangeError} An option has a wrong value.
   * @throws {SluiceError} `SLUICE_LIMITER_MISMATCH` if the limiter of that name has other options,
   * `SLUICE_TOO_MANY_HANDLES`, and what loading the library throws.
   */
  constructor(options: RateLimiterOptions<Name, Kind>) {
    checkKnown<RateLimiterOptions>("the options of a RateLimiter", options, OPTIONS);
    const { limits, maxKeys = 1_000_000, clock, reservationTtlMs = 600_000 } = options;
    const { name = `private ${crypto.randomUUID()}`, trackLeaks = false } = options;
    checkString("name", name);
    if (typeof trackLeaks !== "boolean") {
      throw new TypeError(`trackLeaks must be a boolean, not ${show(trackLeaks)}`);
    }
    const config = configure(name, limits, maxKeys, reservationTtlMs);
    const { units } = config;
    const open = openLimiter(name, options.name === undefined, config, clockNumber(clock));
    const names = Object.keys(limits);
    const core = new NativeLimiter(
      open,
      names,
      units,
      config.places,
      trackLeaks,
      reservationTtlMs,
    );
    super(core, limits);
    this.#core = core;
    this.#take = core.native.sluice_limiter_take;
    this.#hasPlaces = config.places.length > 0;
    const room = Math.max(LIMITER_UNITS, units.names.length);
    this.#costs = new Float64Array(new ArrayBuffer(8 * room));
    this.#defaults = new Float64Array(new ArrayBuffer(8 * room));
    this.#defaults.set(units.defaults);
    this.#isSmall = units.names.length <= LIMITER_UNITS;
    this.#batch = new LimiterBatch(this.#core, this.#defaults);
  }

  /**
   * Decides, and charges if it is allowed. A refusal changes nothing. O(limits), one crossing, and
   * allocates nothing when allowed.
   *
   * A call holds no place when it is over, so a limit of {@linkcode concurrency} would never limit it:
   * where there is one, use {@linkcode RateLimiter.reserve}, or say that the call needs no place.
   *
   * @throws {TypeError} The limiter has a limit of concurrency and `cost` does not say `{ concurrent: 0 }`.
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`.
   */
  take(key: string | LimiterKey, ...cost: TakeCost<Kind>): Decision<Name>;
  take(key: string | LimiterKey, cost?: Cost): Decision<Name> {
    const core = this.#core;
    if (this.#hasPlaces) core.checkTake(cost);
    const target = core.resolve(key);
    let costs = this.#defaults;
    if (cost !== undefined) {
      costs = this.#costs;
      core.units.read(cost, costs);
    }
    if (!this.#isSmall) return decide([{ core, key: target }], cost, 1) as Decision<Name>;
    const code = this.#take(core.handle, target.id, costs[0]!, costs[1]!, costs[2]!, costs[3]!);
    if (code === 0) return ALLOWED;
    if (code > 0) return denialOf(code, core) as Denied<Name>;
    if (code === STATUS_STALE_KEY) {
      return decide([{ core, key: target }], cost, 1) as Decision<Name>;
    }
    core.unwrap(code);
    return ALLOWED;
  }

  /**
   * Takes of each unit what there is, up to `cost`, in one step: all of it, or else the largest multiple of
   * `step` that fits every limit of the unit. O(limits).
   *
   * @returns What was taken of each unit, and whether that is all.
   * @throws As {@linkcode RateLimiter.take}.
   */
  takeUpTo(key: string | LimiterKey, cost: Cost, options?: TakeUpToOptions): Taken {
    return takeUpTo({ core: this.#core, key: this.#core.resolve(key) }, cost, options);
  }

  /** As {@linkcode RateLimiter.take}, and charges nothing; a name that is new gets a key. */
  peek(key: string | LimiterKey, cost?: Cost): Decision<Name> {
    Units.check("cost", cost, [this.#core.units]);
    return decide([this.#member(key)], cost, 0) as Decision<Name>;
  }

  /**
   * Decides, and holds the cost if it is allowed, until it is known: then {@linkcode Reservation.settle}
   * charges what was used. A refusal can be told by `allowed`, and changes nothing. O(limits).
   *
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS`, `SLUICE_TOO_MANY_RESERVATIONS` or `SLUICE_DISPOSED`.
   */
  reserve(
    key: string | LimiterKey,
    cost?: Cost,
    options?: ReserveOptions,
  ): Reservation | Denied<Name> {
    Units.check("cost", cost, [this.#core.units]);
    return reserve([this.#member(key)], cost, options) as Reservation | Denied<Name>;
  }

  /**
   * Takes for many keys, one after the other and as of one moment, in one crossing. O(keys * limits).
   *
   * Keys and names that turn out to have lost their place are looked up again and decided after all
   * others, each as of its own moment.
   *
   * @param keys Keys or names, or `id`s of keys in an array that is handed over as it is. An id whose key
   * has lost its place gets {@linkcode RateLimiter.staleKey} as its code; so does a key or a name only if
   * there is no place for it any more.
   * @param costs One for each of {@linkcode RateLimiter.units} for each key, or for all alike;
   * `undefined` for the default.
   * @param out Gets a code for each key: 0 if allowed, else what {@linkcode RateLimiter.decision} takes.
   * @returns How many were allowed.
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` if a new name finds no place; nothing is charged then.
   */
  takeBatch(
    keys: Float64Array | readonly (string | LimiterKey)[],
    costs: Float64Array | undefined,
    out: Float64Array,
  ): number {
    return this.#batch.take(keys, costs, out);
  }

  /** The code of a key, in a batch of ids, that has lost its place: look it up by name again. */
  static readonly staleKey: number = STATUS_STALE_KEY;

  /**
   * What a code of {@linkcode RateLimiter.takeBatch} stands for.
   *
   * @throws {RangeError} It stands for a stale key or a cost that is none.
   */
  decision(code: number): Decision<Name> {
    if (code === 0) return ALLOWED;
    if (code > 0) return denialOf(code, this.#core) as Denied<Name>;
    throw new RangeError(
      code === STATUS_STALE_KEY
        ? "code stands for a key that has lost its place: look it up by name again"
        : `code must be one that takeBatch wrote for a valid key and cost, not ${code}`,
    );
  }

  #member(key: string | LimiterKey): { core: NativeLimiter; key: LimiterKey } {
    return { core: this.#core, key: this.#core.resolve(key) };
  }
}

function clockNumber(clock: unknown): number {
  if (clock === undefined || clock === "precise") return CLOCK_PRECISE;
  if (clock === "coarse") return CLOCK_COARSE;
  if (clock instanceof VirtualClock) return clock.handle;
  throw new TypeError(`clock must be "precise", "coarse" or a VirtualClock, not ${show(clock)}`);
}
