/**
 * Polls the event queue of a pool and passes the events to a listener.
 *
 * Events are made natively, by any Worker, and native code never calls JavaScript. So they are fetched: after
 * each failure that this Worker reports, and every 250 ms, by a timer that does not keep the process alive.
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
import type { NativeHandle } from "../ffi/native_handle.ts";
import { own } from "../ffi/own_memory.ts";
import type { EventSink } from "./leaks.ts";
import type { PoolEvent } from "./options.ts";

/** The interval between two polls, in milliseconds. */
const INTERVAL_MS = 250;
/** Events that are fetched in one crossing. */
const EVENTS = 32;

const decoder = new TextDecoder();

/**
 * The events of a pool, for one listener. Only the pool's object may keep it: the listener may refer to that
 * object, which could never be collected otherwise.
 */
export class PoolEvents implements EventSink {
  readonly #member: Pick<NativeHandle, "native" | "handle">;
  readonly #listener: (event: PoolEvent) => void;
  readonly #numbers = own(new Float64Array(new ArrayBuffer(8 * POOL_EVENT * EVENTS)));
  readonly #ids = own(new Uint8Array(new ArrayBuffer(MAX_UPSTREAM_ID_BYTES * EVENTS)));
  readonly #timer: ReturnType<typeof setInterval>;

  /** Starts to listen. */
  constructor(
    member: Pick<NativeHandle, "native" | "handle">,
    listener: (event: PoolEvent) => void,
  ) {
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

  /** Passes on what happened since the last call. */
  read(): void {
    for (let read = EVENTS; read === EVENTS;) {
      const { native, handle } = this.#member;
      if (handle === 0) return this.stop();
      const [numbers, ids] = [this.#numbers, this.#ids];
      read = native.sluice_pool_events(handle, numbers, numbers.length, ids, ids.length);
      // The program was reloaded: the new instance of the module has a listener of its own.
      if (read < 0) return this.stop();
      // All are decoded first, because the listener may call this method.
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

  /** Passes one event on. Ignores what the listener throws. */
  tell(event: PoolEvent): void {
    try {
      this.#listener(event);
    } catch {
      // Documented: a broken metric must not break a request.
    }
  }

  /** Stops listening. */
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
