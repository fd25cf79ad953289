/**
 * Partial takes: the largest multiple of a step that fits.
 *
 * @module
 */
import { checkAmount } from "./cost.ts";
import { checkKnown } from "../known_options.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import { sharedOf } from "./shared_calls.ts";
import { checkCost } from "./units.ts";

/** The options of {@linkcode RateLimiter.takeUpTo}. */
export interface TakeUpToOptions {
  /** An amount that is less than asked for is a multiple of this. At least 0.000001. @default 1 */
  readonly step?: number | undefined;
}

/** What {@linkcode RateLimiter.takeUpTo} has taken. */
export interface TakeUpToResult<Unit extends string = string> {
  /** The amount that was taken of each unit of the limiter. */
  readonly taken: Readonly<Record<Unit, number>>;
  /** Whether that is all that was asked for. */
  readonly isAll: boolean;
}

const OPTIONS = { step: true } as const;

/** Takes of each unit what is left, up to `cost`. */
export function takeUpTo(
  core: NativeLimiter,
  key: unknown,
  cost: unknown,
  options: TakeUpToOptions = {},
): TakeUpToResult {
  checkKnown<TakeUpToOptions>("the options of takeUpTo()", options, OPTIONS);
  const { step = 1 } = options;
  if (checkAmount("step", step) === 0) throw new RangeError("step must be above 0, not 0");
  checkCost("cost", cost);
  const amounts = core.units.read("cost", cost);
  core.checkTake(amounts);
  const target = core.resolve(key);
  const { costs, native } = core;
  const all = core.withKey(target, (id) => {
    costs.set(amounts);
    return native.sluice_limiter_take_up_to(core.handle, id, costs, costs.length, step);
  });
  const taken = Object.fromEntries(core.units.names.map((name, i) => [name, costs[i]!]));
  // For the next call: other processes may have left more.
  if (all === 0) sharedOf(core)?.ask(core, target, amounts);
  return { taken, isAll: all === 1 };
}
