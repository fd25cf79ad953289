//! A bounded, shared memory of how many tokens a text has.
//!
//! Chat clients send the whole history with every turn, so a gateway counts the same long texts
//! again and again. The cache remembers counts by a keyed 128-bit hash of the text, its length and
//! what it was counted as; it never keeps text. It is a fixed number of fixed-size entries: nothing
//! is allocated after [`CountCache::new`], and a full set forgets what was not asked for lately.
//!
//! # How sure a hit is
//!
//! A wrong hit would be a wrong bill, so texts must not collide even if somebody tries. The hash is
//! SipHash-1-3 with 128-bit output under a secret 128-bit key, and the length is compared as well.
//! For `q` texts of equal length the chance that any two collide is at most `q²/2¹²⁹` as long as
//! SipHash-1-3 cannot be told from a random function: 2⁻⁶⁵ after 4 billion texts. The best published
//! internal collision of SipHash-1-x needs 2¹⁶⁷ tries (Dobraunig, Mendel and Schläffer, 2014), and
//! no hash ever leaves the process.
//!
//! # How it is shared
//!
//! Readers and writers take no lock. An entry is three words, `hash ⊕ value` twice and `value`;
//! words of two different entries do not fit together, except with the chance of a collision, so a
//! torn read is a miss (Hyatt and Mann, "A lockless transposition table", 2002).

use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::TryReserveError;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Entries of one set. With the bits of its `used` word, a set fills two cache lines.
const WAYS: usize = 5;

/// More entries than this are refused: a gibibyte is a mistake, not a cache.
pub const MOST_ENTRIES: usize = 1 << 24;

/// The counts of texts that were counted before. See the [module](self).
pub struct CountCache {
    key: [u8; 16],
    sets: Box<[Set]>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

#[repr(align(64))]
#[derive(Default)]
struct Set {
    ways: [Way; WAYS],
    /// A bit a way that was hit since this set last had to choose whom to forget.
    used: AtomicU32,
}

/// Empty while `value` is 0.
#[derive(Default)]
struct Way {
    high: AtomicU64,
    low: AtomicU64,
    value: AtomicU64,
}

/// What a text is known by. Equal texts counted alike have equal fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    high: u64,
    low: u64,
    length: u32,
}

/// What happened so far. Counters only grow; they are not one consistent snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Lookups that knew the count.
    pub hits: u64,
    /// Lookups that did not.
    pub misses: u64,
    /// Entries that were forgotten for a new one.
    pub evictions: u64,
}

impl CountCache {
    /// A cache of at least `entries` entries (of [`MOST_ENTRIES`] at most) under a secret key.
    ///
    /// The key must be random and new for every process. O(`entries`), once.
    ///
    /// # Errors
    /// There is no memory for so many.
    pub fn new(entries: usize, key: [u8; 16]) -> Result<Self, TryReserveError> {
        let count = entries.clamp(1, MOST_ENTRIES).div_ceil(WAYS).next_power_of_two();
        let mut sets = Vec::new();
        sets.try_reserve_exact(count)?;
        sets.resize_with(count, Set::default);
        Ok(Self {
            key,
            sets: sets.into_boxed_slice(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        })
    }

    /// How many entries there are room for.
    pub fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// What `text` is known by when it is counted as `kind`: an encoding and a mode, say.
    ///
    /// O(length), and several times as fast as counting.
    pub fn fingerprint(&self, text: &[u8], kind: u64) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(kind);
        hasher.write(text);
        let hash = hasher.finish128();
        // Longer texts than the ABI can name share a length and still differ in their hash.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Fingerprint { high: hash.h1, low: hash.h2, length }
    }

    /// The count that was remembered, if it still is. O(1).
    pub fn get(&self, of: &Fingerprint) -> Option<u32> {
        let set = self.set(of);
        for (i, way) in set.ways.iter().enumerate() {
            let value = way.value.load(Relaxed);
            if value != 0
                && way.high.load(Relaxed) ^ value == of.high
                && way.low.load(Relaxed) ^ value == of.low
                && (value >> 32) as u32 == of.length
            {
                let bit = 1 << i;
                // Reading first keeps the line shared by the threads that only read.
                if set.used.load(Relaxed) & bit == 0 {
                    set.used.fetch_or(bit, Relaxed);
                }
                self.hits.fetch_add(1, Relaxed);
                return Some(value as u32);
            }
        }
        self.misses.fetch_add(1, Relaxed);
        None
    }

