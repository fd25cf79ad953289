/**
 * The mailbox of one limiter: decisions that wait for the store are promises in a hash map by ticket, and answers
 * resolve them.
 *
 * @module
 */
import { statusError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import { own } from "../ffi/own_memory.ts";
import {
  SETTLE_NOTHING,
  SHARED_ANSWER_CODE,
  SHARED_ANSWER_RESERVATION,
  SHARED_ANSWER_SOURCE,
  SHARED_ANSWER_TICKET,
  SHARED_ANSWERS,
  SHARED_CHORE_BELL,
  SHARED_CHORE_MAIL,
  SHARED_CHORE_RING,
  SHARED_CHORE_SEND,
  SHARED_CHORES,
} from "../ffi/symbols.gen.ts";
import type { SharedCallOptions } from "../limiter/shared_calls.ts";
import type { DecisionSource } from "../limiter/shared_decision.ts";
import { type Waiting, WaitingLine } from "../waiting_line.ts";
import type { FlightOwner, Flights } from "./flights.ts";
import { closeMailbox, type Mailbox, openMailbox, ringOthers, showBell } from "./mailboxes.ts";

/** Answers that are collected in one crossing. */
const ROWS = 64;
const SOURCES: readonly DecisionSource[] = ["credit", "store", "outage"];
const NO_COSTS = new Float64Array(new ArrayBuffer(0));

/**
 * All that are open. That of a limiter that says goodbye and that of the same limiter, opened meanwhile, are one
 * natively, because it is the thread's.
 */
const open = new Set<LimiterMailbox>();

/** The numbers of an answer, apart from its ticket. */
export interface Answer {
  readonly code: number;
  readonly reservation: number;
  readonly source: DecisionSource;
}

/** The mailbox of one limiter that this isolate has open. */
export class LimiterMailbox implements Mailbox {
  readonly #limiter: FlightOwner;
  readonly #flights: Flights;
  readonly #timeoutMs: number;
  readonly #renew: () => void;
  readonly #line: WaitingLine<Answer>;
  readonly #answers = own(new Float64Array(new ArrayBuffer(8 * SHARED_ANSWERS * ROWS)));

  /**
   * @param timeoutMs How long an answer may take.
   * @param renew Makes the calls that are due.
   */
  constructor(limiter: FlightOwner, flights: Flights, timeoutMs: number, renew: () => void) {
    this.#limiter = limiter;
    this.#flights = flights;
    this.#timeoutMs = timeoutMs;
    this.#renew = renew;
    this.#line = new WaitingLine<Answer>(
      () => this.#look(),
      (ticket) => void native().sluice_shared_cancel(limiter.handle, ticket),
    );
    openMailbox(this);
    open.add(this);
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Waits for the answer of a ticket, and makes the call of its key.
   *
   * @param make Makes the result of the answer.
   */
  wait<T>(
    ticket: number,
    key: number,
    { signal, timeoutMs = Infinity }: SharedCallOptions,
    make: (answer: Answer) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      // While the client hangs there is no call whose end would decide.
      const mostMs = this.#flights.hangs(key) ? this.#timeoutMs : Infinity;
      const deadline = performance.now() + Math.min(timeoutMs, mostMs);
      const waiting = { resolve: (answer: Answer) => resolve(make(answer)), reject };
      this.#line.add(ticket, { ...waiting, deadline, timeoutMs, signal });
      // Without a call to make, the answer may be there already.
      if (!this.#flights.send(key)) this.collect();
    });
  }

  collect(): void {
    const limiter = this.#limiter;
    if (limiter.handle === 0) return;
    const { sluice_shared_collect } = native();
    let result: number;
    do {
      result = sluice_shared_collect(limiter.handle, this.#answers, this.#answers.length);
      if (result < 0) return;
      const rows = Math.floor(result / SHARED_CHORES);
      for (let i = 0; i < rows; i++) this.#answer(SHARED_ANSWERS * i);
      this.see(result % SHARED_CHORES & ~SHARED_CHORE_MAIL, 0);
    } while (result & SHARED_CHORE_MAIL);
  }

  /** Does what an answer or its absence leaves to do. */
  see(chores: number, key: number): void {
    if (chores & SHARED_CHORE_RING) ringOthers();
    if (chores & SHARED_CHORE_BELL) showBell(native().sluice_shared_bell(this.#limiter.handle));
    if (chores & SHARED_CHORE_SEND) this.#flights.send(key);
    if (chores & SHARED_CHORE_MAIL) this.collect();
  }

  /** Rejects all who wait. */
  refuse(reason: () => unknown): void {
    this.#line.refuse(reason);
  }

  /** Removes the mailbox from those that a bell makes look. */
  close(): void {
    closeMailbox(this);
    open.delete(this);
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
    const { owner } = this.#limiter;
    for (const other of open) {
      const waiting = other.#limiter.owner === owner ? other.#line.take(ticket) : undefined;
      if (waiting !== undefined) return waiting;
    }
    return undefined;
  }

  #cancel(reservation: number): void {
    const { sluice_reservation_end } = native();
    sluice_reservation_end(this.#limiter.handle, reservation, SETTLE_NOTHING, NO_COSTS, 0);
  }

  /** Collects, and ends the wait of those whose time is over. */
  #look(): void {
    this.collect();
    this.#renew();
    if (this.#line.earliest > performance.now()) return;
    const { sluice_shared_expire } = native();
    for (const ticket of this.#line.late()) {
      this.see(sluice_shared_expire(this.#limiter.handle, ticket), 0);
    }
  }
}
