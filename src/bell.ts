/**
 * Bells: futex-like wake-ups between Workers, by `Atomics.notify` and `Atomics.waitAsync` on shared memory.
 *
 * What a Worker waits for is always delivered by JavaScript: by a Worker that gives a lease back, or that gets
 * the answer of a store. That Worker wakes the one that waits. Workers need not know each other: a Worker that
 * has to ring an unknown bell asks for it, and its owner sends the memory over a `BroadcastChannel` that both
 * close afterwards.
 *
 * Bells only save time. A Worker that waits also polls every 20 ms, so a lost ring, or a runtime without these
 * features, costs that delay at most.
 *
 * @module
 */

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
  readonly #channel: string;
  readonly #memory = new SharedArrayBuffer(4);
  readonly #word = new Int32Array(this.#memory);
  #seen = 0;
  #asleep = false;

  /** @param channel The name of the broadcast channel over which it is sent. */
  constructor(channel: string) {
    this.#channel = channel;
  }

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
    const channel = new BroadcastChannel(this.#channel);
    channel.postMessage({ bell, memory: this.#memory } satisfies Introduction);
    // Closed a turn later, when the message has been sent.
    setTimeout(() => channel.close(), 0);
  }
}

/** The bells of other Workers, by the number of their owner. */
export class Bells {
  readonly #name: string;
  readonly #want: (bell: number) => number;
  readonly #known = new Map<number, Int32Array>();
  readonly #asked = new Set<number>();
  #channel: BroadcastChannel | undefined;
  #listening: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param channel The name of the broadcast channel.
   * @param want Asks the owner of a bell to show it. The result is negative if the owner has ended.
   */
  constructor(channel: string, want: (bell: number) => number) {
    this.#name = channel;
    this.#want = want;
  }

  /** Rings a bell. An unknown one is asked for first. */
  ring(bell: number): void {
    const word = this.#known.get(bell);
    if (word === undefined) return this.#ask(bell);
    Atomics.add(word, 0, 1);
    Atomics.notify(word, 0);
  }

  #ask(bell: number): void {
    const asked = this.#asked;
    if (asked.has(bell)) return;
    asked.add(bell);
    this.#channel ??= this.#listen();
    clearTimeout(this.#listening);
    this.#listening = setTimeout(() => this.#hangUp(), LISTEN_MS);
    this.#listening.unref();
    // Asked for only now that this Worker listens.
    if (this.#want(bell) < 0) asked.delete(bell);
    if (asked.size === 0) this.#hangUp();
  }

  #listen(): BroadcastChannel {
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }: MessageEvent<Introduction>) => {
      if (!this.#asked.delete(data.bell)) return;
      if (this.#known.size === KEPT) this.#known.clear();
      this.#known.set(data.bell, new Int32Array(data.memory));
      this.ring(data.bell);
      if (this.#asked.size === 0) this.#hangUp();
    };
    return channel;
  }

  #hangUp(): void {
    clearTimeout(this.#listening);
    this.#channel?.close();
    this.#channel = undefined;
    this.#asked.clear();
  }
}