    /// Remembers a count, in place of one that was not asked for lately if there is no room. O(1).
    ///
    /// Two threads that remember at once may both write the same place; then one of the two texts
    /// is a miss next time, and none is ever a wrong hit.
    pub fn insert(&self, of: &Fingerprint, count: u32) {
        let value = u64::from(of.length) << 32 | u64::from(count);
        if value == 0 {
            return;
        }
        let set = self.set(of);
        let i = set.victim();
        let way = &set.ways[i];
        if way.value.load(Relaxed) != 0 {
            self.evictions.fetch_add(1, Relaxed);
        }
        way.value.store(value, Relaxed);
        way.high.store(of.high ^ value, Relaxed);
        way.low.store(of.low ^ value, Relaxed);
    }

    /// The counters.
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
        }
    }

    fn set(&self, of: &Fingerprint) -> &Set {
        // A power of two of sets, so the mask is exact.
        &self.sets[of.low as usize & (self.sets.len() - 1)]
    }
}

impl Set {
    /// An empty way, or else the next in turn that was not used lately (the clock algorithm).
    fn victim(&self) -> usize {
        if let Some(empty) = self.ways.iter().position(|way| way.value.load(Relaxed) == 0) {
            return empty;
        }
        // The hand stands in the bits above those of the ways.
        let word = self.used.load(Relaxed);
        let hand = (word >> WAYS) as usize % WAYS;
        let order = (0..WAYS).map(|step| (hand + step) % WAYS);
        let unused = order.clone().find(|&i| word & 1 << i == 0);
        let victim = unused.unwrap_or(hand);
        // Whom the hand passed has had a second chance.
        let passed = order.take_while(|&i| i != victim).fold(1 << victim, |m, i| m | 1 << i);
        let used = word & ((1 << WAYS) - 1) & !passed;
        let used = if unused.is_some() { used } else { 0 };
        self.used.store(((victim as u32 + 1) % WAYS as u32) << WAYS | used, Relaxed);
        victim
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: usize) -> CountCache {
        CountCache::new(entries, *b"a secret of test").expect("room")
    }

    #[test]
    fn remembers_what_it_was_told_and_nothing_else() {
        let cache = cache(100);
        let hello = cache.fingerprint(b"hello", 1);
        assert_eq!(cache.get(&hello), None);
        cache.insert(&hello, 7);
        assert_eq!(cache.get(&hello), Some(7));
        for (text, kind) in [(&b"hello"[..], 2), (b"hellp", 1), (b"hello\0", 1), (b"", 1)] {
            assert_eq!(cache.get(&cache.fingerprint(text, kind)), None, "{text:?} as {kind}");
        }
        assert_eq!(cache.stats(), CacheStats { hits: 1, misses: 5, evictions: 0 });
    }

    #[test]
    fn another_key_is_another_hash() {
        let (one, two) = (cache(1), CountCache::new(1, [0; 16]).expect("room"));
        assert_ne!(one.fingerprint(b"hello", 1), two.fingerprint(b"hello", 1));
    }

    #[test]
    fn a_set_is_two_cache_lines_and_the_capacity_is_kept() {
        assert_eq!(size_of::<Set>(), 128);
        assert_eq!(cache(0).capacity(), WAYS);
        assert_eq!(cache(16_384).capacity(), 4_096 * WAYS);
        assert!(cache(usize::MAX).capacity() >= MOST_ENTRIES);
    }

    #[test]
    fn is_bounded_and_evicts() {
        let cache = cache(64);
        for i in 0..10_000u32 {
            cache.insert(&cache.fingerprint(&i.to_le_bytes(), 0), i + 1);
        }
        let known = (0..10_000u32)
            .filter_map(|i| {
                let found = cache.get(&cache.fingerprint(&i.to_le_bytes(), 0))?;
                assert_eq!(found, i + 1);
                Some(found)
            })
            .count();
        assert_eq!(known, cache.capacity());
        assert_eq!(cache.stats().evictions, 10_000 - known as u64);
    }

    #[test]
    fn what_is_asked_for_again_outlives_what_is_not() {
        let cache = cache(1);
        let kept = cache.fingerprint(b"kept", 0);
        cache.insert(&kept, 1);
        for i in 0..1_000u32 {
            assert_eq!(cache.get(&kept), Some(1), "after {i} others");
            cache.insert(&cache.fingerprint(&i.to_le_bytes(), 0), 2);
        }
    }

    #[test]
    fn threads_that_read_and_write_at_once_never_see_another_text_s_count() {
        let cache = cache(40);
        std::thread::scope(|scope| {
            for thread in 0..8u32 {
                let cache = &cache;
                scope.spawn(move || {
                    let mut x = thread;
                    for _ in 0..50_000 {
                        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let text = (x >> 16) % 200;
                        let of = cache.fingerprint(&text.to_le_bytes(), 0);
                        match cache.get(&of) {
                            Some(count) => assert_eq!(count, text + 1),
                            None => cache.insert(&of, text + 1),
                        }
                    }
                });
            }
        });
        let stats = cache.stats();
        assert_eq!(stats.hits + stats.misses, 400_000);
    }
}
