/**
 * Costs of calls: amounts by unit.
 *
 * @module
 */
import { show } from "../errors.ts";
import { MAX_AMOUNT, MIN_AMOUNT } from "../ffi/symbols.gen.ts";
import type { ConcurrencyUnitsOf, Limits, UnitsOf } from "./limit_definitions.ts";

/**
 * The cost of a call, by unit, such as `{ tokens: 1200 }`. Units that it does not name cost their default: 1
 * for `requests` and for units of a {@linkcode concurrency}, otherwise 0.
 *
 * An amount is 0, or from 0.000001 to 1e12, and is rounded to a millionth. A smaller amount is refused, so
 * count money in a small unit, such as thousandths of a cent.
 */
export type LimiterCost<Unit extends string = string> = string extends Unit
  ? Readonly<Record<string, number>>
  : { readonly [Name in Unit]?: number };

/**
 * The cost argument of {@linkcode RateLimiter.take}. It is required where the limiter is known to have limits
 * of {@linkcode concurrency}, and then says that the call holds none of their units.
 */
export type TakeCost<L extends Limits> = [ConcurrencyUnitsOf<L>] extends [never]
  ? [cost?: LimiterCost<UnitsOf<L>>]
  : string extends ConcurrencyUnitsOf<L> ? [cost?: LimiterCost<UnitsOf<L>>]
  : [cost: LimiterCost<UnitsOf<L>> & { readonly [Unit in ConcurrencyUnitsOf<L>]: 0 }];

/** Returns whether a value is an amount of a unit. */
export function isAmount(value: unknown): value is number {
  return typeof value === "number" && (value >= MIN_AMOUNT || value === 0) && value <= MAX_AMOUNT;
}

/** Refuses a value that is not an amount of a unit. */
export function checkAmount(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!isAmount(value)) {
    throw new RangeError(`${name} must be 0, or from 0.000001 to 1e12, not ${value}`);
  }
  return value;
}
