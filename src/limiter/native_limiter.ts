/**
 * A limiter's handle, and what its calls share.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { type Cost, plain, type Units } from "./cost.ts";
import { Denial, type DenialReason } from "./decision.ts";
import { show, SluiceError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import type { Native } from "../ffi/native.ts";
import {
  CODE_REASON,
  CODE_US,
  DENIED_HELD,
  DENIED_NEVER,
  DENIED_UNTIL,
  MAX_LIMITS,
  PART_COSTS,
  PART_KEY,
  PART_LIMITER,
  STATUS_STALE_KEY,
} from "../ffi/symbols.gen.ts";
import type { Place } from "./config.ts";
import { LimiterKey } from "./key.ts";
import { closeLimiter, OpenLimiter, watchUser } from "./open_limiters.ts";
import { textBuffer } from "../text_buffer.ts";

/** How often a key is looked up again before its loss is reported: each time another took its place. */
export const TRIES = 16;

/** One key of one limiter, as calls over several take it. */
export interface Member {
  readonly core: NativeLimiter;
  readonly key: LimiterKey;
}

/** The reasons of a refusal, by their numbers. */
const REASONS: Readonly<Record<number, DenialReason>> = {
  [DENIED_UNTIL]: "time",
  [DENIED_HELD]: "held",
  [DENIED_NEVER]: "never",
};

/** The native side of a limiter, for one object. */
export class NativeLimiter {
  /** 0 once closed. */
  handle: number;
  readonly name: string;
  readonly native: Native = native();
  readonly #open: OpenLimiter;

  constructor(
    open: OpenLimiter,
    readonly limits: readonly string[],
    readonly units: Units,
    readonly places: readonly Place[],
    /** Whether reservations are watched. */
    readonly tracksLeaks: boolean,
    /** How long a reservation lives that does not say. */
    readonly reservationTtlMs: number,
  ) {
    this.handle = open.handle;
    this.name = open.name;
    this.#open = open;
    watchUser(this, open);
  }

