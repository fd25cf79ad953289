/**
 * What is known of a limiter's keys, and their limits: all but deciding.
 *
 * @module
 */
import { checkBytes, checkString } from "../arguments.ts";
import { show } from "../errors.ts";
import {
  LIMITER_STANDING,
  LIMITER_STAT_EVICTED,
  LIMITER_STAT_EXPIRED,
  LIMITER_STAT_KEYS,
  LIMITER_STAT_MAX_KEYS,
  LIMITER_STAT_REFUSED,
  LIMITER_STAT_RESERVATIONS,
  LIMITER_STATS,
  STANDING_CAPACITY,
  STANDING_OUTSTANDING,
  STANDING_REFILL_MS,
  STANDING_REMAINING,
  STANDING_RESET_MS,
  STANDING_USED,
} from "../ffi/symbols.gen.ts";
import { checkLike, checkTtl, limitNumbers } from "./config.ts";
import { checkAmount } from "./cost.ts";
import type { LimitState } from "./decision.ts";
import type { LimiterKey } from "./key.ts";
import type { Limit, Limits } from "./limits.ts";
import type { NativeLimiter } from "./native_limiter.ts";
import type { LimiterStats } from "./options.ts";

/** What {@linkcode RateLimiter} has beside its decisions. */
export abstract class LimiterKeys<Name extends string = string> implements Disposable {
  /** The name it was opened by. */
  readonly name: string;
  /** Its limits. */
  readonly limits: Limits<Name>;
  /** The units that its limits count: the order of a batch's costs. */
  readonly units: readonly string[];
  readonly #core: NativeLimiter;

  /** @ignore */
  constructor(core: NativeLimiter, limits: Limits<Name>) {
    this.name = core.name;
    this.limits = Object.freeze({ ...limits });
    this.units = core.units.names;
    this.#core = core;
  }

  /** @ignore The native side of a limiter, or undefined if it is none. */
  static coreOf(limiter: unknown): NativeLimiter | undefined {
    return typeof limiter === "object" && limiter !== null && #core in limiter
      ? limiter.#core
      : undefined;
  }

  /**
   * The key of a name: cheaper to pass than the string. Nothing is held by it: a key that is idle may
   * lose its place to another and gets a new one when it is used again. Names are compared as UTF-8, in
   * which lone surrogates are all one.
   *
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` if all places are taken and none of the next 1,024 is
   * idle: see {@linkcode RateLimiterOptions.maxKeys}.
   */
  key(name: string): LimiterKey {
    checkString("name", name);
    return this.#core.resolve(name);
  }

  /** How each limit of a key stands. A name that is new gets a key, as by any other call. O(limits). */
  inspect(key: string | LimiterKey): Readonly<Record<Name, LimitState>> {
    const { native, limits } = this.#core;
    const out = new Float64Array(new ArrayBuffer(8 * LIMITER_STANDING * limits.length));
    this.#core.withKey(
      key,
      (id) => native.sluice_limiter_inspect(this.#core.handle, id, out, out.length),
    );
    const states = limits.map((name, i) => {
      const { kind, unit } = this.limits[name as Name];
      const at = (field: number): number => out[LIMITER_STANDING * i + field]!;
      const state: LimitState = {
        kind,
        unit,
        capacity: at(STANDING_CAPACITY),
        remaining: at(STANDING_REMAINING),
        used: at(STANDING_USED),
        outstanding: at(STANDING_OUTSTANDING),
        resetMs: at(STANDING_RESET_MS),
        refillMs: at(STANDING_REFILL_MS),
      };
      return [name, state];
    });
    return Object.fromEntries(states);
  }

  /**
   * Gives one key other limits, of the same kinds and units and, for quotas, periods: a key's days may
   * begin in a time zone of its own. Those that are not named are the limiter's own. `undefined` gives it
   * back the limiter's own. What is used and reserved stays; what a window has had counts in the one that
   * is under way now. Such a key is never idle, so it keeps its place until {@linkcode RateLimiter.forget}.
   *
   * @throws {RangeError} A limit is not of the limiter, or not like its.
   * @throws {SluiceError} `SLUICE_TOO_MANY_LIMIT_SETS` if the limiter and its keys have 65,536 different
   * sets of limits now. One that no key has any more does not count.
   */
  setLimits(key: string | LimiterKey, limits: Partial<Limits<Name>> | undefined): void {
    const { native, units } = this.#core;
    let numbers = new Float64Array(new ArrayBuffer(0));
    if (limits !== undefined) {
      if (typeof limits !== "object" || limits === null) {
        throw new TypeError(`limits must be an object or undefined, not ${show(limits)}`);
      }
      // Each is read once: what is checked is what is set.
      const given = new Map(Object.entries<Limit | undefined>(limits));
      for (const [name, limit] of given) checkLike(name, limit, this.limits);
      const all = this.#core.limits.map((name) => given.get(name) ?? this.limits[name as Name]);
      numbers = limitNumbers(all, units);
    }
    this.#core.withKey(
      key,
      (id) => native.sluice_limiter_set_limits(this.#core.handle, id, numbers, numbers.length),
    );
  }

