/**
 * Keys of a limiter, and a cache of them by name: two generations of a hash map.
 *
 * @module
 */

/** A key of a limiter: made by {@linkcode RateLimiter.key}. */
export class LimiterKey {
  /** The name of the key. */
  readonly name: string;
  /**
   * The number of the key's slot, for {@linkcode RawLimiter.takeBatch}. It changes when the key was idle and
   * has lost its slot to another key.
   */
  id: number;
  /** @ignore The limiter that the key belongs to. */
  readonly limiter: object;

  /** @ignore Use {@linkcode RateLimiter.key}. */
  constructor(limiter: object, name: string, id: number) {
    this.limiter = limiter;
    this.name = name;
    this.id = id;
  }
}

/** The number of keys that are cached for each limiter of an isolate. */
const CAPACITY = 1 << 14;
/** The longest name that is cached, in UTF-16 code units. So long names fill a few megabytes at most. */
const LONGEST_NAME = 256;

/** The keys that were used lately, by name. A hit in the young generation changes nothing. */
export class KeyCache {
  #young = new Map<string, LimiterKey>();
  #old = new Map<string, LimiterKey>();

  /** Returns the key of a name if it was used lately. */
  get(name: string): LimiterKey | undefined {
    const key = this.#young.get(name);
    if (key !== undefined) return key;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(old);
    return old;
  }

  /** Adds a key, unless its name is long. A young generation that is full becomes the old one. */
  set(key: LimiterKey): void {
    if (key.name.length > LONGEST_NAME) return;
    if (this.#young.size >= CAPACITY / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key.name, key);
  }
}
