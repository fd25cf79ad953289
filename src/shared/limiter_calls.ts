/**
 * The calls of a limiter that may ask the store: decided at once by the library, or queued for the store's answer,
 * and a periodic timer that renews what this process holds.
 *
 * The line of a key is kept natively, over all Workers, and any Worker may carry its next call.
 *
 * @module
 */
import { Flights } from "./flights.ts";
import { type Answer, LimiterMailbox } from "./limiter_mailbox.ts";
import { listen } from "./mailboxes.ts";
import { before, tookTooLong, unlessAborted } from "../deadline.ts";
import { SluiceError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import { own } from "../ffi/own_memory.ts";
import {
  LEAVE_ALWAYS,
  LEAVE_END,
  LEAVE_IF_LAST,
  MAX_LIMITS,
  SHARED_BY_OUTAGE,
  SHARED_REQUEST_COSTS,
  SHARED_REQUEST_RESERVE,
  SHARED_REQUEST_TTL_MS,
} from "../ffi/symbols.gen.ts";
import { peekByParts } from "../limiter/decide.ts";
import { asksStore, sharedDenialBy } from "../limiter/denial.ts";
import type { LimiterKey } from "../limiter/key.ts";
import type { NativeLimiter } from "../limiter/native_limiter.ts";
import { callOf } from "../limiter/parts.ts";
import type { SharedCallOptions, SharedCalls } from "../limiter/shared_calls.ts";
import {
  ALLOWED_BY,
  type DecisionSource,
  type SharedDecision,
  type SharedDenied,
} from "../limiter/shared_decision.ts";
import type { SharedStats } from "../limiter/shared_stats.ts";
import { SharedReservation } from "../limiter/shared_reservation.ts";
import type { SharedStore } from "../limiter/shared_store.ts";
import { SingleCalls } from "./single_calls.ts";
import { statsOf } from "./stats.ts";
import { textBuffer } from "../text_buffer.ts";

/** The part of a lease after which what is held is looked at, and the bounds of that time in milliseconds. */
const LOOKS = 40;
const [SHORTEST_LOOK_MS, LONGEST_LOOK_MS] = [2, 50];

const NO_LIMITERS: readonly NativeLimiter[] = [];

/** The calls of one limiter that this isolate has open. */
export class LimiterCalls implements SharedCalls {
  /** What the limiter's keys in the store belong to. */
  readonly owner: string;
  credited = 0;
  #handle: number;
  readonly #name: string;
  readonly #leaseMs: number;
  readonly #timeoutMs: number;
  readonly #flights: Flights;
  readonly #once: SingleCalls;
  readonly #mailbox: LimiterMailbox;
  /** Those of the objects of the limiter. The last one carries the calls. */
  readonly #stores: SharedStore[] = [];
  readonly #forget: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The request of a call, while the native side reads it: written last, nothing runs in between. */
  readonly #request = own(
    new Float64Array(new ArrayBuffer(8 * (SHARED_REQUEST_COSTS + MAX_LIMITS))),
  );

  constructor(store: SharedStore, handle: number, name: string) {
    this.owner = encodeURIComponent(name.toWellFormed());
    this.#handle = handle;
    this.#name = name;
    this.#leaseMs = store.settings.leaseMs;
    this.#timeoutMs = store.settings.timeoutMs;
    this.#flights = new Flights(this, this.#timeoutMs);
    this.#once = new SingleCalls(this, this.#timeoutMs);
    const renew = (): void => void this.#renew();
    this.#mailbox = new LimiterMailbox(this, this.#flights, this.#timeoutMs, renew);
    this.#forget = store.onTerminate((isEnd) => this.#giveBack(isEnd ? LEAVE_END : LEAVE_ALWAYS));
  }

  get handle(): number {
    return this.#handle;
  }

  get store(): SharedStore {
    return this.#stores[this.#stores.length - 1]!;
  }

  join(store: SharedStore): void {
    this.#stores.push(store);
  }

  part(store: SharedStore): void {
    // The last one stays, to say goodbye with.
    if (this.#stores.length > 1) this.#stores.splice(this.#stores.indexOf(store), 1);
  }

  take(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    options: SharedCallOptions,
  ): Promise<SharedDecision> {
    const code = this.#decide(core, key, costs, 0, 0);
    if (!asksStore(code)) return Promise.resolve(this.#decision(code, core, key));
    return this.#wait(core, key, costs, 0, 0, options, ({ code, source }) => {
      return code > 0 ? sharedDenialBy(code, core) : ALLOWED_BY[source];
    });
  }

  takeNow(core: NativeLimiter, key: LimiterKey, costs: readonly number[]): SharedDecision {
    const code = this.#decide(core, key, costs, 0, 0);
    if (asksStore(code)) this.ask(core, key);
    return this.#decision(code, core, key);
  }

  reserve(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    ttlMs: number,
    options: SharedCallOptions,
  ): Promise<SharedReservation | SharedDenied> {
    const code = this.#decide(core, key, costs, 1, ttlMs);
    if (!asksStore(code)) return Promise.resolve(this.#reservation(code, core, key, ttlMs));
    return this.#wait(core, key, costs, 1, ttlMs, options, ({ code, reservation, source }) => {
      if (code > 0) return sharedDenialBy(code, core);
      return reserved(core, key, reservation, ttlMs, source);
    });
  }

  reserveNow(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    ttlMs: number,
  ): SharedReservation | SharedDenied {
    const code = this.#decide(core, key, costs, 1, ttlMs);
    if (asksStore(code)) this.ask(core, key);
    return this.#reservation(code, core, key, ttlMs);
  }

  ask(core: NativeLimiter, key: LimiterKey, costs: readonly number[] = []): void {
    core.withKey(key, (id) => {
      const { sluice_shared_touch } = core.native;
      const length = textBuffer.write(key.name);
      core.costs.set(costs);
      return sluice_shared_touch(
        core.handle,
        id,
        textBuffer.bytes,
        length,
        core.costs,
        costs.length,
      );
    });
    this.watch();
    this.#flights.send(key.id);
  }

  async peek(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    { signal, timeoutMs = Infinity }: SharedCallOptions,
  ): Promise<SharedDecision> {
    if (peekByParts(callOf(core, key, costs)).allowed) return ALLOWED_BY.credit;
    const code = await unlessAborted(this.#once.peek(core, key, costs, timeoutMs), signal);
    return code > 0 ? sharedDenialBy(code, core) : ALLOWED_BY.store;
  }

  async setLimits(core: NativeLimiter, key: LimiterKey, limits: Float64Array): Promise<void> {
    await this.#once.setLimits(core, key, limits);
    // This process learns of them with its next call.
    this.ask(core, key);
  }

  async reset(core: NativeLimiter, key: LimiterKey): Promise<void> {
    await this.#once.reset(core, key);
  }

  stats(core: NativeLimiter): SharedStats {
    return statsOf(core, this.credited, this.#flights.lastError);
  }

  watch(): void {
    if (this.#timer !== undefined || this.#handle === 0) return;
    const everyMs = Math.min(Math.max(this.#leaseMs / LOOKS, SHORTEST_LOOK_MS), LONGEST_LOOK_MS);
    this.#timer = setInterval(() => this.#renew(), everyMs);
    this.#timer.unref();
  }

  see(chores: number, key: number): void {
    this.#mailbox.see(chores, key);
  }

  async leave(close: () => void): Promise<void> {
    this.#mailbox.refuse(() =>
      new SluiceError("SLUICE_DISPOSED", `The limiter ${this.#name} is closed`)
    );
    this.#forget();
    try {
      await this.#giveBack(LEAVE_IF_LAST);
    } finally {
      this.#mailbox.close();
      this.#rest();
      close();
      this.#handle = 0;
    }
  }

  /** Crosses for a decision that does not wait, and returns its code. */
  #decide(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    reserve: 0 | 1,
    ttlMs: number,
  ): number {
    const { sluice_shared_take } = core.native;
    this.watch();
    return core.withKey(key, (id) => {
      const length = this.#write(costs, reserve, ttlMs);
      return sluice_shared_take(core.handle, id, this.#request, length);
    });
  }

  /** Writes a request, and returns its length. */
  #write(costs: readonly number[], reserve: 0 | 1, ttlMs: number): number {
    const request = this.#request;
    request[SHARED_REQUEST_RESERVE] = reserve;
    request[SHARED_REQUEST_TTL_MS] = ttlMs;
    for (let i = 0; i < costs.length; i++) request[SHARED_REQUEST_COSTS + i] = costs[i]!;
    return SHARED_REQUEST_COSTS + costs.length;
  }

  #decision(code: number, core: NativeLimiter, key: LimiterKey): SharedDecision {
    return code < 1 ? ALLOWED_BY[this.#allowed(code, key)] : sharedDenialBy(code, core);
  }

  /** The number of a reservation that was made is the first of the request's. */
  #reservation(
    code: number,
    core: NativeLimiter,
    key: LimiterKey,
    ttlMs: number,
  ): SharedReservation | SharedDenied {
    if (code >= 1) return sharedDenialBy(code, core);
    const number = this.#request[SHARED_REQUEST_RESERVE]!;
    return reserved(core, key, number, ttlMs, this.#allowed(code, key));
  }

  /** Makes the call that the code of an allowed call suggests, and returns its source. */
  #allowed(code: number, key: LimiterKey): DecisionSource {
    const isByOutage = code >= SHARED_BY_OUTAGE;
    if (code !== 0 && code !== SHARED_BY_OUTAGE) this.#flights.send(key.id);
    return isByOutage ? "outage" : "credit";
  }

  /** Waits for the store. */
  #wait<T>(
    core: NativeLimiter,
    key: LimiterKey,
    costs: readonly number[],
    reserve: 0 | 1,
    ttlMs: number,
    options: SharedCallOptions,
    make: (answer: Answer) => T,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    listen();
    const ticket = core.withKey(key, (id) => {
      const { sluice_shared_wait } = core.native;
      const length = this.#write(costs, reserve, ttlMs);
      const bytes = textBuffer.write(key.name);
      return sluice_shared_wait(core.handle, id, textBuffer.bytes, bytes, this.#request, length);
    });
    return this.#mailbox.wait(ticket, key.id, options, make);
  }

  /** Makes the calls that are due, and returns how many there were. The timer stops when there will be none. */
  #renew(): number {
    const sent = this.#flights.sendDue();
    if (this.#flights.isIdle && this.#mailbox.waiting === 0) this.#rest();
    return sent;
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Gives back what this process holds, for `timeoutMs` at most. */
  async #giveBack(how: number): Promise<void> {
    if (native().sluice_shared_leave(this.#handle, how) <= 0) return;
    const end = performance.now() + this.#timeoutMs;
    // A key whose call was under way says goodbye with the next one.
    while (this.#renew() > 0 || this.#flights.size > 0) {
      const leftMs = end - performance.now();
      if (leftMs <= 0) return;
      const settled = this.#flights.settled();
      await before(settled, leftMs, tookTooLong("The goodbye", leftMs)).catch(() => {});
    }
  }
}

function reserved(
  core: NativeLimiter,
  key: LimiterKey,
  number: number,
  ttlMs: number,
  source: DecisionSource,
): SharedReservation {
  return new SharedReservation(core, key, NO_LIMITERS, number, ttlMs, core.tracksLeaks, source);
}
