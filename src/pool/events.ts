/**
 * Tells a listener what happens to a pool.
 *
 * Things happen natively and in any Worker, and nothing native calls JavaScript, so they are
 * fetched: after each failure that is told here, and else every quarter of a second, by a timer
 * that keeps no process alive.
 *
 * @module
 */
import {
  EVENT_COOLING,
  EVENT_EJECTED,
  EVENT_EXPIRED,
  EVENT_MISSED,
  EVENT_REAPED,
  EVENT_RECOVERED,
  MAX_UPSTREAM_ID_BYTES,
  POOL_EVENT,
  POOL_EVENT_ID_BYTES,
  POOL_EVENT_KIND,
  POOL_EVENT_OTHER,
  POOL_EVENT_VALUE,
} from "../ffi/symbols.gen.ts";
import type { PoolMember } from "./member.ts";
import type { PoolEvent } from "./options.ts";

const INTERVAL_MS = 250;
/** Events that are fetched in one crossing. */
const EVENTS = 32;

const decoder = new TextDecoder();

/**
 * The events of a pool, for one listener. To be kept by the pool's object and by nothing else: the
 * listener may see that object, which nobody could lose any more.
 */
export class PoolEvents {
  readonly #member: PoolMember;
  readonly #listener: (event: PoolEvent) => void;
  readonly #numbers = new Float64Array(new ArrayBuffer(8 * POOL_EVENT * EVENTS));
  readonly #ids = new Uint8Array(new ArrayBuffer(MAX_UPSTREAM_ID_BYTES * EVENTS));
  readonly #timer: ReturnType<typeof setInterval>;

  /** Listens from now on. */
  constructor(member: PoolMember, listener: (event: PoolEvent) => void) {
    this.#member = member;
    this.#listener = listener;
    const self = new WeakRef(this);
    const timer = setInterval(() => {
      const events = self.deref();
      if (events === undefined) clearInterval(timer);
      else events.read();
    }, INTERVAL_MS);
    timer.unref();
    this.#timer = timer;
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
      const [numbers, ids] = [this.#numbers, this.#ids];
      read = this.#member.native.sluice_pool_events(
        handle,
        numbers,
        numbers.length,
        ids,
        ids.length,
      );
      // The program was loaded anew: what happens here is told to its listener.
      if (read < 0) return this.stop();
      // All of them first, because what the listener does may come back here.
      const events: PoolEvent[] = [];
      let id = 0;
      for (let at = 0; at < read * POOL_EVENT; at += POOL_EVENT) {
        const field = (index: number): number => numbers[at + index]!;
        const bytes = ids.subarray(id, id += field(POOL_EVENT_ID_BYTES));
        events.push(
          eventOf(field(POOL_EVENT_KIND), bytes, field(POOL_EVENT_VALUE), field(POOL_EVENT_OTHER)),
        );
      }
      for (const event of events) this.tell(event);
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
}

function eventOf(kind: number, id: Uint8Array, value: number, other: number): PoolEvent {
  const upstream = decoder.decode(id);
  switch (kind) {
    case EVENT_EJECTED:
      return { type: "ejected", upstream, forMs: value };
    case EVENT_COOLING:
      return { type: "cooling", upstream, forMs: value };
    case EVENT_RECOVERED:
      return { type: "recovered", upstream };
    case EVENT_EXPIRED:
      return { type: "expired", upstream };
    case EVENT_REAPED:
      return { type: "reaped", leases: value, waiters: other };
    default:
      return { type: "missed", events: kind === EVENT_MISSED ? value : 0 };
  }
}
