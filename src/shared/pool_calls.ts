/**
 * The calls of a pool to the store that it is shared through: one at a time, when the library says that one is due.
 *
 * The library makes the text of a call and reads the reply. A timer, which does not keep the process alive, looks
 * when the next call is due. Any Worker may make it, for all of the process.
 *
 * @module
 */
import { LONGEST_TIMER } from "../deadline.ts";
import { native } from "../ffi/load.ts";
import { own } from "../ffi/own_memory.ts";
import { LEAVE_ALWAYS, LEAVE_IF_LAST, POOL_NEVER_DUE, SCRIPT_POOL } from "../ffi/symbols.gen.ts";
import { textBuffer } from "../text_buffer.ts";
import { messageOf } from "./clients.ts";
import type { PoolCalls, SharedPoolMember } from "./pool_seam.ts";
import { RoundTrips } from "./round_trips.ts";
import { scriptOf } from "./script.ts";
import { Timeouts } from "./timeouts.ts";
import type { Script, SharedTransport } from "./transport.ts";

/** The owner of the keys of pools. No limiter's name is encoded like that. */
const OWNER = "@pool";
/** The index of the sequence number among the arguments. */
const SEQ = 1;
/** A call that its client has not answered for so long, in milliseconds, does not keep others from being made. */
const HANGS_MS = 1000;

const room = own(new Uint8Array(new ArrayBuffer(1 << 14)));
const decoder = new TextDecoder();

/** The calls of one member of a pool. */
export class StorePoolCalls implements PoolCalls {
  lastError: string | undefined;
  readonly #store: SharedTransport;
  readonly #member: SharedPoolMember;
  readonly #keys: readonly string[];
  readonly #timeouts: Timeouts;
  readonly #roundTrips = new RoundTrips();
  readonly #forget: () => void;
  /** When each call began that its client has not answered. */
  readonly #pending = new Set<number>();
  #idle: (() => void)[] = [];
  #script: Script | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #missed = 0;

  /** @param name The name of the pool. */
  constructor(store: SharedTransport, member: SharedPoolMember, name: string) {
    this.#store = store;
    this.#member = member;
    this.#keys = store.keysOf(OWNER, encodeURIComponent(name.toWellFormed()));
    this.#timeouts = new Timeouts(store.settings.timeoutMs);
    this.#forget = store.onTerminate(() => {
      this.#leave(LEAVE_ALWAYS);
      return this.settled();
    });
    // Known when it is needed. A failure is reported by the first call.
    scriptOf(SCRIPT_POOL).then((script) => this.#script = script, () => {});
  }

  get roundTripMs(): { readonly p50: number; readonly p99: number } | undefined {
    return this.#roundTrips.quantiles();
  }

  watch(): void {
    if (this.#timer === undefined) this.#look();
  }

  ask(missed: number): void {
    this.#missed += missed;
    this.#look();
  }

  leave(): void {
    this.#forget();
    // Leases may still be in use. The timer keeps their permits, and stops when the handle is closed.
    this.#leave(LEAVE_IF_LAST);
  }

  settled(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#store.settings.timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Makes the call that is due, and looks again when the next one is. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { handle } = this.#member;
    if (handle === 0) return;
    const { sluice_pool_due, sluice_pool_send } = native();
    if (!this.#isHanging()) {
      const length = sluice_pool_send(handle, this.#missed, room, room.length);
      if (length > 0) {
        this.#missed = 0;
        void this.#fly(textOf(length));
      }
    }
    const due = sluice_pool_due(handle, this.#missed);
    if (due < 0 || due === POOL_NEVER_DUE) return;
    // A millisecond late rather than early. While a client hangs, a call that is due is made when it can be.
    const ms = this.#isHanging() ? Math.max(due, HANGS_MS / 10) : due;
    this.#timer = setTimeout(() => this.#look(), Math.min(ms + 1, LONGEST_TIMER));
    this.#timer.unref();
  }

  #isHanging(): boolean {
    const now = performance.now();
    for (const startedAt of this.#pending) if (now - startedAt < HANGS_MS) return true;
    return false;
  }

  async #fly(text: string): Promise<void> {
    const args = text.split(" ");
    const startedAt = performance.now();
    const fail = (why: string): void => {
      this.lastError = why;
      const { sluice_pool_fail } = native();
      this.#see(sluice_pool_fail(this.#member.handle, Number(args[SEQ])));
    };
    const late = () => fail(`no answer within ${this.#store.settings.timeoutMs} ms`);
    const flight = { isDone: false, startedAt, expire: late };
    this.#timeouts.add(flight);
    let reply: string;
    try {
      reply = await this.#run(args, startedAt);
    } catch (error) {
      flight.isDone = true;
      return fail(messageOf(error));
    }
    flight.isDone = true;
    this.#roundTrips.add(performance.now() - startedAt);
    // A reply that took too long is still good, unless another call was made meanwhile.
    const length = textBuffer.write(reply);
    const { sluice_pool_receive } = native();
    this.#see(sluice_pool_receive(this.#member.handle, textBuffer.bytes, length));
  }

  async #run(args: readonly string[], startedAt: number): Promise<string> {
    this.#pending.add(startedAt);
    try {
      this.#script ??= await scriptOf(SCRIPT_POOL);
      return await this.#store.run(this.#script, this.#keys, args);
    } finally {
      this.#pending.delete(startedAt);
      if (this.#pending.size === 0) { for (const resolve of this.#idle.splice(0)) resolve(); }
    }
  }

  /** A negative result says that the member is closed. */
  #see(chores: number): void {
    if (chores < 0) return;
    if (chores > 0) this.#member.see(chores);
    else this.#look();
  }

  #leave(how: number): void {
    const { handle } = this.#member;
    if (handle === 0) return;
    const { sluice_pool_leave } = native();
    const length = sluice_pool_leave(handle, how, room, room.length);
    if (length <= 0) return;
    // The permits end by themselves if the store does not hear this.
    this.#run(textOf(length).split(" "), performance.now()).catch(() => {});
  }
}

/** The text of a call that a native function has just written. */
function textOf(length: number): string {
  if (length <= room.length) return decoder.decode(room.subarray(0, length));
  const bytes = new Uint8Array(new ArrayBuffer(length));
  native().sluice_shared_text(bytes, length);
  return decoder.decode(bytes);
}
