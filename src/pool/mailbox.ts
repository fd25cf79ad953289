/**
 * The mailbox of a pool member: it collects the answers to queued requests, and wakes other Workers.
 *
 * The queue itself is native and spans all Workers. A native call returns a bit set of chores: `CHORE_MAIL` if
 * answers for this member are ready, `CHORE_RING` if other members have answers and are to be woken.
 *
 * @module
 */
import { Bell, Bells } from "../bell.ts";
import type { SluiceError } from "../errors.ts";
import { native } from "../ffi/load.ts";
import type { NativeHandle } from "../ffi/native_handle.ts";
import { own } from "../ffi/own_memory.ts";
import {
  ANSWER_LEASE,
  ANSWER_WAITER,
  ANSWERS as ANSWER_NUMBERS,
  CHORE_BELL,
  CHORE_MAIL,
  CHORE_RING,
  CHORES,
  LEASE_NEWS,
} from "../ffi/symbols.gen.ts";
import type { Lease } from "./lease.ts";
import { type Waiting, WaitingLine } from "../waiting_line.ts";

/** Answers that are collected in one crossing. */
const ANSWERS = 64;

/** The broadcast channel over which members show their bells. */
const CHANNEL = "sluice:bells";

const bells = new Bells(CHANNEL, (bell) => native().sluice_bell_want(bell));

/** The part of a member that its mailbox calls. */
export interface MailboxOwner extends Pick<NativeHandle, "native" | "handle"> {
  /** The lease of an id that was granted to a queued request. */
  grant(id: number): Lease;
  /** Gives back a lease whose request has left the queue. */
  giveBack(id: number): void;
  /** The error of a request that was refused with a status. */
  refusal(status: number, timeoutMs: number): SluiceError;
  /** Whether a result says that the handle is closed. */
  isClosedBy(result: number): boolean;
}

/** The queued requests of one member. */
export class Mailbox {
  readonly #owner: MailboxOwner;
  readonly #line: WaitingLine<Lease>;
  readonly #bell = new Bell(CHANNEL);
  readonly #answers = own(new Float64Array(new ArrayBuffer(8 * ANSWER_NUMBERS * ANSWERS)));

  /** @param pollMs See {@linkcode WaitingLine}. */
  constructor(owner: MailboxOwner, pollMs?: number) {
    this.#owner = owner;
    this.#line = new WaitingLine(
      () => this.collect(),
      (ticket) => this.see(owner.native.sluice_waiter_cancel(owner.handle, ticket)),
      pollMs,
    );
  }

  /** The number of queued requests. */
  get size(): number {
    return this.#line.size;
  }

  /** Adds a request that the native side has queued under `ticket`. */
  add(ticket: number, waiting: Waiting<Lease>): void {
    this.#line.add(ticket, waiting);
    // Arms the bell, looks, and only then sleeps: what comes in between is collected or rings.
    this.collect();
  }

  /** Rejects all queued requests. */
  refuse(reason: () => unknown): void {
    this.#line.refuse(reason);
  }

  /** Does the chores that a native call returned. */
  see(chores: number): void {
    if (chores & CHORE_RING) this.#ring();
    if (chores & CHORE_MAIL) this.collect();
  }

  /** Collects the answers that are ready, and sleeps if requests are still queued. */
  collect(): void {
    let result: number;
    do {
      const { native, handle } = this.#owner;
      if (handle === 0) return;
      this.#bell.arm();
      result = native.sluice_waiter_collect(handle, this.#answers, this.#answers.length);
      if (result < 0) return void this.#owner.isClosedBy(result);
      const answers = Math.floor(result / CHORES);
      for (let i = 0; i < answers; i++) {
        const at = ANSWER_NUMBERS * i;
        this.#answer(this.#answers[at + ANSWER_WAITER]!, this.#answers[at + ANSWER_LEASE]!);
      }
      if (result & CHORE_RING) this.#ring();
      if (result & CHORE_BELL) this.#bell.show(handle);
    } while (result & CHORE_MAIL);
    if (this.#line.size > 0) this.#bell.sleep(() => this.collect());
  }

  /** An answer is a lease id, or the status of a refusal. */
  #answer(ticket: number, answer: number): void {
    const waiting = this.#line.take(ticket);
    if (waiting === undefined) {
      // The request was aborted at the same moment: the lease goes to the next one.
      if (answer > 0) this.#owner.giveBack(answer % LEASE_NEWS);
    } else if (answer > 0) {
      waiting.resolve(this.#owner.grant(answer));
    } else {
      waiting.reject(this.#owner.refusal(answer, waiting.timeoutMs));
    }
  }

  #ring(): void {
    const { native, handle } = this.#owner;
    for (;;) {
      const bell = native.sluice_bell_next(handle);
      if (bell <= 0) return;
      if (bell === handle) queueMicrotask(() => this.collect());
      else bells.ring(bell);
    }
  }
}
