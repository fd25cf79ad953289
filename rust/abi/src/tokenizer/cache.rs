//! The count cache of the process: a hash table keyed by a 128-bit keyed hash, opened once and shared by every
//! thread.
//!
//! A call uses it by adding `SLUICE_CACHE` to its `special` argument. `rust/tokenizer/src/count_cache.rs` has the
//! table and the argument for trusting a hit. The secret key comes from the operating system, here.

use std::sync::OnceLock;

use sluice_tokenizer::count_cache::{CountCache, Fingerprint};
use sluice_tokenizer::{BatchError, SpecialTokenMode, Texts, Tokenizer};

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// Added to `special` in a count: look the text up in the count cache, and store its count there on a miss.
/// It has no effect while no cache is open.
pub const SLUICE_CACHE: u32 = 4;
/// Texts of fewer bytes bypass the cache. A hit would save at most 0.2 µs for them, and they would evict longer
/// texts, for which a hit saves more.
pub const SLUICE_CACHE_SHORTEST: u32 = 256;
/// How many numbers `sluice_cache_stats` writes.
pub const SLUICE_CACHE_STATS: u32 = 4;
/// The most entries that a caller may ask for.
pub const SLUICE_MAX_CACHE_ENTRIES: u32 = 16777216;

/// Indices of the numbers that `sluice_cache_stats` writes.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceCacheStat {
    /// How many entries the cache has room for.
    Capacity,
    /// How many lookups found their text.
    Hits,
    /// How many lookups did not.
    Misses,
    /// How many entries were evicted.
    Evictions,
}

const _: () = assert!(SLUICE_CACHE_STATS == SluiceCacheStat::Evictions as u32 + 1);

static CACHE: OnceLock<CountCache> = OnceLock::new();

/// Opens the count cache of the process with room for at least `entries` counts, unless it is open already, and
/// returns how many it has room for. O(`entries`) the first time, then O(1).
///
/// It takes 25.6 bytes an entry and lives as long as the process. Fails with `INVALID_ARGUMENT` for more than
/// `SLUICE_MAX_CACHE_ENTRIES`, with `NO_ENTROPY` if the system has no random bytes for its key, and with
/// `OUT_OF_MEMORY`.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_cache_open(entries: u32) -> i32 {
    boundary(|| {
        if CACHE.get().is_none() {
            if entries > SLUICE_MAX_CACHE_ENTRIES {
                return Err(Failure::argument(format!(
                    "entries is {entries}, more than {SLUICE_MAX_CACHE_ENTRIES}"
                )));
            }
            let mut key = [0; 16];
            getrandom::fill(&mut key).map_err(|error| {
                Failure::new(SluiceStatus::NoEntropy, format!("no random bytes: {error}"))
            })?;
            let cache = CountCache::new(entries as usize, key);
            // If another thread was first, its cache is used.
            let _ = CACHE.set(cache.map_err(|_| Failure::memory("the cache"))?);
        }
        count(CACHE.get().map_or(0, CountCache::capacity))
    })
}

/// Writes the numbers of `SLUICE_CACHE_STAT_*`, and returns how many there are. All are 0 while no cache is open.
/// O(1).
///
/// # Safety
/// `out` points to `out_cap` writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cache_stats(out: *mut f64, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let out = unsafe { slice::output("out", out, out_cap, &[0u8; 0]) }?;
        let (capacity, stats) =
            CACHE.get().map_or_else(Default::default, |cache| (cache.capacity(), cache.stats()));
        let mut numbers = [0.0; SLUICE_CACHE_STATS as usize];
        for (stat, number) in [
            (SluiceCacheStat::Capacity, capacity as u64),
            (SluiceCacheStat::Hits, stats.hits),
            (SluiceCacheStat::Misses, stats.misses),
            (SluiceCacheStat::Evictions, stats.evictions),
        ] {
            numbers[stat as usize] = number as f64;
        }
        slice::write(&numbers, out);
        count(numbers.len())
    })
}

/// The cache, if `special` has the flag and a cache is open, and `special` without the flag.
pub(crate) fn requested(special: u32) -> (Option<&'static CountCache>, u32) {
    if special & SLUICE_CACHE == 0 {
        (None, special)
    } else {
        (CACHE.get(), special & !SLUICE_CACHE)
    }
}

/// The count of one text. Bytes are validated only on a miss: those that hit were valid when they were counted.
pub(crate) fn count_one(
    cache: &CountCache,
    tokenizer: &Tokenizer,
    text: &[u8],
    special: SpecialTokenMode,
) -> Result<usize, Failure> {
    let fresh = || -> Result<usize, Failure> {
        let text = slice::utf8("text", text)?;
        Ok(tokenizer.count(text, special)?)
    };
    let Some(print) = fingerprint(cache, tokenizer, text, special) else { return fresh() };
    if let Some(known) = cache.get(&print) {
        return Ok(known as usize);
    }
    let tokens = fresh()?;
    cache.insert(&print, tokens as u32);
    Ok(tokens)
}

