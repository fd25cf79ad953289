/**
 * Many decisions of one limiter in one crossing.
 *
 * @module
 */
import { checkFloats, checkLength, checkMemory, isArray } from "../arguments.ts";
import { show, SluiceError } from "../errors.ts";
import { STATUS_STALE_KEY } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { type NativeLimiter, TRIES } from "./native_limiter.ts";
import { isKind } from "../typed_array.ts";

const NOTHING = allocate(0);

/** The batches of a limiter: see {@linkcode RateLimiter.takeBatch}. */
export class LimiterBatch {
  readonly #core: NativeLimiter;
  readonly #defaults: Float64Array;
  /** The ids of keys that were given as keys or names. */
  #scratch: Float64Array<ArrayBuffer> = NOTHING;

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
    const named = isKind("Float64Array", keys) ? undefined : this.#resolve(keys, out);
    // From here on no code of the caller's runs: what the views are now they are in the call.
    const ids = named === undefined ? keys as Float64Array : this.#scratch;
    const count = named === undefined ? checkMemory("keys", ids) : named.length;
    const given = costs ?? this.#defaults;
    const units = core.units.names.length;
    const length = costs === undefined ? units : checkFloats("costs", costs);
    if (length !== units && length !== units * count) {
      throw new RangeError(
        `costs must have ${units} numbers, or ${units} for each of ${count} keys, not ${length}`,
      );
    }
    this.#checkTakes(costs, length);
    checkRoom(count, out);
    let allowed = core.unwrap(
      core.native.sluice_limiter_take_batch(core.handle, ids, count, given, length, out),
    );
    if (named !== undefined && allowed < count) {
      allowed += this.#retryStale(named, given, length, out);
    }
    return allowed;
  }

  /** Refuses costs that need a place: see {@linkcode NativeLimiter.checkTake}. */
  #checkTakes(costs: Float64Array | undefined, length: number): void {
    const { places, units } = this.#core;
    for (const { limit, unit } of places) {
      if (costs === undefined) this.#core.refuseTake(limit, unit);
      for (let at = units.place(unit) ?? 0; at < length; at += units.names.length) {
        if (costs[at] !== 0) this.#core.refuseTake(limit, unit);
      }
    }
  }

  /** The keys of a caller's array, each element of which is read once; their ids stand in `#scratch` then. */
  #resolve(keys: readonly (string | LimiterKey)[], out: Float64Array): readonly LimiterKey[] {
    if (!isArray(keys)) {
      throw new TypeError(
        `keys must be a Float64Array or an array of keys or names, not ${show(keys)}`,
      );
    }
    const core = this.#core;
    const length = checkLength("keys", keys);
    checkRoom(length, out);
    const ids = this.#scratch.length < length ? allocate(2 * length) : this.#scratch;
    // A getter among the keys may come back here: it finds a buffer that is not in use.
    this.#scratch = NOTHING;
    const resolved = new Array<LimiterKey>(length);
    for (let i = 0; i < length; i++) {
      const key = core.resolve(keys[i]);
      resolved[i] = key;
      ids[i] = key.id;
    }
    this.#scratch = ids;
    return resolved;
  }

  /** Asks again, one by one, for keys that had lost their place; returns how many were allowed. */
  #retryStale(
    keys: readonly LimiterKey[],
    costs: Float64Array,
    length: number,
    out: Float64Array,
  ): number {
    const units = this.#core.units.names.length;
    const own = allocate(units);
    let allowed = 0;
    for (let i = 0; i < keys.length; i++) {
      if (out[i] !== STATUS_STALE_KEY) continue;
      const at = length === units ? 0 : i * units;
      for (let unit = 0; unit < units; unit++) own[unit] = costs[at + unit]!;
      out[i] = this.#takeAgain(keys[i]!, own);
      if (out[i] === 0) allowed++;
    }
    return allowed;
  }

  /** The code of one key, looked up again; stale as it was if there is no place for it any more. */
  #takeAgain(key: LimiterKey, costs: Float64Array): number {
    const core = this.#core;
    const one = allocate(1);
    const id = allocate(1);
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        core.refresh(key);
        id[0] = key.id;
        core.unwrap(
          core.native.sluice_limiter_take_batch(core.handle, id, 1, costs, costs.length, one),
        );
        if (one[0] !== STATUS_STALE_KEY) return one[0]!;
      }
    } catch (error) {
      // Others of the batch were charged: that must be told, and `out` is where.
      if (!(error instanceof SluiceError && error.code === "SLUICE_TOO_MANY_KEYS")) throw error;
    }
    return STATUS_STALE_KEY;
  }
}

function checkRoom(count: number, out: Float64Array): void {
  const room = checkFloats("out", out);
  if (room < count) throw new RangeError(`out must have room for ${count} codes, not ${room}`);
}

function allocate(numbers: number): Float64Array<ArrayBuffer> {
  return new Float64Array(new ArrayBuffer(8 * numbers));
}
