/**
 * Batches with typed arrays in and out.
 *
 * @module
 */
import { checkFloats, checkMemory, isArray } from "../arguments.ts";
import { allocate, LimiterBatch } from "./batch.ts";
import { ALLOWED, type Decision, type Denied } from "./decision.ts";
import { denialBy } from "./denial.ts";
import { show } from "../errors.ts";
import { STATUS_STALE_KEY } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { type NativeLimiter, takesSlot } from "./native_limiter.ts";
import { isKind } from "../typed_array.ts";

/**
 * The batches of a limiter in the form in which they cross: see {@linkcode RateLimiter.raw}. Keys are numbers,
 * costs are numbers in the order of {@linkcode RateLimiter.units}, and decisions are codes. Nothing is
 * allocated for a batch whose keys are numbers. {@linkcode RateLimiter.takeMany} is easier to use.
 *
 * @example
 * ```ts
 * import { rate, RateLimiter } from "./mod.ts";
 *
 * using limiter = new RateLimiter({ limits: { rps: rate({ limit: 1, per: "second" }) } });
 * const ids = Float64Array.from(["a", "b", "a"], (name) => limiter.key(name).id);
 * const codes = new Float64Array(ids.length);
 * console.log(limiter.raw.takeBatch(ids, undefined, codes)); // 2
 * console.log(limiter.raw.decision(codes[2]!).allowed); // false
 * ```
 */
export class RawLimiter<Name extends string = string> {
  /** The code of an id that has lost its slot. Look the key up by its name again. */
  readonly staleKey: number = STATUS_STALE_KEY;
  readonly #core: NativeLimiter;
  readonly #batch: LimiterBatch;
  readonly #defaults: Float64Array;

  /** @ignore Limiters make these. */
  constructor(core: NativeLimiter) {
    this.#core = core;
    this.#batch = new LimiterBatch(core);
    this.#defaults = allocate(core.units.names.length);
    this.#defaults.set(core.units.defaults);
  }

  /**
   * Takes for many keys in one crossing, one after the other, all as of one moment. O(keys * limits).
   *
   * Keys and names that have lost their slot are looked up again and decided after all others, each as of its
   * own moment.
   *
   * @param keys Keys or names; or ids of keys, in an array that is passed on as it is. The code of an id that
   * has lost its slot is {@linkcode RawLimiter.staleKey}. A key or a name gets that code only if there is no
   * slot for it any more.
   * @param costs One cost for each of {@linkcode RateLimiter.units}, for all keys alike, or as many for each
   * key; `undefined` for the defaults.
   * @param out Gets a code for each key: 0 if the call is allowed, else one for
   * {@linkcode RawLimiter.decision}.
   * @returns How many calls were allowed.
   * @throws {TypeError} An argument has a wrong type, or the call needs a concurrency slot.
   * @throws {RangeError} `costs` or `out` has a wrong length, or a key belongs to another limiter.
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` if a new name finds no slot, and `SLUICE_DISPOSED`. Nothing
   * is charged then.
   */
  takeBatch(
    keys: Float64Array | readonly (string | LimiterKey)[],
    costs: Float64Array | undefined,
    out: Float64Array,
  ): number {
    const isIds = isKind("Float64Array", keys);
    if (!isIds && !isArray(keys)) {
      throw new TypeError(
        `keys must be a Float64Array or an array of keys or names, not ${show(keys)}`,
      );
    }
    const checkCount = (count: number) => checkRoom(count, out);
    const named = isIds ? undefined : this.#batch.resolve(keys, checkCount);
    // From here on no code of the caller runs: the views keep the length that they have now.
    const count = named === undefined ? checkMemory("keys", keys as Float64Array) : named.length;
    const units = this.#core.units.names.length;
    const length = costs === undefined ? units : checkFloats("costs", costs);
    if (length !== units && length !== units * count) {
      throw new RangeError(
        `costs must have ${units} numbers, or ${units} for each of ${count} keys, not ${length}`,
      );
    }
    this.#checkTakes(costs, length);
    checkRoom(count, out);
    const given = costs ?? this.#defaults;
    return named === undefined
      ? this.#batch.take(keys as Float64Array, count, given, length, out)
      : this.#batch.takeKeys(named, given, length, out);
  }

  /**
   * Returns the decision of a code. O(1).
   *
   * @throws {RangeError} It is the code of a stale key, or of a cost that is not an amount.
   */
  decision(code: number): Decision<Name> {
    if (code === 0) return ALLOWED;
    if (code > 0) return denialBy(code, this.#core) as Denied<Name>;
    throw new RangeError(
      code === STATUS_STALE_KEY
        ? "code stands for a key that has lost its slot: look it up by name again"
        : `code must be one that takeBatch wrote for a valid key and cost, not ${code}`,
    );
  }

  /** Refuses costs that need a concurrency slot: see {@linkcode NativeLimiter.checkTake}. */
  #checkTakes(costs: Float64Array | undefined, length: number): void {
    const { concurrencyUnits, units } = this.#core;
    for (const { limit, unit, index } of concurrencyUnits) {
      if (costs === undefined) throw takesSlot(limit, unit);
      for (let at = index; at < length; at += units.names.length) {
        if (costs[at] !== 0) throw takesSlot(limit, unit);
      }
    }
  }
}

function checkRoom(count: number, out: Float64Array): void {
  const room = checkFloats("out", out);
  if (room < count) throw new RangeError(`out must have room for ${count} codes, not ${room}`);
}
