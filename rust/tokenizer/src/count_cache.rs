//! A lock-free set-associative cache of token counts by a keyed 128-bit hash of the text.
//!
//! Chat clients send the whole history with every turn, so a gateway counts the same long texts again and again. The
//! cache stores counts by the hash of the text, its length and the kind of count; it never stores text. It has a
//! fixed number of fixed-size entries. Nothing is allocated after [`CountCache::new`], and a full set evicts by the
//! clock algorithm.
//!
//! # The probability of a wrong hit
//!
//! A wrong hit would be a wrong bill, so texts must not collide even if an attacker chooses them. The hash is
//! SipHash-1-3 with 128-bit output under a secret 128-bit key, and the length is compared as well. For `q` texts of
//! equal length, the probability that any two collide is at most `q²/2¹²⁹` as long as SipHash-1-3 is
//! indistinguishable from a random function: 2⁻⁶⁵ after 4 billion texts. The best published internal collision of
//! SipHash-1-x takes 2¹⁶⁷ operations (Dobraunig, Mendel and Schläffer, 2014), and no hash ever leaves the process.
//!
//! # Concurrency
//!
//! Readers and writers take no lock. An entry is three words: `hash ⊕ value` twice, and `value`. Words of two
//! different entries do not match, except with the probability of a collision, so a torn read is a miss (Hyatt and
//! Mann, "A lockless transposition table", 2002).

use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::TryReserveError;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The entries of a set. With its `used` word, a set fills two cache lines.
const WAYS: usize = 5;

/// The maximum number of entries. They take 0.5 GiB.
pub const MAX_ENTRIES: usize = 1 << 24;

/// A cache of token counts. See the [module](self).
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
    /// The reference bits of the clock algorithm: a bit for each way that was hit since the hand last passed it. The
    /// position of the hand is in the bits above.
    used: AtomicU32,
}

/// An entry, which is empty while `value` is 0.
#[derive(Default)]
struct Way {
    high: AtomicU64,
    low: AtomicU64,
    value: AtomicU64,
}

/// The identity of a text. Equal texts of the same kind have equal fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    high: u64,
    low: u64,
    length: u32,
}

/// Counters of events. They only grow, and are not read as one consistent snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Lookups that found the count.
    pub hits: u64,
    /// Lookups that did not find it.
    pub misses: u64,
    /// Entries that were replaced by a new one.
    pub evictions: u64,
}

impl CountCache {
    /// A cache of at least `entries` entries, or of [`MAX_ENTRIES`] if that is less, under a secret key.
    ///
    /// The key must be random and new for every process. O(`entries`).
    ///
    /// # Errors
    /// The system does not have the memory.
    pub fn new(entries: usize, key: [u8; 16]) -> Result<Self, TryReserveError> {
        let count = entries.clamp(1, MAX_ENTRIES).div_ceil(WAYS).next_power_of_two();
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

    /// The number of entries that the cache has room for.
    pub fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The identity of `text` for counts of this kind, such as an encoding and a mode.
    ///
    /// O(length), and several times as fast as counting.
    pub fn fingerprint(&self, text: &[u8], kind: u64) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(kind);
        hasher.write(text);
        let hash = hasher.finish128();
        // Texts too long for the ABI share this length, and still differ in their hash.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Fingerprint { high: hash.h1, low: hash.h2, length }
    }

    /// The stored count, if it has not been evicted. O(1).
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
                // Without a write, the cache line stays shared between threads that only read.
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

    /// Stores a count. In a full set, evicts an entry that was not used lately. O(1).
    ///
    /// Two threads that insert at once may write to the same entry. Then one of the two texts is a miss next time,
    /// and neither is ever a wrong hit.
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

    /// The counters of events.
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
        }
    }

    fn set(&self, of: &Fingerprint) -> &Set {
        // The number of sets is a power of two, so the mask is exact.
        &self.sets[of.low as usize & (self.sets.len() - 1)]
    }
}

impl Set {
    /// An empty way, or else the next way whose reference bit is clear (the clock algorithm).
    fn victim(&self) -> usize {
        if let Some(empty) = self.ways.iter().position(|way| way.value.load(Relaxed) == 0) {
            return empty;
        }
        // The hand is in the bits above those of the ways.
        let word = self.used.load(Relaxed);
        let hand = (word >> WAYS) as usize % WAYS;
        let order = (0..WAYS).map(|step| (hand + step) % WAYS);
        let unused = order.clone().find(|&i| word & 1 << i == 0);
        let victim = unused.unwrap_or(hand);
        // The ways that the hand passed lose their reference bit.
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
    fn finds_what_was_inserted_and_nothing_else() {
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
        assert!(cache(usize::MAX).capacity() >= MAX_ENTRIES);
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
    fn used_entries_outlive_unused_ones() {
        let cache = cache(1);
        let kept = cache.fingerprint(b"kept", 0);
        cache.insert(&kept, 1);
        for i in 0..1_000u32 {
            assert_eq!(cache.get(&kept), Some(1), "after {i} others");
            cache.insert(&cache.fingerprint(&i.to_le_bytes(), 0), 2);
        }
    }

    #[test]
    fn concurrent_threads_never_see_the_count_of_another_text() {
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