  /** Closes it for this object. Closing again is fine. */
  close(): void {
    if (this.handle === 0) return;
    this.handle = 0;
    closeLimiter(this, this.#open);
  }

  /** Refuses to take a place: who takes holds none, so the limit would never limit. */
  checkTake(cost: Cost | undefined): void {
    for (const { limit, unit } of this.places) {
      if (cost?.[unit] !== 0) this.refuseTake(limit, unit);
    }
  }

  refuseTake(limit: string, unit: string): never {
    throw new TypeError(
      `take holds no place of the concurrency limit ${show(limit)}: use reserve, or say that the ` +
        `call needs none: { ${unit}: 0 }`,
    );
  }

  /** The key of a name, or the key that it is. */
  resolve(key: unknown): LimiterKey {
    if (key instanceof LimiterKey) {
      if (key.limiter === this.#open) return key;
      // Another object of this very limiter: its key has its own number, kept up to date by whoever uses it.
      if (this.#isSame(key.limiter)) return this.resolve(key.name);
      throw new RangeError(`key ${show(key.name)} belongs to another limiter than ${this.name}`);
    }
    checkString("key", key);
    return this.#open.keys.get(key) ?? this.#add(key);
  }

  /** The number of a key that is there, or undefined; makes none. */
  find(key: unknown): number | undefined {
    if (key instanceof LimiterKey && key.limiter === this.#open) return key.id;
    const name: unknown = key instanceof LimiterKey && this.#isSame(key.limiter) ? key.name : key;
    if (name instanceof LimiterKey) return this.resolve(name).id;
    checkString("key", name);
    this.checkOpen();
    const length = textBuffer.write(name);
    const id = this.native.sluice_limiter_find(this.handle, textBuffer.bytes, length);
    return id === STATUS_STALE_KEY ? undefined : this.unwrap(id);
  }

  /** Looks a stale key up again: it was idle, so nothing is lost. */
  refresh(key: LimiterKey): void {
    key.id = this.#intern(key.name);
  }

  /** Passes on a result; throws what a negative one stands for. */
  unwrap(result: number): number {
    if (result >= 0) return result;
    this.checkOpen();
    return unwrap(result);
  }

  checkOpen(): void {
    if (this.handle === 0) {
      throw new SluiceError("SLUICE_DISPOSED", `The limiter ${show(this.name)} is closed`);
    }
  }

  /** Calls `call` with a key's number, again if the key is stale. */
  withKey(key: unknown, call: (id: number) => number): number {
    const target = this.resolve(key);
    let result = call(target.id);
    for (let tries = 0; result === STATUS_STALE_KEY && tries < TRIES; tries++) {
      this.refresh(target);
      result = call(target.id);
    }
    return this.unwrap(result);
  }

  #isSame(other: object): boolean {
    return other instanceof OpenLimiter && other.name === this.name;
  }

  #add(name: string): LimiterKey {
    const key = new LimiterKey(this.#open, name, this.#intern(name));
    this.#open.keys.set(key);
    return key;
  }

  #intern(name: string): number {
    this.checkOpen();
    const length = textBuffer.write(name);
    return this.unwrap(this.native.sluice_limiter_key(this.handle, textBuffer.bytes, length));
  }
}

/** Where parts stand while the native side reads them; one for each isolate. */
export const parts: Float64Array<ArrayBuffer> = new Float64Array(
  new ArrayBuffer(8 * MAX_LIMITS * (PART_COSTS + MAX_LIMITS)),
);

/**
 * How often parts were begun to be written: whoever finds another number afterwards was interrupted, by
 * a getter of the caller's, and has to write again.
 */
export const writing = { times: 0 };

/** Writes parts and returns how many numbers they are; calls `call` again while a key is stale. */
export function withParts(
  members: readonly Member[],
  cost: Cost | undefined,
  call: (length: number) => number,
): number {
  const { core } = members[0]!;
  for (let tries = 0;; tries++) {
    const mine = ++writing.times;
    let length = 0;
    for (const { core, key } of members) {
      parts[length + PART_LIMITER] = core.handle;
      parts[length + PART_KEY] = key.id;
      core.units.write(cost, parts, length + PART_COSTS);
      length += PART_COSTS + core.units.names.length;
    }
    if (writing.times !== mine) return withParts(members, plain(cost), call);
    const result = call(length);
    if (result !== STATUS_STALE_KEY || tries === TRIES) {
      if (result < 0) { for (const { core } of members) core.checkOpen(); }
      return core.unwrap(result);
    }
    // Rare: which one it is makes no difference.
    for (const { core, key } of members) core.refresh(key);
  }
}

/** The refusal of a code above 0, for a call on several limiters. The ABI's `limiter/codec.rs` describes codes. */
export function denial(code: number, limiters: readonly NativeLimiter[]): Denial {
  let limit = limitOf(code);
  for (const limiter of limiters) {
    if (limit < limiter.limits.length) return denialOf(code, limiter, limit);
    limit -= limiter.limits.length;
  }
  throw new SluiceError("SLUICE_PANIC", `internal error: code ${code} names no limit; report it`);
}

/** The refusal of a code above 0, for a call on one limiter. */
export function denialOf(
  code: number,
  core: NativeLimiter,
  limit: number = limitOf(code),
): Denial {
  const reason = REASONS[Math.floor((remainderOf(code) - 1) / CODE_REASON)] ?? "never";
  const fitsAfterMs = reason === "time" ? Math.floor(code / CODE_US) / 1000 : undefined;
  return new Denial(core.name, core.limits[limit] ?? "", reason, fitsAfterMs);
}

/** The index of the limit in a code, over all parts of the call. */
function limitOf(code: number): number {
  return (remainderOf(code) - 1) % CODE_REASON;
}

/** `code % CODE_US`, which is slow for numbers above 2^31. */
function remainderOf(code: number): number {
  return code - Math.floor(code / CODE_US) * CODE_US;
}
