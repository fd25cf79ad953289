/**
 * Cooperative scheduling: work on the event loop in slices of bounded time.
 *
 * @module
 */
import { nextTurn } from "../delay.ts";

/** The length of a slice, in milliseconds. */
const SLICE_MS = 1;

/** The slice of time that is running. */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined;
  #started = performance.now();

  /** Starts the first slice. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether it is time to {@linkcode yield}. A property of its own, so that most slices cost no promise. */
  get isOver(): boolean {
    return performance.now() - this.#started >= SLICE_MS;
  }

  /** Lets the event loop run, and starts the next slice. Throws the reason of the signal if it aborted. */
  async yield(): Promise<void> {
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#started = performance.now();
  }
}
