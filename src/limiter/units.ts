/**
 * Reading of costs: a caller's object becomes an array with one amount for each unit.
 *
 * A cost may be a Proxy or have getters, which may call the limiter again. So each member is read once, into
 * an array that no other call sees, and checked there.
 *
 * @module
 */
import { checkAmount, isAmount } from "./cost.ts";
import { show } from "../errors.ts";

/** The unit that costs 1 by default, beside those of concurrency. */
const ONE = "requests";

/** The units of a limiter, in the order of its costs. */
export class Units {
  readonly names: readonly string[];
  /** What a call costs that names no unit. */
  readonly defaults: readonly number[];
  /** `names`, not frozen: both engines read a frozen array two to three times as slowly. */
  readonly #names: readonly string[];

  /**
   * @param names Distinct.
   * @param held Those that a limit of concurrency counts: they cost 1 by default.
   */
  constructor(names: readonly string[], held: ReadonlySet<string>) {
    this.names = Object.freeze([...names]);
    this.defaults = names.map((name) => name === ONE || held.has(name) ? 1 : 0);
    this.#names = [...names];
  }

  /** Writes the amount of each unit that a cost does not name, from `at` on, and returns the end. */
  writeBase(numbers: Float64Array, at: number, missing?: number): number {
    const { defaults } = this;
    for (let i = 0; i < defaults.length; i++) numbers[at + i] = missing ?? defaults[i]!;
    return at + defaults.length;
  }

  /** Returns the index of a unit, or -1. O(units): cheaper than a map for the few that there are. */
  indexOf(name: string): number {
    const names = this.#names;
    for (let i = 0; i < names.length; i++) if (names[i] === name) return i;
    return -1;
  }

  /**
   * Reads a cost once.
   *
   * @param name The name of the argument in messages.
   * @param missing The amount of units that the cost does not name. @default Each unit's own.
   * @throws {TypeError} It is not an object, or an amount is not a number.
   * @throws {RangeError} An amount is out of range, or a unit is unknown.
   */
  read(name: string, cost: unknown, missing?: number): readonly number[] {
    const { defaults } = this;
    const amounts: number[] = [];
    for (let i = 0; i < defaults.length; i++) amounts.push(missing ?? defaults[i]!);
    if (cost === undefined) return amounts;
    checkCost(name, cost);
    for (const unit in cost) {
      const index = this.indexOf(unit);
      const amount = cost[unit];
      if (index < 0) throw unknownUnit(name, unit, [this]);
      amounts[index] = isAmount(amount) ? amount : checkAmount(`${name}.${unit}`, amount);
    }
    return amounts;
  }
}

/**
 * Reads the cost of a call on several limiters once. Each of them counts the units that it knows.
 *
 * @param name The name of the argument in messages.
 * @param limiters The first `count` are those of the call.
 * @param numbers For each limiter, `skip` numbers and then an amount for each of its units. The amounts of
 * units that the cost names are overwritten. No other call may see it.
 * @throws As {@linkcode Units.read}; a unit is unknown if none of the limiters knows it.
 */
export function readForAll(
  name: string,
  cost: unknown,
  limiters: readonly ({ readonly units: Units } | undefined)[],
  count: number,
  numbers: Float64Array,
  skip: number,
): void {
  if (cost === undefined) return;
  checkCost(name, cost);
  for (const unit in cost) {
    const value = cost[unit];
    let isKnown = false;
    let first = skip;
    for (let i = 0; i < count; i++) {
      const { units } = limiters[i]!;
      const index = units.indexOf(unit);
      if (index >= 0) {
        isKnown = true;
        numbers[first + index] = isAmount(value) ? value : checkAmount(`${name}.${unit}`, value);
      }
      first += units.defaults.length + skip;
    }
    if (!isKnown) throw unknownUnit(name, unit, limiters.slice(0, count).map((one) => one!.units));
  }
}

/** Refuses a cost that is not an object. */
export function checkCost(
  name: string,
  cost: unknown,
): asserts cost is Readonly<Record<string, unknown>> {
  if (typeof cost === "object" && cost !== null) return;
  throw new TypeError(`${name} must be an object such as { tokens: 1200 }, not ${show(cost)}`);
}

/** The error of a unit that no limit counts: a misspelt one would cost nothing. */
export function unknownUnit(name: string, unit: string, all: readonly Units[]): RangeError {
  const known = new Set(all.flatMap(({ names }) => names.map((name) => show(name))));
  return new RangeError(
    `${name} has the unit ${show(unit)}, which no limit counts; the limits count ` +
      [...known].join(", "),
  );
}
