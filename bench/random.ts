/**
 * A pseudorandom number generator (Mulberry32) with a seed, so that generated texts are the same in every run.
 *
 * @module
 */

/** Mulberry32: 32 bits of state; equal in both runtimes. */
export class Random {
  #state: number;

  /** @param seed Any 32-bit number; equal seeds give equal sequences. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [low, high). */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low));
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length)]!;
  }

  /** A shuffled copy of `items` (Fisher–Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const dealt = items.slice();
    for (let i = dealt.length - 1; i > 0; i--) {
      const j = this.integer(0, i + 1);
      [dealt[i], dealt[j]] = [dealt[j]!, dealt[i]!];
    }
    return dealt;
  }
}
