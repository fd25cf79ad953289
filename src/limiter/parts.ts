/**
 * The parts of a call over several keys, in an object that is reused from call to call.
 *
 * A part is the limiter's handle, the key's id, and one cost for each of the limiter's units.
 *
 * @module
 */
import { allocate } from "./batch.ts";
import {
  MAX_LIMITS,
  PART_COSTS,
  PART_KEY,
  PART_LIMITER,
  STATUS_STALE_KEY,
} from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import { type NativeLimiter, TRIES } from "./native_limiter.ts";

/** The arguments of a call over several keys, as they were read. */
export class PartsCall {
  /** The limiter of each part. The arrays keep their length: V8 would allocate ones that grow again anew. */
  readonly cores: (NativeLimiter | undefined)[] = [];
  /** The key of each part. */
  readonly keys: (LimiterKey | undefined)[] = [];
  /** The parts as they cross, one after the other. */
  readonly numbers: Float64Array<ArrayBuffer> = allocate(MAX_LIMITS * (PART_COSTS + MAX_LIMITS));
  /** The number of parts. */
  count = 0;
  /** The number of numbers. */
  length = 0;

  /** Adds a part, at the costs of a call that names no unit. */
  add(core: NativeLimiter, key: LimiterKey): void {
    const { count, length, numbers } = this;
    this.cores[count] = core;
    this.keys[count] = key;
    numbers[length + PART_LIMITER] = core.handle;
    numbers[length + PART_KEY] = key.id;
    this.count = count + 1;
    this.length = core.units.writeBase(numbers, length + PART_COSTS);
  }

  /** Returns the limiter of each part, in an array of its own. */
  limiters(): NativeLimiter[] {
    return this.cores.slice(0, this.count) as NativeLimiter[];
  }

  /** Refuses a take that needs a concurrency slot: see {@linkcode NativeLimiter.checkTake}. */
  checkTake(): void {
    let first = PART_COSTS;
    for (let i = 0; i < this.count; i++) {
      const core = this.cores[i]!;
      if (core.concurrencyUnits.length > 0) core.checkTake(this.numbers, first);
      first += core.units.defaults.length + PART_COSTS;
    }
  }
}

let spare: PartsCall | undefined;

/**
 * Borrows an object to read the arguments of a call into. A getter of an argument may make another call, which
 * gets another object. One that is not given back, as after an error, is replaced.
 */
export function borrow(): PartsCall {
  const call = spare ?? new PartsCall();
  spare = undefined;
  return call;
}

/** Gives an object back, without what the call was about: that may be collected. */
export function giveBack(call: PartsCall): void {
  for (let i = 0; i < call.count; i++) {
    call.cores[i] = undefined;
    call.keys[i] = undefined;
  }
  call.count = 0;
  call.length = 0;
  spare = call;
}

/** Returns a call on one key. */
export function callOf(
  core: NativeLimiter,
  key: LimiterKey,
  amounts: readonly number[],
): PartsCall {
  const call = borrow();
  call.add(core, key);
  for (let i = 0; i < amounts.length; i++) call.numbers[PART_COSTS + i] = amounts[i]!;
  return call;
}

/** Crosses, and again as long as a key is stale, which is then given a slot again or else only located. */
export function crossByParts(
  call: PartsCall,
  givesSlots: boolean,
  cross: (call: PartsCall) => number,
): number {
  let result = cross(call);
  for (let tries = 0; result === STATUS_STALE_KEY && tries < TRIES; tries++) {
    findKeys(call, givesSlots);
    result = cross(call);
  }
  if (result >= 0) return result;
  for (let i = 0; i < call.count; i++) call.cores[i]!.checkOpen();
  return call.cores[0]!.unwrap(result);
}

/** Looks all keys of a call up again, whichever is stale: it is rare. */
function findKeys({ cores, keys, count, numbers }: PartsCall, givesSlots: boolean): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const core = cores[i]!;
    const key = keys[i]!;
    if (givesSlots) core.refresh(key);
    else core.relocate(key);
    numbers[at + PART_LIMITER] = core.handle;
    numbers[at + PART_KEY] = key.id;
    at += PART_COSTS + core.units.defaults.length;
  }
}
