/**
 * Calls to the store that are under way: one for each key, each with a time limit.
 *
 * The library makes the text of a call and reads the answer. What a client does between is not trusted: the time
 * limit is ours, and whether a call is sent again is decided by the library, which sends the same text then.
 *
 * @module
 */
import { messageOf } from "./clients.ts";
import { native } from "../ffi/load.ts";
import { own } from "../ffi/own_memory.ts";
import { SCRIPT_LIMITER, SHARED_DUE_HEADER } from "../ffi/symbols.gen.ts";
import { scriptOf } from "./script.ts";
import { textBuffer } from "../text_buffer.ts";
import { type Limited, Timeouts } from "./timeouts.ts";
import type { Script, SharedTransport } from "./transport.ts";

/** A call whose client has not answered for so long, in milliseconds, does not keep its key from another one. */
const HANGS_MS = 1000;

/** The index of the sequence number among the arguments. */
const SEQ = 2;
/** Keys with a call to make that are listed in one crossing. */
const ROWS = 64;

const room = own(new Uint8Array(new ArrayBuffer(1 << 15)));
const decoder = new TextDecoder();

/** What flights need of their limiter. */
export interface FlightOwner {
  /** The native handle; 0 once closed. */
  readonly handle: number;
  /** What the limiter's keys in the store belong to. */
  readonly owner: string;
  /** The store whose client carries the next call. */
  readonly store: SharedTransport;
  /** Does what an answer or its absence leaves to do. */
  see(chores: number, key: number): void;
}

/** The calls of one limiter. */
export class Flights {
  /** The message of the last failure. */
  lastError: string | undefined;
  readonly #limiter: FlightOwner;
  readonly #timeouts: Timeouts;
  readonly #timeoutMs: number;
  /** Keys whose client has not answered yet, and since when. */
  readonly #pending = new Map<number, number>();
  readonly #due = own(new Float64Array(new ArrayBuffer(8 * (SHARED_DUE_HEADER + ROWS))));
  /** Whether a call will be due at some time, as far as is known. */
  #hasDue = true;
  #script: Script | undefined;
  #idle: (() => void)[] = [];

  /** @param timeoutMs How long an answer may take. */
  constructor(limiter: FlightOwner, timeoutMs: number) {
    this.#limiter = limiter;
    this.#timeoutMs = timeoutMs;
    this.#timeouts = new Timeouts(timeoutMs);
    // Known when it is needed. A failure is reported by the first call.
    scriptOf(SCRIPT_LIMITER).then((script) => this.#script = script, () => {});
  }

  /** The number of calls that have no answer yet. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether no call is under way, and none will be due by itself: as {@linkcode sendDue} has seen it last. */
  get isIdle(): boolean {
    return !this.#hasDue && this.#pending.size === 0;
  }

  /** Whether the client should have answered the last call of a key by now, and has not. */
  hangs(key: number): boolean {
    const since = this.#pending.get(key);
    return since !== undefined && performance.now() - since > this.#timeoutMs;
  }

  /** Sends the call that a key has to make, and returns whether there was one. */
  send(key: number): boolean {
    const since = this.#pending.get(key);
    if (since !== undefined && performance.now() - since < HANGS_MS) return false;
    const { sluice_shared_send } = native();
    const length = sluice_shared_send(this.#limiter.handle, key, room, room.length);
    // Below 0 if the limiter is closed or the key was forgotten.
    if (length <= 0) return false;
    const bytes = length <= room.length ? room.subarray(0, length) : longText(length);
    void this.#fly(key, decoder.decode(bytes));
    return true;
  }

  /** Sends the calls that are due, and returns how many there were. */
  sendDue(): number {
    const due = this.#due;
    const { sluice_shared_due } = native();
    this.#hasDue = true;
    let sent = 0;
    for (;;) {
      const result = sluice_shared_due(this.#limiter.handle, due, due.length);
      if (result < 0) return sent;
      const keys = result - SHARED_DUE_HEADER;
      for (let i = 0; i < keys; i++) sent += Number(this.send(due[SHARED_DUE_HEADER + i]!));
      if (keys === ROWS) continue;
      this.#hasDue = keys > 0 || due[0] !== Infinity;
      return sent;
    }
  }

  /** Resolves when no call is under way. */
  settled(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#idle.push(resolve));
  }

  async #fly(key: number, text: string): Promise<void> {
    const end = text.indexOf("\n");
    const args = text.slice(0, end).split(" ");
    const flight = new Flight(key, Number(args[SEQ]), (late) => {
      this.#fail(late, `no answer within ${this.#timeoutMs} ms`);
    });
    this.#pending.set(key, flight.startedAt);
    this.#timeouts.add(flight);
    let reply: string;
    try {
      this.#script ??= await scriptOf(SCRIPT_LIMITER);
      const { store, owner } = this.#limiter;
      reply = await store.run(this.#script, store.keysOf(owner, text.slice(end + 1)), args);
    } catch (error) {
      this.#land(flight);
      return this.#fail(flight, messageOf(error));
    }
    this.#land(flight);
    // The answer of a call that took too long is read as well: it ends the outage.
    const length = textBuffer.write(reply);
    const { sluice_shared_receive } = native();
    this.#see(sluice_shared_receive(this.#limiter.handle, key, textBuffer.bytes, length), key);
  }

  #land(flight: Flight): void {
    flight.isDone = true;
    if (this.#pending.get(flight.key) !== flight.startedAt) return;
    this.#pending.delete(flight.key);
    if (this.#pending.size > 0 || this.#idle.length === 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #fail(flight: Flight, why: string): void {
    this.lastError = why;
    if (flight.hasFailed) return;
    flight.hasFailed = true;
    const { sluice_shared_fail } = native();
    this.#see(sluice_shared_fail(this.#limiter.handle, flight.key, flight.seq), flight.key);
  }

  /** A negative result says that the limiter is closed, or that the key was forgotten. */
  #see(result: number, key: number): void {
    if (result > 0) this.#limiter.see(result, key);
  }
}

/** One call. */
class Flight implements Limited {
  readonly key: number;
  readonly seq: number;
  readonly startedAt = performance.now();
  isDone = false;
  hasFailed = false;
  readonly #late: (flight: Flight) => void;

  constructor(key: number, seq: number, late: (flight: Flight) => void) {
    this.key = key;
    this.seq = seq;
    this.#late = late;
  }

  expire(): void {
    this.#late(this);
  }
}

/** The text of the last call, which did not fit. */
export function longText(length: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  native().sluice_shared_text(bytes, length);
  return bytes;
}
