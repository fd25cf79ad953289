/**
 * Many decisions of one limiter in one crossing.
 *
 * @module
 */
import { checkMemory } from "../arguments.ts";
import { show, SluiceError } from "../errors.ts";
import type { LimiterKey } from "./key.ts";
import { type NativeLimiter, STALE_KEY, TRIES } from "./native_limiter.ts";

/** The batches of a limiter: see {@linkcode RateLimiter.takeBatch}. */
export class LimiterBatch {
  readonly #core: NativeLimiter;
  readonly #defaults: Float64Array;
  /** The ids of keys that were given as keys or names. */
  #scratch = new Float64Array(new ArrayBuffer(0));

  /** @param defaults What a call costs that does not say. */
  constructor(core: NativeLimiter, defaults: Float64Array) {
    this.#core = core;
    this.#defaults = defaults;
  }

  /** Writes a code for each key to `out`, and returns how many were allowed. */
  take(
    keys: Float64Array | readonly (string | LimiterKey)[],
    costs: Float64Array | undefined,
    out: Float64Array,
  ): number {
    const core = this.#core;
    const ids = keys instanceof Float64Array ? keys : this.#ids(keys);
    const count = keys.length;
    const given = costs ?? this.#defaults;
    checkMemory("keys", checkFloats("keys", ids));
    checkMemory("costs", checkFloats("costs", given));
    checkMemory("out", checkFloats("out", out));
    const units = core.units.names.length;
    const length = costs === undefined ? units : costs.length;
    if (length !== units && length !== units * count) {
      throw new RangeError(
        `costs must have ${units} numbers, or ${units} for each of ${count} keys, not ${length}`,
      );
    }
    this.#checkTakes(costs, count);
    if (out.length < count) {
      throw new RangeError(`out must have room for ${count} codes, not ${out.length}`);
    }
    let allowed = core.unwrap(
      core.native.sluice_limiter_take_batch(core.handle, ids, count, given, length, out),
    );
    if (!(keys instanceof Float64Array) && allowed < count) {
      allowed += this.#retryStale(keys, given, length, out);
    }
    return allowed;
  }

  /** Refuses costs that need a place: see {@linkcode NativeLimiter.checkTake}. */
  #checkTakes(costs: Float64Array | undefined, count: number): void {
    const { places, units } = this.#core;
    if (count === 0) return;
    for (const { limit, unit } of places) {
      let at = units.place(unit) ?? 0;
      if (costs === undefined) this.#core.refuseTake(limit, unit);
      for (; at < costs.length; at += units.names.length) {
        if (costs[at] !== 0) this.#core.refuseTake(limit, unit);
      }
    }
  }

  #ids(keys: readonly (string | LimiterKey)[]): Float64Array<ArrayBuffer> {
    if (!Array.isArray(keys)) {
      throw new TypeError(
        `keys must be a Float64Array or an array of keys or names, not ${show(keys)}`,
      );
    }
    const { length } = keys;
    if (this.#scratch.length < length) {
      this.#scratch = new Float64Array(new ArrayBuffer(8 * Math.max(64, 2 * length)));
    }
    for (let i = 0; i < length; i++) this.#scratch[i] = this.#core.resolve(keys[i]).id;
    return this.#scratch;
  }

  /** Asks again, one by one, for keys that had lost their place; returns how many were allowed. */
  #retryStale(
    keys: readonly (string | LimiterKey)[],
    costs: Float64Array,
    length: number,
    out: Float64Array,
  ): number {
    const units = this.#core.units.names.length;
    let allowed = 0;
    for (let i = 0; i < keys.length; i++) {
      if (out[i] !== STALE_KEY) continue;
      const at = length === units ? 0 : i * units;
      out[i] = this.#takeAgain(keys[i]!, costs.slice(at, at + units));
      if (out[i] === 0) allowed++;
    }
    return allowed;
  }

  /** The code of one key, looked up again; stale as it was if there is no place for it any more. */
  #takeAgain(given: string | LimiterKey, costs: Float64Array): number {
    const core = this.#core;
    const one = new Float64Array(new ArrayBuffer(8));
    try {
      const key = core.resolve(given);
      for (let tries = 0; tries < TRIES; tries++) {
        core.refresh(key);
        const id = Float64Array.of(key.id);
        core.unwrap(
          core.native.sluice_limiter_take_batch(core.handle, id, 1, costs, costs.length, one),
        );
        if (one[0] !== STALE_KEY) return one[0]!;
      }
    } catch (error) {
      // Others of the batch were charged: that must be told, and `out` is where.
      if (!(error instanceof SluiceError && error.code === "SLUICE_TOO_MANY_KEYS")) throw error;
    }
    return STALE_KEY;
  }
}

function checkFloats(name: string, value: unknown): Float64Array {
  if (!(value instanceof Float64Array)) {
    throw new TypeError(`${name} must be a Float64Array, not ${show(value)}`);
  }
  return value;
}
