/**
 * Calls on several keys of several limiters, all or nothing.
 *
 * @module
 */
import { checkLength } from "../arguments.ts";
import type { LimiterCost } from "./cost.ts";
import { peekByParts, takeByParts } from "./decide.ts";
import type { Decision, Denied } from "./decision.ts";
import { show } from "../errors.ts";
import { MAX_LIMITS, PART_COSTS } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import type { LimitNamesOf, Limits, UnitsOf } from "./limit_definitions.ts";
import { borrow, type PartsCall } from "./parts.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import { RateLimiterBase } from "./rate_limiter_base.ts";
import type { Reservation, ReserveOptions } from "./reservation.ts";
import { readTtl, reserveByParts } from "./reserve.ts";
import { readForAll } from "./units.ts";

/** One key of one limiter, for {@linkcode takeAll}, {@linkcode peekAll} and {@linkcode reserveAll}. */
// deno-lint-ignore no-explicit-any
export interface LimiterPart<L extends Limits = any> {
  /** The limiter. */
  readonly limiter: RateLimiter<L>;
  /** One of its keys. */
  readonly key: string | LimiterKey;
}

/** The limits of the limiters of parts. */
export type LimitsOfParts<Parts extends readonly LimiterPart[]> = Parts[number] extends infer Part
  ? Part extends { readonly limiter: RateLimiter<infer L> } ? L : never
  : never;

/** The units that the limiters of parts count. */
export type UnitsOfParts<Parts extends readonly LimiterPart[]> = LimitsOfParts<Parts> extends
  infer L ? L extends Limits ? UnitsOf<L> : never : never;

/** The names of the limits of the limiters of parts. */
export type LimitNamesOfParts<Parts extends readonly LimiterPart[]> = LimitsOfParts<Parts> extends
  infer L ? L extends Limits ? LimitNamesOf<L> : never : never;

/**
 * Takes from several keys and limiters in one crossing, all or nothing, such as for a tenant, a user and a
 * model. A refusal changes nothing anywhere. A key that is named twice is charged once. O(limits).
 *
 * @param parts Up to 16 limits in all, of limiters that share their clock.
 * @param cost Each limiter counts the units that its limits count. A unit that none of them counts is refused.
 * @throws {TypeError} An argument has a wrong type, or a limiter has a limit of concurrency and `cost` does
 * not say that the call needs no slot: see {@linkcode concurrency}.
 * @throws {RangeError} There are no limits or more than 16, or `cost` has an invalid amount or unit.
 * @throws {SluiceError} `SLUICE_DIFFERENT_CLOCKS`, `SLUICE_TOO_MANY_KEYS`, or `SLUICE_DISPOSED`.
 */
export function takeAll<const Parts extends readonly LimiterPart[]>(
  parts: Parts,
  cost?: LimiterCost<UnitsOfParts<Parts>>,
): Decision<LimitNamesOfParts<Parts>> {
  return takeByParts(readParts(parts, cost, true)) as Decision<LimitNamesOfParts<Parts>>;
}

/**
 * Decides as {@linkcode reserveAll} would, and charges nothing. A name that has no slot is decided as a new
 * key would be, and gets no slot. O(limits).
 *
 * @throws {TypeError} An argument has a wrong type.
 * @throws {RangeError} As {@linkcode takeAll}.
 * @throws {SluiceError} `SLUICE_DIFFERENT_CLOCKS` or `SLUICE_DISPOSED`.
 */
export function peekAll<const Parts extends readonly LimiterPart[]>(
  parts: Parts,
  cost?: LimiterCost<UnitsOfParts<Parts>>,
): Decision<LimitNamesOfParts<Parts>> {
  return peekByParts(readParts(parts, cost, false)) as Decision<LimitNamesOfParts<Parts>>;
}

/**
 * Reserves at several keys and limiters in one crossing, all or nothing: see {@linkcode takeAll} and
 * {@linkcode RateLimiter.reserve}. O(limits).
 *
 * @example
 * ```ts
 * import { concurrency, rate, RateLimiter, reserveAll } from "./mod.ts";
 *
 * const users = new RateLimiter({ name: "users", limits: { live: concurrency({ limit: 2 }) } });
 * const models = new RateLimiter({
 *   name: "models",
 *   limits: { tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }) },
 * });
 * using reserved = reserveAll(
 *   [{ limiter: users, key: "ada" }, { limiter: models, key: "gpt-5" }],
 *   { tokens: 1200 },
 * );
 * if (reserved.allowed) reserved.settle({ tokens: 812 });
 * ```
 *
 * @throws {TypeError} An argument has a wrong type, or an option is unknown or has a wrong type.
 * @throws {RangeError} As {@linkcode takeAll}, or `ttlMs` is out of range.
 * @throws {SluiceError} As {@linkcode takeAll}, and `SLUICE_TOO_MANY_RESERVATIONS`.
 */
export function reserveAll<const Parts extends readonly LimiterPart[]>(
  parts: Parts,
  cost?: LimiterCost<UnitsOfParts<Parts>>,
  options?: ReserveOptions,
):
  | Reservation<UnitsOfParts<Parts>, LimitNamesOfParts<Parts>>
  | Denied<LimitNamesOfParts<Parts>> {
  const ttlMs = readTtl(options);
  return reserveByParts(readParts(parts, cost, true), ttlMs) as
    | Reservation<UnitsOfParts<Parts>, LimitNamesOfParts<Parts>>
    | Denied<LimitNamesOfParts<Parts>>;
}

/**
 * Reads parts and a cost once.
 *
 * @param givesSlots Whether a name that has no slot gets one.
 */
export function readParts(
  parts: readonly LimiterPart[],
  cost: unknown,
  givesSlots: boolean,
): PartsCall {
  const count = checkLength("parts", parts);
  const call = borrow();
  let limits = 0;
  // No more than it takes to refuse them: a Proxy may have parts without end.
  for (let i = 0; i < count && limits <= MAX_LIMITS; i++) {
    const part = parts[i] as Partial<LimiterPart> | null | undefined;
    const limiter: unknown = part?.limiter;
    const core = RateLimiterBase.coreOf(limiter);
    if (core === undefined) {
      throw new TypeError(`parts[${i}].limiter must be a RateLimiter, not ${show(limiter)}`);
    }
    core.checkOpen();
    call.add(core, givesSlots ? core.resolve(part!.key) : core.lookUp(part!.key));
    limits += core.limits.length;
  }
  if (limits < 1 || limits > MAX_LIMITS) {
    const found = limits > MAX_LIMITS ? `${limits} or more` : limits;
    throw new RangeError(`parts must have 1 to ${MAX_LIMITS} limits in all, not ${found}`);
  }
  readForAll("cost", cost, call.cores, call.count, call.numbers, PART_COSTS);
  return call;
}
