/**
 * Next-fit bin packing of lines into files: a line goes to the current file, or begins the next one if the current
 * one would exceed a limit. The order is kept.
 *
 * @module
 */
import { type Limit, type LineSize, useOf } from "./limits.ts";

/** Where a line goes. */
export interface Placed {
  /** Whether it begins a file. */
  readonly isFirst: boolean;
  /** The limit that it exceeds even alone. */
  readonly exceeded: Limit | undefined;
}

/** Packs lines into files. */
export class Packer {
  readonly #perFile: readonly Limit[];
  readonly #perRequest: readonly Limit[];
  readonly #used: Float64Array;
  #files = 0;

  /** @param limits All of them hold for each file. Limits of models are ignored: the order decides about them. */
  constructor(limits: readonly Limit[]) {
    const additive = limits.filter(({ unit }) => unit !== "models");
    this.#perFile = additive.filter(({ of }) => of !== "request");
    this.#perRequest = additive.filter(({ of }) => of === "request");
    this.#used = new Float64Array(this.#perFile.length);
  }

  /** The number of files so far. */
  get files(): number {
    return this.#files;
  }

  /** Adds a line. O(limits). */
  add(size: LineSize): Placed {
    let exceeded = this.#perRequest.find((limit) => useOf(limit, size) > limit.limit);
    let fits = this.#files > 0;
    for (let i = 0; i < this.#perFile.length; i++) {
      const limit = this.#perFile[i]!;
      const use = useOf(limit, size);
      if (use > limit.limit) exceeded ??= limit;
      // A line that uses nothing of a limit never begins a file because of it.
      if (use > 0 && this.#used[i]! + use > limit.limit) fits = false;
    }
    if (!fits) {
      this.#files++;
      this.#used.fill(0);
    }
    for (let i = 0; i < this.#perFile.length; i++) {
      this.#used[i]! += useOf(this.#perFile[i]!, size);
    }
    return { isFirst: !fits, exceeded };
  }
}
