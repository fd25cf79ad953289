/**
 * Bells: how one Worker wakes another that waits for a lease.
 *
 * A lease is always given back by JavaScript, so the Worker that gives it back wakes the one that
 * it was handed to: `Atomics.notify` on a word of shared memory on which the other sleeps with
 * `Atomics.waitAsync`. Workers need not be wired to each other: who has to ring a bell that it does
 * not know asks for it, and the two meet once on a `BroadcastChannel` that both close again.
 *
 * A bell only makes things fast. Whoever waits looks by itself every few milliseconds
 * (`waiting_line.ts`), so a lost ring, or a runtime without any of this, costs those and no more.
 *
 * @module
 */
import { native } from "../ffi/load.ts";

/** Where Workers meet. */
const CHANNEL = "sluice:bells";
/**
 * How long to listen for a bell, in milliseconds. Its owner looks every 20 ms unless it is busy, so
 * this is many looks; who was not heard by then is asked again with the next ring, and polls.
 */
const LISTEN_MS = 500;
/** More bells than this are not kept: their owners are long gone. */
const KEPT = 4096;

/** What is said on the channel. */
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

  /** To be called before looking for work: a ring from now on ends the next sleep at once. */
  arm(): void {
    this.#seen = Atomics.load(this.#word, 0);
  }

  /** Sleeps until it rings, and then calls `wake`. Keeps no process alive. */
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

  /** Shows the bell to whoever asked. */
  show(bell: number): void {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage({ bell, memory: this.#memory } satisfies Introduction);
    // Closed a turn later: what was posted is on its way then.
    setTimeout(() => channel.close(), 0);
  }
}

/** The bells of others, by the handle of their owner. */
const known = new Map<number, Int32Array>();
const asked = new Set<number>();
let channel: BroadcastChannel | undefined;
let listening: ReturnType<typeof setTimeout> | undefined;

/** Rings the bell of another Worker, or gets to know it and rings it then. */
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
  // Asked only now that somebody listens.
  if (native().sluice_bell_want(bell) < 0) asked.delete(bell);
  if (asked.size === 0) hangUp();
}

function hangUp(): void {
  clearTimeout(listening);
  channel?.close();
  channel = undefined;
  asked.clear();
}
