/**
 * Refuses unknown options, because a misspelt one would be ignored silently.
 *
 * @module
 */
import { show } from "./errors.ts";

/** The names of all options. The compiler finds missing and unknown names. */
export type Known<Options extends object> = { readonly [Option in keyof Required<Options>]: true };

/**
 * Refuses what is not an object, and an object with an own property that is not one of `known`. Inherited
 * properties are ignored. O(properties); allocates nothing.
 *
 * @param name The name of the options in the message, such as `the options of rate()`.
 * @throws {TypeError} With the unknown option and the known ones.
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
