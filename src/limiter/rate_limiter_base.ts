/**
 * The operations of a limiter beside decisions: its keys, their limits, statistics and snapshots.
 *
 * @module
 */
import { checkBytes, checkPeriodMs, checkString } from "../arguments.ts";
import { allocate } from "./batch.ts";
import { checkLike, limitNumbers } from "./config.ts";
import { checkAmount } from "./cost.ts";
import type { LimitState } from "./decision.ts";
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
  SHARED_KEY,
  SHARED_KEY_HOLDERS,
  SHARED_STANDING,
  SHARED_STANDING_CAPACITY,
  SHARED_STANDING_CREDIT,
  SHARED_STANDING_CREDIT_MS,
  SHARED_STANDING_FILL,
  SHARED_STANDING_OUTSTANDING,
  SHARED_STANDING_REFILL_MS,
  SHARED_STANDING_REMAINING,
  SHARED_STANDING_RESET_MS,
  STANDING_CAPACITY,
  STANDING_OUTSTANDING,
  STANDING_REFILL_MS,
  STANDING_REMAINING,
  STANDING_RESET_MS,
  STANDING_USED,
  STATUS_STALE_KEY,
} from "../ffi/symbols.gen.ts";
import type { LimiterKey } from "./key.ts";
import type { LimitDefinition, LimitNamesOf, Limits } from "./limit_definitions.ts";
import { type NativeLimiter, TRIES } from "./native_limiter.ts";
import type { LimiterStats } from "./options.ts";
import { sharedOf } from "./shared_calls.ts";
import type { SharedStats } from "./shared_stats.ts";

/** The base of {@linkcode RateLimiter}: everything but decisions. */
export abstract class RateLimiterBase<L extends Limits = Limits> implements Disposable {
  /** The name of the limiter. */
  readonly name: string;
  /** The limits. */
  readonly limits: Readonly<L>;
  /** The units that the limits count, in the order of a batch's costs. */
  readonly units: readonly string[];
  readonly #core: NativeLimiter;
  readonly #limits: Limits;

  /** @ignore */
  constructor(core: NativeLimiter, limits: L) {
    this.name = core.name;
    this.limits = Object.freeze({ ...limits });
    this.units = core.units.names;
    this.#core = core;
    this.#limits = this.limits;
  }

  /** @ignore The native side of a limiter, or undefined if the value is not a limiter. */
  static coreOf(limiter: unknown): NativeLimiter | undefined {
    return typeof limiter === "object" && limiter !== null && #core in limiter
      ? limiter.#core
      : undefined;
  }

  /**
   * Returns the key of a name, which is cheaper to pass than the string. The key holds nothing: while it is
   * idle it may lose its slot to another key, and it gets a new one when it is used again. Names are compared
   * as UTF-8, in which all lone surrogates are the same. O(length of the name).
   *
   * @throws {TypeError} `name` is not a string.
   * @throws {SluiceError} `SLUICE_DISPOSED`, or `SLUICE_TOO_MANY_KEYS` if all slots are taken and none of the
   * next 1,024 is idle: see {@linkcode RateLimiterOptions.maxKeys}.
   */
  key(name: string): LimiterKey {
    checkString("name", name);
    return this.#core.resolve(name);
  }

  /**
   * Returns how each limit of a key stands. A name that has no slot stands as a new key would, and gets no
   * slot. O(limits).
   *
   * @throws {SluiceError} `SLUICE_DISPOSED`.
   */
  inspect(key: string | LimiterKey): Readonly<Record<LimitNamesOf<L>, LimitState>> {
    const core = this.#core;
    const { native, limits, shared } = core;
    const target = core.lookUp(key);
    const isLocal = shared === undefined;
    const first = isLocal ? 0 : SHARED_KEY;
    const size = isLocal ? LIMITER_STANDING : SHARED_STANDING;
    const out = allocate(first + size * limits.length);
    const look = isLocal ? native.sluice_limiter_inspect : native.sluice_shared_inspect;
    const inspect = () => look(core.handle, target.id, out, out.length);
    let result = inspect();
    for (let tries = 0; result === STATUS_STALE_KEY && tries < TRIES; tries++) {
      core.relocate(target);
      result = inspect();
    }
    core.unwrap(result);
    const states = limits.map((name, i) => {
      const { kind, unit } = this.#limits[name]!;
      const row = out.subarray(first + size * i);
      const state = isLocal ? localState(row) : sharedState(row, out[SHARED_KEY_HOLDERS]!);
      return [name, { kind, unit, ...state }];
    });
    return Object.fromEntries(states);
  }

