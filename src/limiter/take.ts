/**
 * Taking what there is, and what a call may say that it costs.
 *
 * @module
 */
import { checkAmount, type Cost, Units } from "./cost.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";
import type { ConcurrencyLimit, Limit } from "./limits.ts";
import type { Member } from "./native_limiter.ts";

/**
 * The cost of a {@linkcode RateLimiter.take}: of a limiter that is known to have limits of concurrency, one
 * that says that no place is needed.
 */
export type TakeCost<Kind extends Limit> = 0 extends 1 & Kind ? [cost?: Cost]
  : [Extract<Kind, ConcurrencyLimit>] extends [never] ? [cost?: Cost]
  : string extends Extract<Kind, ConcurrencyLimit>["unit"] ? [cost: Cost]
  : [cost: Cost & { readonly [Unit in Extract<Kind, ConcurrencyLimit>["unit"]]: 0 }];

/** How {@linkcode RateLimiter.takeUpTo} takes. */
export interface TakeUpToOptions {
  /** What is less than all is a multiple of this; at least 0.000001. @default 1 */
  readonly step?: number;
}

/** What {@linkcode RateLimiter.takeUpTo} has taken. */
export interface Taken {
  /** Of each unit that the limiter counts, how much. */
  readonly taken: Readonly<Record<string, number>>;
  /** Whether that is all that was asked for. */
  readonly isAll: boolean;
}

const OPTIONS = { step: true } as const;

/** Takes of each unit what there is, up to `cost`. */
export function takeUpTo(
  { core, key }: Member,
  cost: Cost,
  options: TakeUpToOptions = {},
): Taken {
  checkKnown<TakeUpToOptions>("the options of takeUpTo()", options, OPTIONS);
  if (cost === undefined) {
    throw new TypeError(`cost must be an object such as { tokens: 1200 }, not ${show(cost)}`);
  }
  Units.check("cost", cost, [core.units]);
  core.checkTake(cost);
  const { step = 1 } = options;
  if (checkAmount("step", step) === 0) throw new RangeError("step must be above 0, not 0");
  const { names } = core.units;
  const costs = new Float64Array(new ArrayBuffer(8 * names.length));
  core.units.write(cost, costs, 0);
  const { sluice_limiter_take_up_to } = core.native;
  const all = core.withKey(
    key,
    (id) => sluice_limiter_take_up_to(core.handle, id, costs, costs.length, step),
  );
  const taken = Object.fromEntries(names.map((name, at) => [name, costs[at]!]));
  return { taken, isAll: all === 1 };
}
