/**
 * A handle of a limiter, with a cache of its keys by name.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { show, SluiceError } from "../errors.ts";
import { STATUS_STALE_KEY } from "../ffi/symbols.gen.ts";
import { type CloseHandle, NativeHandle } from "../ffi/native_handle.ts";
import { own } from "../ffi/own_memory.ts";
import type { ConcurrencyUnit } from "./config.ts";
import { LimiterKey } from "./key.ts";
import { closeLimiter, leaveLimiter, OpenLimiter } from "./open_limiters.ts";
import type { SharedLife, SharedStore } from "./shared_store.ts";
import { textBuffer } from "../text_buffer.ts";
import type { Units } from "./units.ts";

/** The id of a name that has no slot. It is stale in every call but those that only look. */
export const NO_SLOT: number = NaN;

/** How often a stale key is looked up again. Each time another key may take its slot before the call. */
export const TRIES = 16;

/** The native side of a limiter, for one object. */
export class NativeLimiter extends NativeHandle {
  readonly name: string;
  readonly limits: readonly string[];
  readonly units: Units;
  readonly concurrencyUnits: readonly ConcurrencyUnit[];
  /** Whether reservations that are not ended are reported. */
  readonly tracksLeaks: boolean;
  /** The lifetime of a reservation that sets none. */
  readonly reservationTtlMs: number;
  /**
   * The costs of a call on one key, while the native side reads them. They are written last: whatever the
   * caller passed, a key as well, may have getters that make another call.
   */
  readonly costs: Float64Array<ArrayBuffer>;
  readonly #open: OpenLimiter;

  /** @param store What the limiter is shared through. */
  constructor(
    open: OpenLimiter,
    limits: readonly string[],
    units: Units,
    concurrencyUnits: readonly ConcurrencyUnit[],
    tracksLeaks: boolean,
    reservationTtlMs: number,
    store?: SharedStore,
  ) {
    super(
      open.handle,
      `The limiter ${show(open.name)}`,
      closing(open, store),
      leaving(open, store),
    );
    this.name = open.name;
    this.limits = limits;
    this.units = units;
    this.concurrencyUnits = concurrencyUnits;
    this.tracksLeaks = tracksLeaks;
    this.reservationTtlMs = reservationTtlMs;
    this.costs = own(new Float64Array(new ArrayBuffer(8 * units.names.length)));
    this.#open = open;
  }

  /** What asks a store, if the limiter is shared with other processes: see `shared_calls.ts`. */
  get shared(): SharedLife | undefined {
    return this.#open.shared;
  }

  /** Refuses a call that a limiter that is shared with other processes does not have. */
  checkLocal(call: string, instead: string): void {
    if (this.#open.shared === undefined) return;
    throw new SluiceError(
      "SLUICE_IS_SHARED",
      `${call} is not for the limiter ${show(this.name)}, which other processes share: ${instead}`,
    );
  }

  /** Resolves when what this process held of a shared limiter is given back, after the last close. */
  get left(): Promise<void> {
    return this.#open.left ?? Promise.resolve();
  }

  /**
   * Refuses a take that needs a concurrency slot. A take holds nothing once it has returned, so the limit
   * would never limit it.
   *
   * @param first The index of the limiter's first amount.
   */
  checkTake(amounts: { readonly [index: number]: number }, first = 0): void {
    for (const { limit, unit, index } of this.concurrencyUnits) {
      if (amounts[first + index] !== 0) throw takesSlot(limit, unit);
    }
  }

  /** Returns the key of a name, which gets a slot if it has none; or the key that was passed. */
  resolve(key: unknown): LimiterKey {
    if (key instanceof LimiterKey && key.limiter === this.#open) return key;
    const name = this.#nameOf(key);
    const known = this.#open.keys.get(name);
    if (known !== undefined) return known;
    return this.#remember(name, this.#intern(name));
  }

  /** Returns the key of a name, or the key that was passed. A name without a slot gets none. */
  lookUp(key: unknown): LimiterKey {
    if (key instanceof LimiterKey && key.limiter === this.#open) return key;
    const name = this.#nameOf(key);
    const known = this.#open.keys.get(name);
    if (known !== undefined) return known;
    const id = this.find(name);
    return id === undefined ? new LimiterKey(this.#open, name, NO_SLOT) : this.#remember(name, id);
  }

  /** Returns the id of the slot of a name or key, or undefined if it has none. */
  find(key: unknown): number | undefined {
    const name = this.#nameOf(key);
    this.checkOpen();
    const length = textBuffer.write(name);
    const id = this.native.sluice_limiter_find(this.handle, textBuffer.bytes, length);
    return id === STATUS_STALE_KEY ? undefined : this.unwrap(id);
  }

  /** Gives a stale key a slot again. It was idle when it lost its slot, so nothing was lost with it. */
  refresh(key: LimiterKey): void {
    key.id = this.#intern(key.name);
  }

  /** Looks a stale key up again, and gives it no slot. */
  relocate(key: LimiterKey): void {
    key.id = this.find(key.name) ?? NO_SLOT;
  }

  /** Calls `call` with the id of a key, and again as long as the key is stale. */
  withKey(key: LimiterKey, call: (id: number) => number): number {
    let result = call(key.id);
    for (let tries = 0; result === STATUS_STALE_KEY && tries < TRIES; tries++) {
      this.refresh(key);
      result = call(key.id);
    }
    return this.unwrap(result);
  }

  /**
   * The name of a key. One of another object of this limiter has an id of its own, which is kept up to date
   * by the calls of that object.
   */
  #nameOf(key: unknown): string {
    if (!(key instanceof LimiterKey)) {
      checkString("key", key);
      return key;
    }
    if (key.limiter instanceof OpenLimiter && key.limiter.name === this.name) return key.name;
    throw new RangeError(`key ${show(key.name)} belongs to another limiter than ${this.name}`);
  }

  #remember(name: string, id: number): LimiterKey {
    const key = new LimiterKey(this.#open, name, id);
    this.#open.keys.set(key);
    return key;
  }

  #intern(name: string): number {
    this.checkOpen();
    const length = textBuffer.write(name);
    return this.unwrap(this.native.sluice_limiter_key(this.handle, textBuffer.bytes, length));
  }
}

// Made outside of the constructor, so that the closures do not see the object, which then is never collected.
const closing = (open: OpenLimiter, store: SharedStore | undefined): CloseHandle => () =>
  closeLimiter(open, store);
const leaving = (open: OpenLimiter, store: SharedStore | undefined): CloseHandle => () =>
  leaveLimiter(open, store);

/** The error of a take that needs a concurrency slot. */
export function takesSlot(limit: string, unit: string): TypeError {
  return new TypeError(
    `take holds no slot of the concurrency limit ${show(limit)}: use reserve, or say that the ` +
      `call needs none: { ${unit}: 0 }`,
  );
}
