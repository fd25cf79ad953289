/**
 * Rates over a sliding window of ten seconds.
 *
 * @module
 */

const WINDOW_MS = 10_000;

interface Sample {
  readonly at: number;
  readonly bytes: number;
  readonly tokens: number;
}

/** How fast a run is, and how long it will take. */
export interface Rate {
  readonly bytesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Undefined if the total is not known, or nothing was done yet. */
  readonly secondsLeft: number | undefined;
}

/** Rates of a run. What was done before it does not count. */
export class Rates {
  readonly #total: number;
  readonly #samples: Sample[];

  /** @param total Bytes of the run; 0 if they are not known. */
  constructor(total: number, now: number) {
    this.#total = total;
    this.#samples = [{ at: now, bytes: 0, tokens: 0 }];
  }

  /** The rate, now that so much is done. */
  add(bytes: number, tokens: number, now: number): Rate {
    const samples = this.#samples;
    samples.push({ at: now, bytes, tokens });
    while (samples.length > 2 && now - samples[1]!.at >= WINDOW_MS) samples.shift();
    const first = samples[0]!;
    const seconds = Math.max(now - first.at, 1) / 1000;
    const bytesPerSecond = (bytes - first.bytes) / seconds;
    const left = Math.max(this.#total - bytes, 0);
    return {
      bytesPerSecond,
      tokensPerSecond: (tokens - first.tokens) / seconds,
      secondsLeft: this.#total === 0 || bytesPerSecond <= 0 ? undefined : left / bytesPerSecond,
    };
  }
}
