/**
 * Many decisions of one limiter in one crossing.
 *
 * @module
 */
import { checkMemory } from "../arguments.ts";
import { show } from "../errors.ts";
import type { LimiterKey } from "./key.ts";
import { type NativeLimiter, STALE_KEY } from "./native_limiter.ts";

/** The batches of a limiter: see {@linkcode RateLimiter.takeBatch}. */
export class LimiterBatch {
  readonly #core: NativeLimiter;
  readonly #defaults: Float64Array;
  /** The ids of keys that were given as keys. */
  #scratch = new Float64Array(new ArrayBuffer(0));

  /** @param defaults What a call costs that does not say. */
  constructor(core: NativeLimiter, defaults: Float64Array) {
    this.#core = core;
    this.#defaults = defaults;
  }

  /** Writes a code for each key to `out`, and returns how many were allowed. */
  take(
    keys: Float64Array | readonly LimiterKey[],
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
    if (out.length < count) {
      throw new RangeError(`out must have room for ${count} codes, not ${out.length}`);
    }
    let allowed = core.unwrap(
      core.native.sluice_limiter_take_batch(core.handle, ids, count, given, length, out),
    );
    if (ids !== keys && allowed < count) allowed += this.#retryStale(keys, given, length, out);
    return allowed;
  }

  #ids(keys: readonly LimiterKey[]): Float64Array<ArrayBuffer> {
    if (!Array.isArray(keys)) {
      throw new TypeError(`keys must be a Float64Array or an array of keys, not ${show(keys)}`);
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
    keys: Float64Array | readonly LimiterKey[],
    costs: Float64Array,
    length: number,
    out: Float64Array,
  ): number {
    const core = this.#core;
    const units = core.units.names.length;
    let allowed = 0;
    const one = new Float64Array(new ArrayBuffer(8));
    for (let i = 0; i < keys.length; i++) {
      if (out[i] !== STALE_KEY) continue;
      const at = length === units ? 0 : i * units;
      const cost = costs.slice(at, at + units);
      const key = keys[i] as LimiterKey;
      core.refresh(key);
      const id = new Float64Array([key.id]);
      allowed += core.unwrap(
        core.native.sluice_limiter_take_batch(core.handle, id, 1, cost, units, one),
      );
      out[i] = one[0]!;
    }
    return allowed;
  }
}

function checkFloats(name: string, value: unknown): Float64Array {
  if (!(value instanceof Float64Array)) {
    throw new TypeError(`${name} must be a Float64Array, not ${show(value)}`);
  }
  return value;
}
