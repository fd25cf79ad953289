/**
 * Bells: futex-like wake-ups between Workers, by `Atomics.notify` and `Atomics.waitAsync` on shared memory.
 *
 * Leases are always given back by JavaScript. So the Worker that gives one back wakes the Worker whose request
 * it was granted to. Workers need not know each other: a Worker that has to ring an unknown bell asks for it,
 * and its owner sends the memory over a `BroadcastChannel` that both close afterwards.
 *
 * Bells only save time. A Worker with queued requests also polls every 20 ms (`waiting_line.ts`), so a lost
 * ring, or a runtime without these features, costs that delay at most.
 *
 * @module
 */
import { native } from "../ffi/load.ts";

/** The name of the broadcast channel. */
const CHANNEL = "sluice:bells";
/**
 * How long to listen for a bell, in milliseconds. Its owner polls every 20 ms unless it is busy, so this is
 * many polls. An owner that did not answer in time is asked again with the next ring.
 */
const LISTEN_MS = 500;
/** The most bells that are kept. More would be of Workers that have ended. */
const KEPT = 4096;

/** The message on the channel. */
interface Introduction {
  readonly bell: number;
  readonly memory: SharedArrayBuffer;
}

/** A bell that this Worker sleeps on. */
export class Bell {
  readonly #memory = new SharedArrayBuffer(4);
  readonly #word = new Int32Array(this.#memory);
  #seen = 0;
  #asleep = false;

  /** Call it before looking for work: a ring from now on ends the next sleep at once. */
  arm(): void {
    this.#seen = Atomics.load(this.#word, 0);
  }

  /** Sleeps until it rings, and then calls `wake`. Does not keep the process alive. */
  sleep(wake: () => void): void {
    if (this.#asleep || typeof Atomics.waitAsync !== "function") return;
    this.#asleep = true;
    const woken = (): void => {
      this.#asleep = false;
      wake();
    };
    const wait = Atomics.waitAsync(this.#word, 0, this.#seen);
    if (wait.async) wait.value.then(woken);
    else queueMicrotask(woken);
  }

  /** Sends the bell to the Workers that asked for it. */
  show(bell: number): void {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage({ bell, memory: this.#memory } satisfies Introduction);
    // Closed a turn later, when the message has been sent.
    setTimeout(() => channel.close(), 0);
  }
}

/** The bells of other members, by the handle of their owner. */
const known = new Map<number, Int32Array>();
const asked = new Set<number>();
let channel: BroadcastChannel | undefined;
let listening: ReturnType<typeof setTimeout> | undefined;

/** Rings the bell of another member. An unknown bell is asked for first. */
export function ring(bell: number): void {
  const word = known.get(bell);
  if (word === undefined) return ask(bell);
  Atomics.add(word, 0, 1);
  Atomics.notify(word, 0);
}

function ask(bell: number): void {
  if (asked.has(bell)) return;
  asked.add(bell);
  if (channel === undefined) {
    channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }: MessageEvent<Introduction>) => {
      if (!asked.delete(data.bell)) return;
      if (known.size === KEPT) known.clear();
      known.set(data.bell, new Int32Array(data.memory));
      ring(data.bell);
      if (asked.size === 0) hangUp();
    };
  }
  clearTimeout(listening);
  listening = setTimeout(hangUp, LISTEN_MS);
  listening.unref();
  // Asked for only now that this Worker listens.
  if (native().sluice_bell_want(bell) < 0) asked.delete(bell);
  if (asked.size === 0) hangUp();
}

function hangUp(): void {
  clearTimeout(listening);
  channel?.close();
  channel = undefined;
  asked.clear();
}
