/**
 * The calls of a limiter that may ask the store: those who wait are promises in a hash map by ticket, and a timer
 * renews what this process holds.
 *
 * The line of a key is kept natively, over all Workers, and any Worker may carry its next call.
 *
 * @module
 */
import { Flights } from "./flights.ts";
import {
  closeMailbox,
  listen,
  type Mailbox,
  openMailbox,
  ringOthers,
  showBell,
} from "./mailboxes.ts";
import { before, tookTooLong, unlessAborted } from "../deadline.ts";
import { SluiceError, statusError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import {
  CODE_REASON,
  CODE_US,
  DENIED_LEASE,
  LEAVE_ALWAYS,
  LEAVE_END,
  LEAVE_IF_LAST,
  MAX_LIMITS,
  SETTLE_NOTHING,
  SHARED_ANSWER_CODE,
  SHARED_ANSWER_RESERVATION,
  SHARED_ANSWER_SOURCE,
  SHARED_ANSWER_TICKET,
  SHARED_ANSWERS,
  SHARED_BY_OUTAGE,
  SHARED_CHORE_BELL,
  SHARED_CHORE_MAIL,
  SHARED_CHORE_RING,
  SHARED_CHORE_SEND,
  SHARED_CHORES,
  SHARED_DUE_HEADER,
  SHARED_REQUEST_COSTS,
  SHARED_REQUEST_RESERVE,
  SHARED_REQUEST_TTL_MS,
} from "../ffi/symbols.gen.ts";
import { peekByParts } from "../limiter/decide.ts";
import { sharedDenialBy } from "../limiter/denial.ts";
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
import { type Waiting, WaitingLine } from "../waiting_line.ts";

/** Answers that are collected, and keys that are renewed, in one crossing. */
const ROWS = 64;
const SOURCES: readonly DecisionSource[] = ["credit", "store", "outage"];
/** The part of a lease after which what is held is looked at, and the bounds of that time in milliseconds. */
const LOOKS = 40;
const [SHORTEST_LOOK_MS, LONGEST_LOOK_MS] = [2, 50];

const NO_COSTS = numbers(0);
const NO_LIMITERS: readonly NativeLimiter[] = [];

/**
 * All that are open. One that says goodbye and one of the same limiter that was opened meanwhile have one
 * mailbox, because that is the thread's.
 */
const open = new Set<LimiterCalls>();

/** The numbers of an answer, apart from its ticket. */
interface Answer {
  readonly code: number;
  readonly reservation: number;
  readonly source: DecisionSource;
}

/** The calls of one limiter that this isolate has open. */
export class LimiterCalls implements SharedCalls, Mailbox {
  /** What the limiter's keys in the store belong to. */
  readonly owner: string;
  credited = 0;
  #handle: number;
  readonly #name: string;
  readonly #leaseMs: number;
  readonly #timeoutMs: number;
  readonly #flights: Flights;
  readonly #once: SingleCalls;
  readonly #line: WaitingLine<Answer>;
  /** Those of the objects of the limiter. The last one carries the calls. */
  readonly #stores: SharedStore[] = [];
  readonly #forget: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The request of a call, while the native side reads it: written last, nothing runs in between. */
  readonly #request = numbers(SHARED_REQUEST_COSTS + MAX_LIMITS);
  readonly #answers = numbers(SHARED_ANSWERS * ROWS);
  readonly #due = numbers(SHARED_DUE_HEADER + ROWS);

  constructor(store: SharedStore, handle: number, name: string) {
    this.owner = encodeURIComponent(name.toWellFormed());
    this.#handle = handle;
    this.#name = name;
    this.#leaseMs = store.settings.leaseMs;
    this.#timeoutMs = store.settings.timeoutMs;
    this.#flights = new Flights(this, this.#timeoutMs);
    this.#once = new SingleCalls(this);
    this.#line = new WaitingLine<Answer>(
      () => this.#look(),
      (ticket) => void native().sluice_shared_cancel(this.#handle, ticket),
    );
    this.#forget = store.onTerminate((isEnd) => this.#giveBack(isEnd ? LEAVE_END : LEAVE_ALWAYS));
    openMailbox(this);
    open.add(this);
  }

  get handle(): number {
    return this.#handle;
  }

  get store(): SharedStore {
    return this.#stores[this.#stores.length - 1]!;
  }

  get waiting(): number {
    return this.#line.size;
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
    if (!isLease(code)) return Promise.resolve(this.#decision(code, core, key));
    return this.#wait(core, key, costs, 0, 0, options, ({ code, source }) => {
      return code > 0 ? sharedDenialBy(code, core) : ALLOWED_BY[source];
    });
  }

  takeNow(core: NativeLimiter, key: LimiterKey, costs: readonly number[]): SharedDecision {
    const code = this.#decide(core, key, costs, 0, 0);
    if (isLease(code)) this.ask(core, key);
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
    if (!isLease(code)) return Promise.resolve(this.#reservation(code, core, key, ttlMs));
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
    if (isLease(code)) this.ask(core, key);
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
    const { sluice_shared_peek } = core.native;
    const limitMs = Math.min(timeoutMs, this.#timeoutMs);
    const asked = this.#once.ask(core, key, limitMs, (out) => {
      return core.withKey(key, (id) => {
        core.costs.set(costs);
        return sluice_shared_peek(core.handle, id, core.costs, costs.length, out, out.length);
      });
    });
    const code = await unlessAborted(asked, signal);
    return code > 0 ? sharedDenialBy(code, core) : ALLOWED_BY.store;
  }

  async setLimits(core: NativeLimiter, key: LimiterKey, limits: Float64Array): Promise<void> {
    const { sluice_shared_limits } = core.native;
    await this.#once.ask(core, key, this.#timeoutMs, (out) => {
      const { handle } = core;
      return core.unwrap(sluice_shared_limits(handle, limits, limits.length, out, out.length));
    });
    // This process learns of them with its next call.
    this.ask(core, key);
  }

  async reset(core: NativeLimiter, key: LimiterKey): Promise<void> {
    const { sluice_shared_reset } = core.native;
    await this.#once.ask(core, key, this.#timeoutMs, (out) => {
      return core.unwrap(sluice_shared_reset(core.handle, out, out.length));
    });
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

  collect(): void {
    if (this.#handle === 0) return;
    let result: number;
    do {
      const { sluice_shared_collect } = native();
      result = sluice_shared_collect(this.#handle, this.#answers, this.#answers.length);
      if (result < 0) return;
      const rows = Math.floor(result / SHARED_CHORES);
      for (let i = 0; i < rows; i++) this.#answer(SHARED_ANSWERS * i);
      this.see(result % SHARED_CHORES & ~SHARED_CHORE_MAIL, 0);
    } while (result & SHARED_CHORE_MAIL);
  }

  see(chores: number, key: number): void {
    if (chores & SHARED_CHORE_RING) ringOthers();
    if (chores & SHARED_CHORE_BELL) showBell(native().sluice_shared_bell(this.#handle));
    if (chores & SHARED_CHORE_SEND) this.#flights.send(key);
    if (chores & SHARED_CHORE_MAIL) this.collect();
  }

  async leave(close: () => void): Promise<void> {
    this.#line.refuse(() =>
      new SluiceError("SLUICE_DISPOSED", `The limiter ${this.#name} is closed`)
    );
    this.#forget();
    try {
      await this.#giveBack(LEAVE_IF_LAST);
    } finally {
      closeMailbox(this);
      open.delete(this);
      clearInterval(this.#timer);
      this.#timer = undefined;
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
    { signal, timeoutMs = Infinity }: SharedCallOptions,
    make: (answer: Answer) => T,
  ): Promise<T> {
    signal?.throwIfAborted();
    listen();
    const ticket = core.withKey(key, (id) => {
      const { sluice_shared_wait } = core.native;
      const length = this.#write(costs, reserve, ttlMs);
      const bytes = textBuffer.write(key.name);
      return sluice_shared_wait(core.handle, id, textBuffer.bytes, bytes, this.#request, length);
    });
    return new Promise((resolve, reject) => {
      // While the client hangs there is no call whose end would decide.
      const mostMs = this.#flights.hangs(key.id) ? this.#timeoutMs : Infinity;
      const deadline = performance.now() + Math.min(timeoutMs, mostMs);
      const waiting = { resolve: (answer: Answer) => resolve(make(answer)), reject };
      this.#line.add(ticket, { ...waiting, deadline, timeoutMs, signal });
      // Without a call to make, the answer may be there already.
      if (!this.#flights.send(key.id)) this.collect();
    });
  }

  #answer(at: number): void {
    const code = this.#answers[at + SHARED_ANSWER_CODE]!;
    const reservation = this.#answers[at + SHARED_ANSWER_RESERVATION]!;
    const source = SOURCES[this.#answers[at + SHARED_ANSWER_SOURCE]!]!;
    const waiting = this.#waiting(this.#answers[at + SHARED_ANSWER_TICKET]!);
    if (waiting === undefined) {
      // Its caller has left at the same moment.
      if (reservation > 0) this.#cancel(reservation);
    } else if (code < 0) {
      waiting.reject(
        statusError(code, "the key was forgotten while the call waited for the store"),
      );
    } else {
      waiting.resolve({ code, reservation, source });
    }
  }

  /** Who waits with a ticket: of this, or of another opening of the same limiter. */
  #waiting(ticket: number): Waiting<Answer> | undefined {
    const own = this.#line.take(ticket);
    if (own !== undefined) return own;
    for (const other of open) {
      const waiting = other.owner === this.owner ? other.#line.take(ticket) : undefined;
      if (waiting !== undefined) return waiting;
    }
    return undefined;
  }

  #cancel(reservation: number): void {
    native().sluice_reservation_end(this.#handle, reservation, SETTLE_NOTHING, NO_COSTS, 0);
  }

  /** Collects, and ends the wait of those whose time is over. */
  #look(): void {
    this.collect();
    this.#renew();
    if (this.#line.earliest > performance.now()) return;
    const { sluice_shared_expire } = native();
    for (const ticket of this.#line.late()) this.see(sluice_shared_expire(this.#handle, ticket), 0);
  }

  /** Makes the calls that are due, and returns how many there were. The timer stops when there will be none. */
  #renew(): number {
    const due = this.#due;
    const { sluice_shared_due } = native();
    let sent = 0;
    for (;;) {
      const result = sluice_shared_due(this.#handle, due, due.length);
      if (result < 0) return sent;
      const keys = result - SHARED_DUE_HEADER;
      for (let i = 0; i < keys; i++) {
        sent += Number(this.#flights.send(due[SHARED_DUE_HEADER + i]!));
      }
      if (keys === ROWS) continue;
      const isIdle = keys === 0 && due[0] === Infinity;
      if (isIdle && this.#flights.size === 0 && this.#line.size === 0) this.#rest();
      return sent;
    }
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

/** Whether a code refuses because the store has to be asked. */
function isLease(code: number): boolean {
  if (code < 1) return false;
  return Math.floor((code - 1) / CODE_REASON) % (CODE_US / CODE_REASON) === DENIED_LEASE;
}

function numbers(length: number): Float64Array<ArrayBuffer> {
  return new Float64Array(new ArrayBuffer(8 * length));
}
