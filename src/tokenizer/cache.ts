/**
 * The count cache: a hash table from texts to token counts, shared by all Workers of a process.
 *
 * Chat clients send the whole history with every turn. A tokenizer with `cache: true` looks up texts of 256
 * bytes and more before it counts them. The table has a fixed number of entries. It stores no text, only counts
 * under a keyed 128-bit hash, so neither random nor forged collisions are a risk (the bound and its proof:
 * `count_cache` in `rust/tokenizer`).
 *
 * @module
 */
import { checkInteger } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { native, unwrap } from "../ffi/load.ts";
import {
  CACHE_STAT_CAPACITY,
  CACHE_STAT_EVICTIONS,
  CACHE_STAT_HITS,
  CACHE_STAT_MISSES,
  CACHE_STATS,
  MAX_CACHE_ENTRIES,
} from "../ffi/symbols.gen.ts";

/** The size of the count cache. */
export interface CountCacheOptions {
  /**
   * The number of entries, rounded up to 5 times a power of two. The first tokenizer of the process that asks
   * for a cache decides. An entry takes 25.6 bytes.
   *
   * @default 20480, which takes 512 KiB.
   */
  readonly entries?: number | undefined;
}

/** Statistics of the count cache since the start of the process. */
export interface CountCacheStats {
  /** The number of entries; 0 if no tokenizer has asked for a cache. */
  readonly capacity: number;
  /** Look-ups that found the count. */
  readonly hits: number;
  /** Look-ups that did not. */
  readonly misses: number;
  /** Entries that were evicted. */
  readonly evictions: number;
}

const OPTIONS: Known<CountCacheOptions> = { entries: true };
const DEFAULT_ENTRIES = 20_480;

/** Opens the cache of the process if `cache` asks for one, and returns whether it does. */
export function openCache(cache: boolean | CountCacheOptions | undefined): boolean {
  const entries = checkCache(cache);
  if (entries === 0) return false;
  unwrap(native().sluice_cache_open(entries));
  return true;
}

/**
 * Statistics of the count cache of this process, over all Workers. O(1).
 *
 * @example
 * ```ts
 * import { cacheStats, Tokenizer } from "./mod.ts";
 *
 * using tokenizer = Tokenizer.forModel("gpt-5", { cache: true });
 * const history = "The same words, turn after turn. ".repeat(100);
 * tokenizer.count(history);
 * tokenizer.count(history);
 * console.log(cacheStats()); // { capacity: 20480, hits: 1, misses: 1, evictions: 0 }
 * ```
 */
export function cacheStats(): CountCacheStats {
  const numbers = new Float64Array(new ArrayBuffer(8 * CACHE_STATS));
  unwrap(native().sluice_cache_stats(numbers, numbers.length));
  return {
    capacity: numbers[CACHE_STAT_CAPACITY]!,
    hits: numbers[CACHE_STAT_HITS]!,
    misses: numbers[CACHE_STAT_MISSES]!,
    evictions: numbers[CACHE_STAT_EVICTIONS]!,
  };
}

/** The number of entries that `cache` asks for; 0 for no cache. */
export function checkCache(cache: boolean | CountCacheOptions | undefined): number {
  if (cache === undefined || cache === false) return 0;
  if (cache === true) return DEFAULT_ENTRIES;
  if (typeof cache !== "object" || cache === null) {
    throw new TypeError(`cache must be a boolean or an object, not ${show(cache)}`);
  }
  checkKnown<CountCacheOptions>("cache", cache, OPTIONS);
  const { entries = DEFAULT_ENTRIES } = cache;
  return checkInteger("cache.entries", entries, 1, MAX_CACHE_ENTRIES);
}