  /**
   * Sets limits of one key. They must have the kinds and units of the limiter's own and, for quotas, their
   * periods; the days of a key may begin in a time zone of its own. Limits that are not named are the
   * limiter's own, and `undefined` in place of an object restores all of these. What is used and reserved
   * stays; what a window has had counts in the window that is under way now. A key with limits of its own is
   * never idle, so it keeps its slot until {@linkcode RateLimiter.forget}. O(limits).
   *
   * @throws {TypeError} A limit is not as `rate`, `quota` or `concurrency` make it.
   * @throws {RangeError} The limiter has no limit of that name, or one of another kind, unit or period.
   * @throws {SluiceError} `SLUICE_TOO_MANY_LIMIT_SETS` if the limiter and its keys have 65,536 different sets
   * of limits now, not counting sets that no key has any more; `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`.
   */
  setLimits(
    key: string | LimiterKey,
    limits: { readonly [Name in keyof L]?: L[Name] | undefined } | undefined,
  ): void {
    const core = this.#core;
    core.checkLocal("setLimits", "use setLimitsShared");
    let numbers = allocate(0);
    if (limits !== undefined) {
      if (typeof limits !== "object" || limits === null) {
        throw new TypeError(`limits must be an object or undefined, not ${show(limits)}`);
      }
      // Each limit is read once, so that what is checked is what is set.
      const given = new Map<string, LimitDefinition | undefined>(Object.entries(limits));
      for (const [name, limit] of given) checkLike(name, limit, this.#limits);
      const all = core.limits.map((name) => given.get(name) ?? this.#limits[name]!);
      numbers = limitNumbers(all, core.units);
    }
    const { sluice_limiter_set_limits } = core.native;
    core.withKey(
      core.resolve(key),
      (id) => sluice_limiter_set_limits(core.handle, id, numbers, numbers.length),
    );
  }

  /**
   * Lowers what is left of one limit of a key to `remaining` units, as an upstream reported in its headers.
   * It never raises it. O(1).
   *
   * @param afterMs For a rate: no more is left after this many milliseconds, whatever reservations end
   * meanwhile, and before then less by what comes back until then. At most 366 days. @default 0
   * @throws {TypeError} `remaining` or `afterMs` is not a number.
   * @throws {RangeError} `remaining` or `afterMs` is out of range, the limiter has no such limit, or the
   * limit is not a rate and `afterMs` is not 0.
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`.
   */
  tighten(
    key: string | LimiterKey,
    limit: LimitNamesOf<L>,
    remaining: number,
    afterMs = 0,
  ): void {
    const core = this.#core;
    checkAmount("remaining", remaining);
    const index = core.limits.indexOf(limit);
    if (index < 0) {
      throw new RangeError(`limit must be one of ${this.#limitNames()}, not ${show(limit)}`);
    }
    if (afterMs !== 0) {
      checkPeriodMs("afterMs", afterMs);
      if (this.#limits[limit]!.kind !== "rate") {
        throw new RangeError(`limit must be a rate if afterMs is ${afterMs}, not ${show(limit)}`);
      }
    }
    const { sluice_limiter_tighten } = core.native;
    core.withKey(
      core.resolve(key),
      (id) => sluice_limiter_tighten(core.handle, id, index, remaining, afterMs),
    );
  }

  /**
   * Forgets what a key has used. Open reservations and limits of its own stay. O(limits).
   *
   * @throws {SluiceError} `SLUICE_DISPOSED`.
   */
  reset(key: string | LimiterKey): void {
    const core = this.#core;
    core.checkLocal("reset", "use resetShared");
    const id = core.find(key);
    if (id === undefined) return;
    const result = core.native.sluice_limiter_reset(core.handle, id);
    // A key that was evicted in between was idle.
    if (result !== STATUS_STALE_KEY) core.unwrap(result);
  }

  /**
   * Forgets a key with all that is known of it. What is reserved for it is void. Returns false if it had no
   * slot. O(1).
   *
   * @throws {SluiceError} `SLUICE_DISPOSED`.
   */
  forget(key: string | LimiterKey): boolean {
    const core = this.#core;
    const id = core.find(key);
    return id !== undefined &&
      core.unwrap(core.native.sluice_limiter_forget(core.handle, id)) === 1;
  }

  /**
   * Returns the statistics of the limiter, over all Workers. O(1).
   *
   * @throws {SluiceError} `SLUICE_DISPOSED`.
   */
  stats(): LimiterStats<LimitNamesOf<L>> {
    const core = this.#core;
    const numbers = allocate(LIMITER_STATS);
    core.unwrap(core.native.sluice_limiter_stats(core.handle, numbers, numbers.length));
    const shared = sharedOf(core);
    return {
      keys: numbers[LIMITER_STAT_KEYS]!,
      maxKeys: numbers[LIMITER_STAT_MAX_KEYS]!,
      evicted: numbers[LIMITER_STAT_EVICTED]!,
      refused: numbers[LIMITER_STAT_REFUSED]!,
      reservations: numbers[LIMITER_STAT_RESERVATIONS]!,
      expired: numbers[LIMITER_STAT_EXPIRED]!,
      ...(shared && { shared: shared.stats(core) as SharedStats<LimitNamesOf<L>> }),
    };
  }

  /**
   * Returns all keys and what they have used, as bytes for {@linkcode RateLimiter.restore}. The bytes contain
   * names only as hashes, and the secret with which they are hashed. Open reservations are written as used in
   * full. O(keys).
   *
   * @throws {SluiceError} `SLUICE_DISPOSED`, `SLUICE_TOO_LARGE` or `SLUICE_OUT_OF_MEMORY`.
   */
  snapshot(): Uint8Array<ArrayBuffer> {
    const core = this.#core;
    let bytes = new Uint8Array(new ArrayBuffer(1 << 16));
    for (;;) {
      const { native, handle } = core;
      const length = core.unwrap(native.sluice_limiter_snapshot(handle, bytes, bytes.length));
      if (length <= bytes.length) return bytes.slice(0, length);
      // With room for keys that come meanwhile.
      bytes = new Uint8Array(new ArrayBuffer(length + (length >>> 3)));
    }
  }

  /**
   * Restores the keys of a snapshot, into a limiter that has had no keys yet. The time that passed meanwhile
   * is taken from the wall clock. O(keys).
   *
   * What a key has used counts for the limit of the same name, unit and kind (and period, of a quota). The
   * limit's numbers may differ, as after a deploy that raises it: what was used stays, a rate gives it back
   * as fast as it does now, and what exceeds the limit becomes debt. Where the days of a quota begin elsewhere
   * now, what was used in a window that is not over counts in the one under way. What was used of a limit that
   * no longer exists is dropped, and a new limit begins unused. Limits that a key has of its own stay, where
   * they differed from the limiter's.
   *
   * @throws {TypeError} `snapshot` is not a `Uint8Array`.
   * @throws {SluiceError} `SLUICE_BAD_SNAPSHOT` if the bytes are not a snapshot or are one of another version,
   * of a limiter that has none of these limits, or of more keys than there is room for; or if the limiter has
   * had keys. `SLUICE_OUT_OF_MEMORY` or `SLUICE_DISPOSED`. Nothing changes then.
   */
  restore(snapshot: Uint8Array): void {
    const core = this.#core;
    const length = checkBytes("snapshot", snapshot);
    core.unwrap(core.native.sluice_limiter_restore(core.handle, snapshot, length));
  }

  /**
   * Closes the limiter for this object. Later calls throw `SLUICE_DISPOSED`; closing again does nothing. When
   * all objects that opened the limiter are closed, what its keys have used is forgotten. A limiter that has a
   * name and is left to the garbage collector, or to the end of its Worker, keeps that until all its keys are
   * idle. O(1).
   */
  close(): void {
    this.#core.close();
  }

  /** {@linkcode RateLimiter.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #limitNames(): string {
    return this.#core.limits.map((name) => show(name)).join(", ");
  }
}

type Numbers = Omit<LimitState, "kind" | "unit">;

function localState(row: Float64Array): Numbers {
  return {
    capacity: row[STANDING_CAPACITY]!,
    remaining: row[STANDING_REMAINING]!,
    used: row[STANDING_USED]!,
    outstanding: row[STANDING_OUTSTANDING]!,
    resetMs: row[STANDING_RESET_MS]!,
    refillMs: row[STANDING_REFILL_MS]!,
  };
}

function sharedState(row: Float64Array, holders: number): Numbers {
  return {
    capacity: row[SHARED_STANDING_CAPACITY]!,
    remaining: row[SHARED_STANDING_REMAINING]!,
    used: row[SHARED_STANDING_FILL]!,
    outstanding: row[SHARED_STANDING_OUTSTANDING]!,
    resetMs: row[SHARED_STANDING_RESET_MS]!,
    refillMs: row[SHARED_STANDING_REFILL_MS]!,
    shared: {
      credit: row[SHARED_STANDING_CREDIT]!,
      creditMs: row[SHARED_STANDING_CREDIT_MS]!,
      holders,
    },
  };
}
