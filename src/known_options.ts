/**
 * Refuses options that nobody reads: a misspelt one would have no effect, and say nothing.
 *
 * @module
 */
import { show } from "./errors.ts";

/**
 * Refuses what is no object, and an object with an own member that is not one of `known`.
 *
 * @param name What the options are called in the message, such as `the options of rate()`.
 * @throws {TypeError} It names the option, and those that there are.
 */
export function checkKnown<Options extends object>(
  name: string,
  options: unknown,
  known: { readonly [Option in keyof Required<Options>]: true },
): asserts options is Options {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${name} must be an object, not ${show(options)}`);
  }
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(known, option)) continue;
    const names = Object.keys(known).map((name) => show(name)).join(", ");
    throw new TypeError(`${name} must not have ${show(option)}: known are ${names}`);
  }
}
