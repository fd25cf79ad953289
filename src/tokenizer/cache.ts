/**
 * The count cache: how many tokens the long texts had that were counted before.
 *
 * Chat clients send the whole history with every turn. A tokenizer made with `cache: true` looks
 * texts of 256 bytes and more up before it counts them. The cache is one table of a fixed number of
 * entries for the whole process, shared by all Workers; it keeps no text, only counts under a keyed
 * 128-bit hash, so neither a chance nor a forged collision is to be feared (the argument and its
 * bound: `rust/tokenizer/src/count_cache.rs`).
 *
 * @module
 */
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

/** How large the count cache is to be. */
export interface CacheOptions {
  /**
   * How many counts there is room for; rounded up to 5 times a power of two. The first tokenizer of
   * the process that asks for a cache decides for all. An entry takes 25.6 bytes.
   *
   * @default 20480, which takes 512 KiB.
   */
  readonly entries?: number;
}

/** What the count cache did since the process began. */
export interface CacheStats {
  /** How many counts there is room for; 0 while no tokenizer asked for a cache. */
  readonly capacity: number;
  /** Lookups that knew the count. */
  readonly hits: number;
  /** Lookups that did not. */
  readonly misses: number;
  /** Counts that were forgotten to make room. */
  readonly evictions: number;
}

const OPTIONS: Known<CacheOptions> = { entries: true };
const DEFAULT_ENTRIES = 20_480;

/** Opens the cache of the process if `cache` asks for one, and says whether it does. */
export function openCache(cache: boolean | CacheOptions | undefined): boolean {
  const entries = checkCache(cache);
  if (entries === 0) return false;
  unwrap(native().sluice_cache_open(entries));
  return true;
}

/**
 * How well the count cache of this process does, over all Workers. O(1).
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
export function cacheStats(): CacheStats {
  const numbers = new Float64Array(new ArrayBuffer(8 * CACHE_STATS));
  unwrap(native().sluice_cache_stats(numbers, numbers.length));
  return {
    capacity: numbers[CACHE_STAT_CAPACITY]!,
    hits: numbers[CACHE_STAT_HITS]!,
    misses: numbers[CACHE_STAT_MISSES]!,
    evictions: numbers[CACHE_STAT_EVICTIONS]!,
  };
}

/** How many entries `cache` asks for; 0 for no cache. */
export function checkCache(cache: boolean | CacheOptions | undefined): number {
  if (cache === undefined || cache === false) return 0;
  if (cache === true) return DEFAULT_ENTRIES;
  if (typeof cache !== "object" || cache === null) {
    throw new TypeError(`cache must be a boolean or an object, not ${show(cache)}`);
  }
  checkKnown<CacheOptions>("cache", cache, OPTIONS);
  const { entries = DEFAULT_ENTRIES } = cache;
  if (typeof entries !== "number") {
    throw new TypeError(`cache.entries must be a number, not ${show(entries)}`);
  }
  if (!Number.isInteger(entries) || entries < 1 || entries > MAX_CACHE_ENTRIES) {
    throw new RangeError(
      `cache.entries must be an integer from 1 to ${MAX_CACHE_ENTRIES}, not ${entries}`,
    );
  }
  return entries;
}