/// The counts of many texts. `count_batch` counts those that the cache lacks.
pub(crate) fn count_many(
    cache: &CountCache,
    tokenizer: &Tokenizer,
    texts: &Texts<'_>,
    special: SpecialTokenMode,
    count_batch: impl FnOnce(&Texts<'_>) -> Result<Vec<u32>, BatchError>,
) -> Result<Vec<u32>, Failure> {
    let out_of_memory = |_| BatchError::OutOfMemory;
    let mut counts = Vec::new();
    counts.try_reserve_exact(texts.len()).map_err(out_of_memory)?;
    counts.resize(texts.len(), 0);
    let mut missing = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let print = fingerprint(cache, tokenizer, text.as_bytes(), special);
        match print.and_then(|print| cache.get(&print)) {
            Some(known) => counts[index] = known,
            None => {
                missing.try_reserve(1).map_err(out_of_memory)?;
                missing.push((index, print));
            }
        }
    }
    if missing.is_empty() {
        return Ok(counts);
    }
    let fresh = texts.at(missing.iter().map(|&(index, _)| index)).map_err(out_of_memory)?;
    let fresh = count_batch(&fresh).map_err(|error| match error {
        BatchError::Text { index, error } => BatchError::Text { index: missing[index].0, error },
        BatchError::Stopped | BatchError::OutOfMemory => error,
    })?;
    for ((index, print), tokens) in missing.into_iter().zip(fresh) {
        counts[index] = tokens;
        if let Some(print) = print {
            cache.insert(&print, tokens);
        }
    }
    Ok(counts)
}

fn fingerprint(
    cache: &CountCache,
    tokenizer: &Tokenizer,
    text: &[u8],
    special: SpecialTokenMode,
) -> Option<Fingerprint> {
    let kind = (tokenizer.encoding() as u64) << 8 | special as u64;
    (text.len() >= SLUICE_CACHE_SHORTEST as usize).then(|| cache.fingerprint(text, kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_tokenizer::Encoding;

    #[test]
    fn cached_counts_equal_those_of_the_tokenizer() {
        let cache = CountCache::new(64, [7; 16]).expect("room");
        let mut x = 1u32;
        for round in 0..3_000 {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let encoding = Encoding::ALL[(x >> 8) as usize % Encoding::ALL.len()];
            let special = [SpecialTokenMode::Text, SpecialTokenMode::Allow][(x >> 16) as usize % 2];
            let (n, tail) = ((x >> 20) as usize % 40, (x >> 17) % 7);
            let text = format!("{}<|endoftext|>{tail}", "the quick bröwn 狐 ".repeat(n));
            let tokenizer = Tokenizer::get(encoding);
            let plain = tokenizer.count(&text, special).expect("allowed");
            let one = count_one(&cache, tokenizer, text.as_bytes(), special).expect("allowed");
            let all = format!("{text}x");
            let mut texts = Texts::with_capacity(&all, 2).expect("room");
            assert!(texts.push(0..text.len()) && texts.push(text.len()..all.len()));
            let many = count_many(&cache, tokenizer, &texts, special, |texts| {
                texts.iter().map(|t| Ok(tokenizer.count(t, special).expect("ok") as u32)).collect()
            });
            assert_eq!((one, many.expect("allowed")[0] as usize), (plain, plain), "{round}");
        }
        let stats = cache.stats();
        assert!(stats.hits > 0 && stats.misses > 0 && stats.evictions > 0, "{stats:?}");
    }

    #[test]
    fn failures_are_not_cached() {
        let cache = CountCache::new(64, [7; 16]).expect("room");
        let tokenizer = Tokenizer::get(Encoding::R50kBase);
        let mut bytes = vec![b'a'; 1_000];
        bytes.push(0xFF);
        let special = format!("{}<|endoftext|>", "a".repeat(1_000));
        for _ in 0..2 {
            let invalid = count_one(&cache, tokenizer, &bytes, SpecialTokenMode::Text);
            assert_eq!(invalid.expect_err("not UTF-8").status, SluiceStatus::InvalidUtf8);
            let refused = count_one(&cache, tokenizer, special.as_bytes(), SpecialTokenMode::Error);
            assert_eq!(refused.expect_err("special").status, SluiceStatus::SpecialToken);
        }
        assert_eq!(cache.stats().hits, 0);
    }

    #[test]
    fn short_texts_bypass_the_cache() {
        let cache = CountCache::new(64, [7; 16]).expect("room");
        let tokenizer = Tokenizer::get(Encoding::R50kBase);
        let text = "a".repeat(SLUICE_CACHE_SHORTEST as usize);
        for (length, lookups) in [(text.len() - 1, 0), (text.len(), 1)] {
            count_one(&cache, tokenizer, &text.as_bytes()[..length], SpecialTokenMode::Text)
                .expect("ok");
            assert_eq!(cache.stats().misses, lookups);
        }
    }
}
