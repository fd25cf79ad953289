/**
 * What calls cost, by unit.
 *
 * @module
 */
import { show } from "../errors.ts";
import { MAX_AMOUNT, MIN_AMOUNT } from "../ffi/symbols.gen.ts";

/**
 * What a call costs, by unit, such as `{ tokens: 1200 }`. `requests` and `concurrent` are 1 unless
 * told otherwise, other units 0. Each is 0, or from 0.000001 to 1e12 and rounded to a millionth. What is
 * less is refused: count money in a unit small enough, such as thousandths of a cent.
 */
export type Cost = Readonly<Record<string, number>>;

/** Units that a call costs 1 of if it does not say. */
const ONE = new Set(["requests", "concurrent"]);

/** The units of a limiter, in the order of its costs. */
export class Units {
  readonly names: readonly string[];
  /** What a call costs that does not say. */
  readonly defaults: readonly number[];
  readonly #places: ReadonlyMap<string, number>;
  /** `names`, not frozen: both engines read a frozen array two to three times as slowly. */
  readonly #names: readonly string[];
  /** How often costs were begun to be read: another number afterwards tells of a getter that took. */
  #reads = 0;

  /** @param names Distinct. */
  constructor(names: readonly string[]) {
    this.names = Object.freeze([...names]);
    this.defaults = names.map((name) => ONE.has(name) ? 1 : 0);
    this.#names = [...names];
    this.#places = new Map(names.map((name, index) => [name, index]));
  }

  /** Where a unit is, or undefined. */
  place(name: string): number | undefined {
    return this.#places.get(name);
  }

  /**
   * Writes one cost for each unit to `out` from `at` on; `missing` (or the defaults) for those that
   * `cost` does not name.
   */
  write(cost: Cost | undefined, out: Float64Array, at: number, missing?: number): void {
    const { defaults } = this;
    const names = this.#names;
    for (let i = 0; i < defaults.length; i++) out[at + i] = missing ?? defaults[i]!;
    if (cost === undefined) return;
    for (const name in cost) {
      for (let i = 0; i < names.length; i++) {
        if (names[i] === name) out[at + i] = cost[name]!;
      }
    }
  }

  /** Writes what a call costs that does not say to `out` from `at` on, and says where that ends. */
  writeDefaults(out: Float64Array, at: number): number {
    const { defaults } = this;
    for (let i = 0; i < defaults.length; i++) out[at + i] = defaults[i]!;
    return at + defaults.length;
  }

  /** Writes the cost of one unit to `out`, whose costs begin at `at`; false if it is not counted. */
  writeOne(name: string, amount: number, out: Float64Array, at: number): boolean {
    const names = this.#names;
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== name) continue;
      out[at + i] = amount;
      return true;
    }
    return false;
  }

  /** Writes one cost for each unit to `out`, and refuses what is no cost. */
  read(cost: Cost, out: Float64Array): void {
    const mine = ++this.#reads;
    this.#read(cost, out);
    if (this.#reads === mine) return;
    // `out` is shared, and a getter of the cost has used it: once more, to where nobody else writes.
    const own = new Float64Array(out.length);
    this.#read(cost, own);
    out.set(own);
  }

  #read(cost: Cost, out: Float64Array): void {
    const { defaults } = this;
    const names = this.#names;
    for (let i = 0; i < defaults.length; i++) out[i] = defaults[i]!;
    if (typeof cost !== "object" || cost === null) Units.check("cost", cost, [this]);
    for (const name in cost) {
      let place = 0;
      // Few names, and those of a program are one string: cheaper than a map.
      while (place < names.length && names[place] !== name) place++;
      const value = cost[name]!;
      if (place === names.length || !isAmount(value)) {
        Units.check("cost", cost, [this]);
      }
      out[place] = value;
    }
  }

  /** Refuses what is no cost, and units that none of `all` has: a typing error would cost nothing. */
  static check(name: string, cost: unknown, all: readonly Units[]): void {
    if (cost === undefined) return;
    if (typeof cost !== "object" || cost === null) {
      throw new TypeError(`${name} must be an object such as { tokens: 1200 }, not ${show(cost)}`);
    }
    for (const unit in cost) {
      if (!all.some((units) => units.#places.has(unit))) {
        const known = all.flatMap((units) => units.names.map((name) => show(name)));
        throw new RangeError(
          `${name} has the unit ${show(unit)}, which no limit counts; the limits count ` +
            [...new Set(known)].join(", "),
        );
      }
      checkAmount(`${name}.${unit}`, (cost as Cost)[unit]);
    }
  }
}

/** A cost as values: reading it runs nothing of the caller's. */
export function plain(cost: Cost | undefined): Cost | undefined {
  if (cost === undefined) return undefined;
  const values: Record<string, number> = Object.create(null);
  // Inherited ones as well, as everywhere else.
  for (const name in cost) values[name] = cost[name]!;
  return values;
}

/** Whether it is an amount of a unit. */
export function isAmount(value: unknown): value is number {
  return typeof value === "number" && (value >= MIN_AMOUNT || value === 0) && value <= MAX_AMOUNT;
}

/** Refuses what is no amount of a unit. */
export function checkAmount(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!isAmount(value)) {
    throw new RangeError(`${name} must be 0, or from 0.000001 to 1e12, not ${value}`);
  }
  return value;
}
