/**
 * Refuses options that nobody reads: a misspelt one would have no effect, and say nothing.
 *
 * @module
 */
import { show } from "./errors.ts";

/** All options that there are; the compiler finds one that is missing, and one too many. */
export type Known<Options extends object> = { readonly [Option in keyof Required<Options>]: true };

/**
 * Refuses what is no object, and an object with an own member that is not one of `known`. What
 * a class or a prototype brings along is no option. O(members); allocates nothing.
 *
 * @param name What the options are called in the message, such as `the options of rate()`.
 * @throws {TypeError} It names the option, and those that there are.
 */
export function checkKnown<Options extends object>(
  name: string,
  options: unknown,
  known: Known<Options>,
): asserts options is Options {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${name} must be an object, not ${show(options)}`);
  }
  for (const option in options) {
    if (Object.hasOwn(known, option) || !Object.hasOwn(options, option)) continue;
    const names = Object.keys(known).map((name) => show(name)).join(", ");
    throw new TypeError(`${name} must not have ${show(option)}: known are ${names}`);
  }
}
