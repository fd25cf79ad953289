/**
 * Keys of a limiter.
 *
 * @module
 */

/** A key of a limiter: made by {@linkcode RateLimiter.key}. */
export class LimiterKey {
  /** The name it was made of. */
  readonly name: string;
  /**
   * A number that stands for it in {@linkcode RateLimiter.takeBatch}. It changes when the key was idle
   * and its place was given away meanwhile.
   */
  id: number;
  /** @ignore The limiter it belongs to. */
  readonly limiter: object;

  /** @ignore Use {@linkcode RateLimiter.key}. */
  constructor(limiter: object, name: string, id: number) {
    this.limiter = limiter;
    this.name = name;
    this.id = id;
  }
}

/** How many keys are remembered by name, for each limiter of an isolate, */
const KEPT = 1 << 14;
/** and how long a name may be, in UTF-16 units: so who sends long ones fills megabytes and no more. */
const LONGEST = 256;

/** The keys that were used lately, by name. Two generations: no bookkeeping on a hit. */
export class KeyCache {
  #young = new Map<string, LimiterKey>();
  #old = new Map<string, LimiterKey>();

  /** The key of `name`, if it was used lately. */
  get(name: string): LimiterKey | undefined {
    const key = this.#young.get(name);
    if (key !== undefined) return key;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(old);
    return old;
  }

  /** Remembers `key`, unless its name is long. */
  set(key: LimiterKey): void {
    if (key.name.length > LONGEST) return;
    if (this.#young.size >= KEPT / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key.name, key);
  }
}
