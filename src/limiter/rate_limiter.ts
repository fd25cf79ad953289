/**
 * Rate limits, quotas and concurrency for many keys, shared by all Workers of a process.
 *
 * @module
 */
import { checkBytes, checkString } from "../arguments.ts";
import { checkAmount, type Cost, Units } from "./cost.ts";
import { ALLOWED, type Decision, type Denied, type LimitState } from "./decision.ts";
import { show } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import {
  CLOCK_COARSE,
  CLOCK_PRECISE,
  LIMITER_STANDING,
  LIMITER_STATS,
  LIMITER_UNITS,
} from "../ffi/symbols.gen.ts";
import { LimiterBatch } from "./batch.ts";
import { checkLike, configure, limitNumbers } from "./config.ts";
import type { LimiterKey } from "./key.ts";
import type { LimiterStats, RateLimiterOptions } from "./options.ts";
import type { Limits } from "./limits.ts";
import { cores, denialOf, NativeLimiter, STALE_KEY } from "./native_limiter.ts";
import { type Reservation, reserve, type ReserveOptions } from "./reservation.ts";
import { decide } from "./together.ts";
import { textBuffer } from "../text_buffer.ts";
import { VirtualClock } from "./virtual_clock.ts";

/**
 * Decides by several limits at once, all or nothing, for each of many keys. Exact, and shared by all
 * Workers of the process without messages.
 *
 * @example
 * ```ts
 * import { concurrency, quota, rate, RateLimiter } from "./mod.ts";
 *
 * const limiter = new RateLimiter({
 *   name: "tenants",
 *   limits: {
 *     rpm: rate({ limit: 600, per: "minute", burst: 60 }),
 *     tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
 *     day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
 *     live: concurrency({ limit: 8 }),
 *   },
 * });
 * using reserved = limiter.reserve("tenant-42", { tokens: 1200 });
 * if (reserved.allowed) {
 *   // Send the request, and then charge what it has cost.
 *   reserved.settle({ tokens: 812 });
 * } else {
 *   console.log(reserved.limit, reserved.retryAfterMs);
 * }
 * ```
 */
export class RateLimiter<Name extends string = string> implements Disposable {
  /** The name it was opened by. */
  readonly name: string;
  /** Its limits. */
  readonly limits: Limits<Name>;
  /** The units that its limits count: the order of a batch's costs. */
  readonly units: readonly string[];
  readonly #core: NativeLimiter;
  readonly #take: NativeLimiter["native"]["sluice_limiter_take"];
  /** Costs of the call at hand, and what they are if it does not say. */
  readonly #costs: Float64Array<ArrayBuffer>;
  readonly #defaults: Float64Array<ArrayBuffer>;
  readonly #isSmall: boolean;
  readonly #batch: LimiterBatch;

