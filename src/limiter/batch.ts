/**
 * Batches of decisions about one limiter, in one crossing.
 *
 * @module
 */
import { own } from "../ffi/own_memory.ts";
import { checkLength } from "../arguments.ts";
import { SluiceError } from "../errors.ts";
import { STATUS_STALE_KEY } from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { type NativeLimiter, TRIES } from "./native_limiter.ts";

const NO_IDS = allocate(0);

/** The batches of a limiter. Their arguments are checked. */
export class LimiterBatch {
  readonly #core: NativeLimiter;
  #ids: Float64Array<ArrayBuffer> = NO_IDS;

  constructor(core: NativeLimiter) {
    this.#core = core;
  }

  /**
   * Returns the keys of a caller's array, each element of which is read once.
   *
   * @param checkCount Refuses a number of keys before any of them gets a slot.
   */
  resolve(keys: unknown, checkCount?: (count: number) => void): readonly LimiterKey[] {
    const length = checkLength("keys", keys);
    checkCount?.(length);
    const resolved = new Array<LimiterKey>(length);
    for (let i = 0; i < length; i++) {
      resolved[i] = this.#core.resolve((keys as readonly unknown[])[i]);
    }
    return resolved;
  }

  /**
   * Takes for `count` ids and writes a code for each to `codes`.
   *
   * @param length The number of costs: one for each unit, for all ids alike or for each.
   * @returns How many calls were allowed.
   */
  take(
    ids: Float64Array,
    count: number,
    costs: Float64Array,
    length: number,
    codes: Float64Array,
  ): number {
    const core = this.#core;
    return core.unwrap(
      core.native.sluice_limiter_take_batch(core.handle, ids, count, costs, length, codes),
    );
  }

  /** Takes for keys. Those that have lost their slot are looked up and decided again after all others. */
  takeKeys(
    keys: readonly LimiterKey[],
    costs: Float64Array,
    length: number,
    codes: Float64Array,
  ): number {
    const count = keys.length;
    const ids = this.#ids.length < count ? allocate(2 * count) : this.#ids;
    // A getter of an id may come back here: it finds a buffer that is not in use.
    this.#ids = NO_IDS;
    for (let i = 0; i < count; i++) ids[i] = keys[i]!.id;
    this.#ids = ids;
    const allowed = this.take(ids, count, costs, length, codes);
    return allowed < count ? allowed + this.#retryStale(keys, costs, length, codes) : allowed;
  }

  /** Decides again about keys whose code is stale, one by one; returns how many were allowed. */
  #retryStale(
    keys: readonly LimiterKey[],
    costs: Float64Array,
    length: number,
    codes: Float64Array,
  ): number {
    const units = this.#core.units.names.length;
    const row = allocate(units);
    let allowed = 0;
    for (let i = 0; i < keys.length; i++) {
      if (codes[i] !== STATUS_STALE_KEY) continue;
      const at = length === units ? 0 : i * units;
      for (let unit = 0; unit < units; unit++) row[unit] = costs[at + unit]!;
      codes[i] = this.#takeAgain(keys[i]!, row);
      if (codes[i] === 0) allowed++;
    }
    return allowed;
  }

  /** Returns the code of a key that is looked up again. It is stale if there is no slot for the key. */
  #takeAgain(key: LimiterKey, costs: Float64Array): number {
    const id = allocate(1);
    const code = allocate(1);
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        this.#core.refresh(key);
        id[0] = key.id;
        this.take(id, 1, costs, costs.length, code);
        if (code[0] !== STATUS_STALE_KEY) return code[0]!;
      }
    } catch (error) {
      // Other calls of the batch were charged, which only their codes can tell.
      if (!(error instanceof SluiceError && error.code === "SLUICE_TOO_MANY_KEYS")) throw error;
    }
    return STATUS_STALE_KEY;
  }
}

/** Allocates numbers that cross. Bun moves small typed arrays that have no buffer of their own. */
export function allocate(numbers: number): Float64Array<ArrayBuffer> {
  return own(new Float64Array(new ArrayBuffer(8 * numbers)));
}