  /**
   * Sees to it that at most `remaining` units are left of one limit of a key now, as an upstream said in
   * its headers. Never loosens. O(1).
   *
   * @param afterMs Of a rate: no more is left after so many milliseconds, whatever reservations end
   * meanwhile, and before then less by what comes back until then. At most 366 days. @default 0
   */
  tighten(key: string | LimiterKey, limit: Name, remaining: number, afterMs = 0): void {
    checkAmount("remaining", remaining);
    const index = this.#core.limits.indexOf(limit);
    if (index < 0) {
      throw new RangeError(`limit must be one of ${this.#names()}, not ${show(limit)}`);
    }
    if (afterMs !== 0) {
      checkTtl("afterMs", afterMs);
      if (this.limits[limit].kind !== "rate") {
        throw new RangeError(`limit must be a rate if afterMs is ${afterMs}, not ${show(limit)}`);
      }
    }
    const { native } = this.#core;
    this.#core.withKey(
      key,
      (id) => native.sluice_limiter_tighten(this.#core.handle, id, index, remaining, afterMs),
    );
  }

  /** Forgets what a key has used. Open reservations and limits of its own stay. O(limits). */
  reset(key: string | LimiterKey): void {
    const { native } = this.#core;
    this.#core.withKey(key, (id) => native.sluice_limiter_reset(this.#core.handle, id));
  }

  /**
   * Forgets a key with all that is known of it; what is reserved for it is void. Returns false if it had
   * lost its place already. O(1).
   */
  forget(key: string | LimiterKey): boolean {
    const core = this.#core;
    const id = core.find(key);
    if (id === undefined) return false;
    return core.unwrap(core.native.sluice_limiter_forget(core.handle, id)) === 1;
  }

  /** What the limiter holds and did, over all Workers. O(1). */
  stats(): LimiterStats {
    const core = this.#core;
    const numbers = new Float64Array(new ArrayBuffer(8 * LIMITER_STATS));
    core.unwrap(core.native.sluice_limiter_stats(core.handle, numbers, numbers.length));
    return {
      keys: numbers[LIMITER_STAT_KEYS]!,
      maxKeys: numbers[LIMITER_STAT_MAX_KEYS]!,
      evicted: numbers[LIMITER_STAT_EVICTED]!,
      refused: numbers[LIMITER_STAT_REFUSED]!,
      reservations: numbers[LIMITER_STAT_RESERVATIONS]!,
      expired: numbers[LIMITER_STAT_EXPIRED]!,
    };
  }

  /**
   * All keys and what they have used, as bytes for {@linkcode RateLimiter.restore}. Names are in it only
   * as hashes, and so is the secret that they are hashed with. Open reservations are written as used in
   * full. O(keys).
   */
  snapshot(): Uint8Array<ArrayBuffer> {
    const core = this.#core;
    let bytes = new Uint8Array(new ArrayBuffer(1 << 16));
    for (;;) {
      const { native, handle } = core;
      const length = core.unwrap(native.sluice_limiter_snapshot(handle, bytes, bytes.length));
      if (length <= bytes.length) return bytes.slice(0, length);
      // Room for keys that come meanwhile.
      bytes = new Uint8Array(new ArrayBuffer(length + (length >>> 3)));
    }
  }

  /**
   * Takes over the keys of a snapshot, for a limiter that has had no keys yet. Time that went by
   * meanwhile is taken from the wall clock. O(keys).
   *
   * What a key has used counts for the limit of the same name, unit and kind (and period, of a quota).
   * Its numbers may be others now, as after a deploy that raises a limit: what was used stays, a rate
   * gives it back as fast as it does now, and more than there now is becomes debt. Where a quota's days
   * begin elsewhere now, what was used in a window that is not over counts in the one under way. What was used of a
   * limit that is there no more is dropped, and a new one begins with nothing used. Limits that a key
   * has of its own stay, where they are other than the limiter's were.
   *
   * @throws {SluiceError} `SLUICE_BAD_SNAPSHOT`: not a snapshot, of another version, of a limiter that
   * has none of these limits, of more keys than there is room for, or the limiter has had keys; nothing
   * changes then.
   */
  restore(snapshot: Uint8Array): void {
    const core = this.#core;
    const length = checkBytes("snapshot", snapshot);
    core.unwrap(core.native.sluice_limiter_restore(core.handle, snapshot, length));
  }

  /**
   * Closes it here. Later use throws `SLUICE_DISPOSED`; closing again is fine. When all who opened it have
   * closed it, what its keys have used is forgotten. One that has a name and is left to the garbage collector,
   * or to the end of its Worker, keeps that until all its keys are idle.
   */
  close(): void {
    this.#core.close();
  }

  /** {@linkcode RateLimiter.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #names(): string {
    return this.#core.limits.map((name) => show(name)).join(", ");
  }
}