  /**
   * Opens the limiter of a name, which is made if nobody has it open.
   *
   * @throws {TypeError} An option has a wrong type.
   * @throws {RangeError} An option has a wrong value.
   * @throws {SluiceError} `SLUICE_LIMITER_MISMATCH` if the limiter of that name has other options, and
   * what loading the library throws.
   */
  constructor(options: RateLimiterOptions<Name>) {
    if (typeof options !== "object" || options === null) {
      throw new TypeError(`options must be an object, not ${show(options)}`);
    }
    const { name, limits, maxKeys = 1_000_000, clock, reservationTtlMs = 600_000 } = options;
    checkString("name", name);
    const { text, numbers, units } = configure(name, limits, maxKeys, reservationTtlMs);
    const library = native("limiter", "reservation");
    const length = textBuffer.write(text);
    const handle = unwrap(
      library.sluice_limiter_open(
        textBuffer.bytes,
        length,
        numbers,
        numbers.length,
        clockNumber(clock),
      ),
    );
    this.name = name;
    this.limits = Object.freeze({ ...limits });
    this.units = units.names;
    this.#core = new NativeLimiter(library, handle, name, Object.keys(limits), units);
    this.#take = library.sluice_limiter_take;
    const room = Math.max(LIMITER_UNITS, units.names.length);
    this.#costs = new Float64Array(new ArrayBuffer(8 * room));
    this.#defaults = new Float64Array(new ArrayBuffer(8 * room));
    this.#defaults.set(units.defaults);
    this.#isSmall = units.names.length <= LIMITER_UNITS;
    this.#batch = new LimiterBatch(this.#core, this.#defaults);
    cores.set(this, this.#core);
  }

  /**
   * The key of a name: cheaper to pass than the string. Nothing is held by it: a key that is idle may
   * lose its place to another and gets a new one when it is used again.
   *
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` if all places are taken by keys that are not idle.
   */
  key(name: string): LimiterKey {
    checkString("name", name);
    return this.#core.resolve(name);
  }

  /**
   * Decides, and charges if it is allowed. A refusal changes nothing. Concurrency is looked at and not
   * held: use {@linkcode RateLimiter.reserve} for that. O(limits), one crossing, and allocates nothing
   * when allowed.
   *
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`.
   */
  take(key: string | LimiterKey, cost?: Cost): Decision<Name> {
    const core = this.#core;
    const target = core.resolve(key);
    let costs = this.#defaults;
    if (cost !== undefined) {
      costs = this.#costs;
      this.#read(cost);
    }
    if (!this.#isSmall) return decide([{ core, key: target }], cost, 1) as Decision<Name>;
    const code = this.#take(core.handle, target.id, costs[0]!, costs[1]!, costs[2]!, costs[3]!);
    if (code === 0) return ALLOWED;
    if (code > 0) return denialOf(code, core) as Denied<Name>;
    if (code === STALE_KEY) return decide([{ core, key: target }], cost, 1) as Decision<Name>;
    core.unwrap(code);
    return ALLOWED;
  }

  /** As {@linkcode RateLimiter.take}, and charges nothing. */
  peek(key: string | LimiterKey, cost?: Cost): Decision<Name> {
    Units.check("cost", cost, [this.#core.units]);
    return decide([this.#member(key)], cost, 0) as Decision<Name>;
  }

  /**
   * Decides, and holds the cost if it is allowed, until it is known: then {@linkcode Reservation.settle}
   * charges what was used. A refusal can be told by `allowed`, and changes nothing. O(limits).
   *
   * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS`, `SLUICE_TOO_MANY_RESERVATIONS` or `SLUICE_DISPOSED`.
   */
  reserve(
    key: string | LimiterKey,
    cost?: Cost,
    options?: ReserveOptions,
  ): Reservation | Denied<Name> {
    Units.check("cost", cost, [this.#core.units]);
    return reserve([this.#member(key)], cost, options) as Reservation | Denied<Name>;
  }

  /**
   * Takes for many keys, one after the other and as of one moment, in one crossing. O(keys * limits).
   *
   * @param keys Keys, or their `id`s in an array that is handed over as it is. Ids of keys that lost
   * their place get {@linkcode RateLimiter.staleKey} as their code; keys are looked up again.
   * @param costs One for each of {@linkcode RateLimiter.units} for each key, or for all alike;
   * `undefined` for the default.
   * @param out Gets a code for each key: 0 if allowed, else what {@linkcode RateLimiter.decision} takes.
   * @returns How many were allowed.
   */
  takeBatch(
    keys: Float64Array | readonly LimiterKey[],
    costs: Float64Array | undefined,
    out: Float64Array,
  ): number {
    return this.#batch.take(keys, costs, out);
  }

  /** The code of a key, in a batch of ids, that has lost its place: look it up by name again. */
  static readonly staleKey: number = STALE_KEY;

  /**
   * What a code of {@linkcode RateLimiter.takeBatch} stands for.
   *
   * @throws {RangeError} It stands for a stale key or a cost that is none.
   */
  decision(code: number): Decision<Name> {
    if (code === 0) return ALLOWED;
    if (code > 0) return denialOf(code, this.#core) as Denied<Name>;
    throw new RangeError(
      code === STALE_KEY
        ? "code stands for a key that has lost its place: look it up by name again"
        : `code must be one that takeBatch wrote for a valid key and cost, not ${code}`,
    );
  }

  /** How each limit of a key stands. O(limits). */
  inspect(key: string | LimiterKey): Readonly<Record<Name, LimitState>> {
    const { native, limits } = this.#core;
    const out = new Float64Array(new ArrayBuffer(8 * LIMITER_STANDING * limits.length));
    this.#core.withKey(
      key,
      (id) => native.sluice_limiter_inspect(this.#core.handle, id, out, out.length),
    );
    const states = limits.map((name, i) => {
      const { kind, unit } = this.limits[name as Name];
      const [capacity, remaining, used, outstanding, resetMs, refillMs] = out.subarray(
        LIMITER_STANDING * i,
      );
      return [name, { kind, unit, capacity, remaining, used, outstanding, resetMs, refillMs }];
    });
    return Object.fromEntries(states);
  }

  /**
   * Gives one key other limits, of the same kinds and units and, for quotas, windows; those that are not
   * named are the limiter's own. `undefined` gives it back the limiter's own. What is used and reserved
   * stays. Such a key is never idle, so it keeps its place until {@linkcode RateLimiter.forget}.
   *
   * @throws {RangeError} A limit is not of the limiter, or not like its.
   * @throws {SluiceError} `SLUICE_TOO_MANY_LIMIT_SETS` if there are 65,536 different sets.
   */
  setLimits(key: string | LimiterKey, limits: Partial<Limits<Name>> | undefined): void {
    const { native, units } = this.#core;
    let numbers = new Float64Array(new ArrayBuffer(0));
    if (limits !== undefined) {
      if (typeof limits !== "object" || limits === null) {
        throw new TypeError(`limits must be an object or undefined, not ${show(limits)}`);
      }
      for (const name of Object.keys(limits)) checkLike(name, limits[name as Name], this.limits);
      const all = this.#core.limits.map((name) =>
        limits[name as Name] ?? this.limits[name as Name]
      );
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
   */
  tighten(key: string | LimiterKey, limit: Name, remaining: number): void {
    checkAmount("remaining", remaining);
    const index = this.#core.limits.indexOf(limit);
    if (index < 0) {
      throw new RangeError(`limit must be one of ${this.#names()}, not ${show(limit)}`);
    }
    const { native } = this.#core;
    this.#core.withKey(
      key,
      (id) => native.sluice_limiter_tighten(this.#core.handle, id, index, remaining),
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
    const { id } = core.resolve(key);
    return core.unwrap(core.native.sluice_limiter_forget(core.handle, id)) === 1;
  }

  /** What the limiter holds and did, over all Workers. O(1). */
  stats(): LimiterStats {
    const core = this.#core;
    const numbers = new Float64Array(new ArrayBuffer(8 * LIMITER_STATS));
    core.unwrap(core.native.sluice_limiter_stats(core.handle, numbers, numbers.length));
    const [keys, maxKeys, evicted, refused, reservations, expired] = numbers as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return { keys, maxKeys, evicted, refused, reservations, expired };
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
   * @throws {SluiceError} `SLUICE_BAD_SNAPSHOT`: not a snapshot, of another version or other limits, or
   * the limiter has had keys; nothing changes then.
   */
  restore(snapshot: Uint8Array): void {
    const core = this.#core;
    const bytes = checkBytes("snapshot", snapshot);
    core.unwrap(core.native.sluice_limiter_restore(core.handle, bytes, bytes.length));
  }

  /** Closes it here. Later use throws `SLUICE_DISPOSED`; closing again is fine. */
  close(): void {
    const core = this.#core;
    if (core.handle === 0) return;
    core.native.sluice_limiter_close(core.handle);
    core.handle = 0;
  }

  /** {@linkcode RateLimiter.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #member(key: string | LimiterKey): { core: NativeLimiter; key: LimiterKey } {
    return { core: this.#core, key: this.#core.resolve(key) };
  }

  /** Reads a cost into `#costs`. */
  #read(cost: Cost): void {
    const costs = this.#costs;
    const defaults = this.#defaults;
    for (let i = 0; i < defaults.length; i++) costs[i] = defaults[i]!;
    const { units } = this.#core;
    if (typeof cost !== "object" || cost === null) Units.check("cost", cost, [units]);
    for (const name in cost) {
      const place = units.place(name);
      const value = cost[name]!;
      if (place === undefined || typeof value !== "number" || !(value >= 0 && value <= 1e12)) {
        Units.check("cost", cost, [units]);
      }
      costs[place!] = value;
    }
  }

  #names(): string {
    return this.#core.limits.map((name) => show(name)).join(", ");
  }
}

function clockNumber(clock: unknown): number {
  if (clock === undefined || clock === "precise") return CLOCK_PRECISE;
  if (clock === "coarse") return CLOCK_COARSE;
  if (clock instanceof VirtualClock) return clock.handle;
  throw new TypeError(`clock must be "precise", "coarse" or a VirtualClock, not ${show(clock)}`);
}
