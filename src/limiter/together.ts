/**
 * Several keys of several limiters in one decision.
 *
 * @module
 */
import { checkLength, isArray } from "../arguments.ts";
import { type Cost, isAmount, Units } from "./cost.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { show } from "../errors.ts";
import { MAX_LIMITS, PART_COSTS, PART_KEY, PART_LIMITER } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { LimiterKeys } from "./keys.ts";
import {
  denial,
  type Member,
  type NativeLimiter,
  parts,
  withParts,
  writing,
} from "./native_limiter.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import { type Reservation, reserve, type ReserveOptions } from "./reservation.ts";

/** One key of one limiter, for {@linkcode takeAll} and {@linkcode reserveAll}. */
export interface Part {
  /** The limiter. */
  // deno-lint-ignore no-explicit-any
  readonly limiter: RateLimiter<any, any>;
  /** One of its keys. */
  readonly key: string | LimiterKey;
}

/**
 * Takes from several keys and limiters in one crossing, all or nothing, such as for a tenant, a user
 * and a model. A refusal changes nothing anywhere. A key that is there twice is charged once.
 * O(limits).
 *
 * @param parts Up to 16 limits in all; limiters must share their clock.
 * @param cost Each limiter counts of it what its limits count; a unit that none counts is refused.
 * @throws {TypeError} A limiter has a limit of concurrency, and `cost` does not say that it needs no
 * place: see {@linkcode concurrency}.
 * @throws {SluiceError} `SLUICE_DIFFERENT_CLOCKS`, `SLUICE_TOO_MANY_KEYS`, or `SLUICE_DISPOSED`.
 */
export function takeAll(parts: readonly Part[], cost?: Cost): Decision {
  return decideAll(parts, cost, 1);
}

/** As {@linkcode takeAll}, and takes nothing. */
export function peekAll(parts: readonly Part[], cost?: Cost): Decision {
  return decideAll(parts, cost, 0);
}

/**
 * Reserves at several keys and limiters in one crossing, all or nothing: see {@linkcode takeAll} and
 * {@linkcode RateLimiter.reserve}.
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
 */
export function reserveAll(
  parts: readonly Part[],
  cost?: Cost,
  options?: ReserveOptions,
): Reservation | Denied {
  return reserve(membersOf(parts, cost), cost, options);
}

/** {@linkcode decide}, without making members of `given` unless there is something to say of them. */
function decideAll(given: readonly Part[], cost: Cost | undefined, consume: 0 | 1): Decision {
  const length = writeAtOnce(given, cost, consume);
  if (length > 0) {
    const code = cores[0]!.native.sluice_limiter_take_all(parts, length, consume);
    if (code === 0) return ALLOWED;
    if (code > 0) return denial(code, cores);
  }
  return decide(membersOf(given, cost), cost, consume);
}

/** The limiters of parts that are being written, and where their costs begin in `parts`. */
const cores: NativeLimiter[] = [];
const starts: number[] = [];

/**
 * Writes parts and what they cost to `parts`, and says how many numbers they are: 0 if anything is not
 * as it should be, which {@linkcode membersOf} then says.
 */
function writeAtOnce(
  given: readonly Part[],
  cost: Cost | undefined,
  consume: 0 | 1,
): number {
  if (!isArray(given)) return 0;
  const count: unknown = given.length;
  if (typeof count !== "number" || !Number.isInteger(count) || count > MAX_LIMITS) return 0;
  const mine = ++writing.times;
  let limits = 0;
  let length = 0;
  for (let i = 0; i < count; i++) {
    const part = given[i] as Part | undefined;
    const core = LimiterKeys.coreOf(part?.limiter);
    if (core === undefined || core.handle === 0) return 0;
    if (consume === 1 && core.places.length > 0) return 0;
    const { id } = core.resolve(part!.key);
    parts[length + PART_LIMITER] = core.handle;
    parts[length + PART_KEY] = id;
    cores[i] = core;
    starts[i] = length + PART_COSTS;
    length = core.units.writeDefaults(parts, length + PART_COSTS);
    limits += core.limits.length;
  }
  if (limits > MAX_LIMITS || (cost !== undefined && (typeof cost !== "object" || cost === null))) {
    return 0;
  }
  for (const name in cost) {
    const amount = cost[name];
    if (!isAmount(amount)) return 0;
    let isCounted = false;
    for (let i = 0; i < count; i++) {
      if (cores[i]!.units.writeOne(name, amount, parts, starts[i]!)) isCounted = true;
    }
    if (!isCounted) return 0;
  }
  return writing.times === mine ? length : 0;
}

/** Decides about `members`, and consumes if `consume` is 1. */
export function decide(
  members: readonly Member[],
  cost: Cost | undefined,
  consume: 0 | 1,
): Decision {
  if (consume === 1) { for (const { core } of members) core.checkTake(cost); }
  const { native } = members[0]!.core;
  const code = withParts(
    members,
    cost,
    (length) => native.sluice_limiter_take_all(parts, length, consume),
  );
  return code === 0 ? ALLOWED : denial(code, members.map(({ core }) => core));
}

function membersOf(parts: readonly Part[], cost: Cost | undefined): Member[] {
  const count = checkLength("parts", parts);
  const members: Member[] = [];
  let limits = 0;
  // No more than it takes to tell: a Proxy may have parts without end.
  for (let i = 0; i < count && limits <= MAX_LIMITS; i++) {
    const part = parts[i] as Partial<Part> | null | undefined;
    const core = LimiterKeys.coreOf(part?.limiter);
    if (core === undefined) {
      throw new TypeError(`parts[${i}].limiter must be a RateLimiter, not ${show(part?.limiter)}`);
    }
    core.checkOpen();
    members.push({ core, key: core.resolve(part!.key) });
    limits += core.limits.length;
  }
  if (limits < 1 || limits > MAX_LIMITS) {
    const found = limits > MAX_LIMITS ? `${limits} or more` : limits;
    throw new RangeError(`parts must have 1 to ${MAX_LIMITS} limits in all, not ${found}`);
  }
  if (cost !== undefined) Units.check("cost", cost, members.map(({ core }) => core.units));
  return members;
}
