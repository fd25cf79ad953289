/**
 * Tells a listener what happens to a pool.
 *
 * Things happen natively and in any Worker, and nothing native calls JavaScript, so they are
 * fetched: after each failure that is told here, and else every quarter of a second, by a timer
 * that keeps no process alive.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import {
  EVENT_COOLING,
  EVENT_EJECTED,
  EVENT_EXPIRED,
  EVENT_MISSED,
  EVENT_REAPED,
  EVENT_RECOVERED,
  POOL_EVENT,
} from "../ffi/symbols.gen.ts";
import type { PoolMember } from "./member.ts";
import type { PoolEvent } from "./options.ts";

const INTERVAL_MS = 250;
/** Events that are fetched in one crossing. */
const EVENTS = 32;

/** The events of a pool, for one listener. */
export class PoolEvents {
  readonly #member: PoolMember;
  readonly #listener: (event: PoolEvent) => void;
  readonly #numbers = new Float64Array(new ArrayBuffer(8 * POOL_EVENT * EVENTS));
  readonly #timer: ReturnType<typeof setInterval>;

  /** Listens from now on. */
  constructor(member: PoolMember, listener: (event: PoolEvent) => void) {
    this.#member = member;
    this.#listener = listener;
    this.#timer = setInterval(() => this.read(), INTERVAL_MS);
    this.#timer.unref();
  }

  /** Tells what happened since the last time. */
  read(): void {
    for (let read = EVENTS; read === EVENTS;) {
      let handle: number;
      try {
        handle = this.#member.handle;
      } catch {
        return this.stop();
      }
      read = this.#member.native.sluice_pool_events(handle, this.#numbers, this.#numbers.length);
      // A copy, because what the listener does may come back here.
      const numbers = [...this.#numbers.subarray(0, Math.max(0, read) * POOL_EVENT)];
      for (let at = 0; at < numbers.length; at += POOL_EVENT) {
        this.tell(this.#event(numbers[at]!, numbers[at + 1]!, numbers[at + 2]!, numbers[at + 3]!));
      }
    }
  }

  /** Tells one event; what the listener throws is its own affair. */
  tell(event: PoolEvent): void {
    try {
      this.#listener(event);
    } catch {
      // Documented: a broken metric must not break a request.
    }
  }

  /** Listens no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #event(kind: number, index: number, value: number, other: number): PoolEvent {
    switch (kind) {
      case EVENT_EJECTED:
        return { type: "ejected", upstream: this.#member.id(index), forMs: value };
      case EVENT_COOLING:
        return { type: "cooling", upstream: this.#member.id(index), forMs: value };
      case EVENT_RECOVERED:
        return { type: "recovered", upstream: this.#member.id(index) };
      case EVENT_EXPIRED:
        return { type: "expired", upstream: this.#member.id(index) };
      case EVENT_REAPED:
        return { type: "reaped", leases: value, waiters: other };
      default:
        return { type: "missed", events: kind === EVENT_MISSED ? value : 0 };
    }
  }
}
