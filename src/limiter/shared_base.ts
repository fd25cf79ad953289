/**
 * The operations of a limiter that may ask a store, because other processes share its limits.
 *
 * @module
 */
import { checkPeriodMs, checkPositive, checkSignal } from "../arguments.ts";
import { checkLike, limitNumbers } from "./config.ts";
import type { LimiterCost } from "./cost.ts";
import { show } from "../errors.ts";
import { LIMITER_UNITS } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { checkKnown } from "../known_options.ts";
import type { LimitDefinition, LimitNamesOf, Limits, UnitsOf } from "./limit_definitions.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { RateLimiterBase } from "./rate_limiter_base.ts";
import { reserveOneShared } from "./reserve.ts";
import {
  type SharedCallOptions,
  sharedCallsOf,
  type SharedReserveOptions,
  type SharedTakeArguments,
} from "./shared_calls.ts";
import { ALLOWED_BY, type SharedDecision, type SharedDenied } from "./shared_decision.ts";
import type { SharedReservation } from "./shared_reservation.ts";

const CALL_OPTIONS = { signal: true, timeoutMs: true } as const;
const RESERVE_OPTIONS = { ttlMs: true, ...CALL_OPTIONS } as const;
const NO_OPTIONS: SharedCallOptions = {};

/** All calls that are allowed from credit share one promise, so that they allocate nothing. */
const BY_CREDIT: Promise<SharedDecision<never>> = Promise.resolve(ALLOWED_BY.credit);

/** The base of {@linkcode RateLimiter} with the operations of limits that other processes share. */
export abstract class SharedLimiterBase<L extends Limits = Limits> extends RateLimiterBase<L>
  implements AsyncDisposable {
  readonly #core: NativeLimiter;
  readonly #take: NativeLimiter["native"]["sluice_limiter_take"];
  readonly #limits: Limits;

  /** @ignore */
  constructor(core: NativeLimiter, limits: L) {
    super(core, limits);
    this.#core = core;
    this.#take = core.native.sluice_limiter_take;
    this.#limits = this.limits;
  }

  /**
   * Decides as {@linkcode RateLimiter.take} does, over all processes: from the credit that this process holds,
   * without any I/O, or else by asking the store. `source` of the decision says on what it rests. Each call to
   * the store takes at most `timeoutMs`, and the promise never rejects because of the store. O(limits).
   *
   * The promise rejects as {@linkcode RateLimiter.take} throws, with the reason of an aborted signal, and with
   * a `SluiceError` of code `SLUICE_NOT_SHARED` if the limiter was made without the option `shared`. If `signal`
   * aborts while the store is asked, the call may be charged.
   */
  takeShared(
    key: string | LimiterKey,
    ...costAndOptions: SharedTakeArguments<L>
  ): Promise<SharedDecision<LimitNamesOf<L>>>;
  takeShared(
    key: string | LimiterKey,
    cost?: unknown,
    options?: unknown,
  ): Promise<SharedDecision<LimitNamesOf<L>>> {
    try {
      const core = this.#core;
      const amounts = core.units.read("cost", cost);
      const given = readOptions(options);
      core.checkTake(amounts);
      const target = core.resolve(key);
      const sharedCalls = sharedCallsOf(core);
      if (amounts.length <= LIMITER_UNITS) {
        const [cost0 = 0, cost1 = 0, cost2 = 0, cost3 = 0] = amounts;
        const code = this.#take(core.handle, target.id, cost0, cost1, cost2, cost3);
        if (code === 0) {
          sharedCalls.credited++;
          return BY_CREDIT;
        }
      }
      return sharedCalls.take(core, target, amounts, given) as Promise<
        SharedDecision<LimitNamesOf<L>>
      >;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Reserves as {@linkcode RateLimiter.reserve} does, over all processes: see
   * {@linkcode RateLimiter.takeShared}. `settle`, `cancel` and `topUp` of the reservation ask no store.
   * O(limits).
   *
   * The promise rejects as {@linkcode RateLimiter.reserve} throws, and as that of
   * {@linkcode RateLimiter.takeShared}. If `signal` aborts, nothing stays reserved.
   */
  async reserveShared(
    key: string | LimiterKey,
    cost?: LimiterCost<UnitsOf<L>>,
    options?: SharedReserveOptions,
  ): Promise<SharedReservation<UnitsOf<L>, LimitNamesOf<L>> | SharedDenied<LimitNamesOf<L>>> {
    const reserved = await reserveOneShared(
      this.#core,
      key,
      cost,
      readReserveOptions(options),
    );
    return reserved as
      | SharedReservation<UnitsOf<L>, LimitNamesOf<L>>
      | SharedDenied<LimitNamesOf<L>>;
  }

  /**
   * Decides as {@linkcode RateLimiter.reserveShared} would, and charges nothing: from credit, or else by asking
   * the store. O(limits).
   *
   * The promise rejects as that of {@linkcode RateLimiter.takeShared}.
   */
  async peekShared(
    key: string | LimiterKey,
    cost?: LimiterCost<UnitsOf<L>>,
    options?: SharedCallOptions,
  ): Promise<SharedDecision<LimitNamesOf<L>>> {
    const core = this.#core;
    const amounts = core.units.read("cost", cost);
    const given = readOptions(options);
    const target = core.resolve(key);
    const decision = await sharedCallsOf(core).peek(core, target, amounts, given);
    return decision as SharedDecision<LimitNamesOf<L>>;
  }

  /**
   * Sets limits of one key for all processes, in the store: see {@linkcode RateLimiter.setLimits}. Another
   * process applies them from its next call to the store on, which is after a third of a lease at the latest
   * while it uses the key. O(limits).
   *
   * The promise rejects with a `TypeError` or a `RangeError` as {@linkcode RateLimiter.setLimits} throws; with
   * a `SluiceError` of code `SLUICE_STORE_UNREACHABLE` if the store did not answer; `SLUICE_NOT_SHARED`,
   * `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`.
   */
  async setLimitsShared(
    key: string | LimiterKey,
    limits: { readonly [Name in keyof L]?: L[Name] | undefined } | undefined,
  ): Promise<void> {
    const core = this.#core;
    let numbers = new Float64Array(new ArrayBuffer(0));
    if (limits !== undefined) {
      if (typeof limits !== "object" || limits === null) {
        throw new TypeError(`limits must be an object or undefined, not ${show(limits)}`);
      }
      // Each limit is read once, so that what is checked is what is set.
      const given = new Map<string, LimitDefinition | undefined>(Object.entries(limits));
      for (const [name, limit] of given) checkLike(name, limit, this.#limits);
      const all = core.limits.map((name) => given.get(name) ?? this.#limits[name]!);
      numbers = limitNumbers(all, core.units);
    }
    await sharedCallsOf(core).setLimits(core, core.resolve(key), numbers);
  }

  /**
   * Forgets in the store what a key has used, for all processes. Credit that processes hold, and open
   * reservations, stay. O(limits).
   *
   * The promise rejects as that of {@linkcode RateLimiter.setLimitsShared}.
   */
  async resetShared(key: string | LimiterKey): Promise<void> {
    const core = this.#core;
    await sharedCallsOf(core).reset(core, core.resolve(key));
  }

  /**
   * Closes the limiter for this object, and resolves when what this process held of limits that others share
   * is given back to the store, or when the store has not answered in time. For `await using`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#core.left;
  }
}

/** Reads the options of a call once. */
export function readOptions(options: unknown): SharedCallOptions {
  if (options === undefined) return NO_OPTIONS;
  checkKnown<SharedCallOptions>("the options of a call", options, CALL_OPTIONS);
  return { signal: checkSignal("signal", options.signal), timeoutMs: readTimeout(options) };
}

/** Reads the options of a reservation once. */
export function readReserveOptions(options: unknown): SharedReserveOptions {
  if (options === undefined) return NO_OPTIONS;
  checkKnown<SharedReserveOptions>("the options of a reservation", options, RESERVE_OPTIONS);
  const { ttlMs, signal } = options;
  return {
    ttlMs: ttlMs === undefined ? undefined : checkPeriodMs("ttlMs", ttlMs),
    signal: checkSignal("signal", signal),
    timeoutMs: readTimeout(options),
  };
}

function readTimeout({ timeoutMs }: SharedCallOptions): number | undefined {
  return timeoutMs === undefined ? undefined : checkPositive("timeoutMs", timeoutMs);
}
