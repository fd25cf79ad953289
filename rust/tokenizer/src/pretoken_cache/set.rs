//! One set of a set-associative cache of short pre-tokens: a cache line of two entries with ids, or of four entries
//! with counts.
//!
//! An entry holds the key, which is the pre-token itself, so a hit is exact. Way 0 of a set holds the entry of the
//! most recent hit and is tested on a fast path; the other ways are searched only if it differs. A new entry is
//! inserted after way 0 (LRU-style insertion with promotion on a hit), so that words that occur once evict each other
//! and not the frequent ones.
//!
//! Counting needs no ids, and a count fits into the four bits that keys leave free. So a set of counts has twice as
//! many entries as a set of ids.

use super::packed_ids::PackedIds;
use crate::{arch::Processor, memory::CacheLine, vocab::key::Key};

/// A set: one cache line. An empty way has a key of 0.
pub(crate) type Set = CacheLine;

/// The value of a cache entry, which determines the layout of a set.
pub(crate) trait CacheEntry: Copy {
    /// The index of the cache that has entries of this kind.
    const CACHE: usize;
    /// Whether the value is only a number of tokens.
    const IS_COUNT: bool;

    /// All ways of a set, by key and value.
    fn ways(set: &Set) -> impl Iterator<Item = (Key, Self)>;

    /// The value for these tokens; `None` if they are too many for an entry.
    fn from_ids(ids: &[u32]) -> Option<Self>;

    /// The value for tokens that are packed already.
    fn from_packed(ids: PackedIds) -> Self;

    /// The value in way 0, if its key is `key`.
    fn find_first<C: Processor>(set: &Set, key: Key, cpu: C) -> Option<Self>;

    /// The value for `key` in any way. Promotes its entry to way 0.
    fn find(set: &mut Set, key: Key) -> Option<Self>;

    /// Inserts an entry for a key that the set does not hold. Evicts an entry other than that of way 0.
    fn insert(self, set: &mut Set, key: Key);
}

/// Two ways: a key and its ids, twice.
impl CacheEntry for PackedIds {
    const CACHE: usize = 0;
    const IS_COUNT: bool = false;

    fn ways(&[first, first_ids, second, second_ids]: &Set) -> impl Iterator<Item = (Key, Self)> {
        [(first, Self(first_ids)), (second, Self(second_ids))].into_iter()
    }

    #[inline(always)]
    fn from_ids(ids: &[u32]) -> Option<Self> {
        (ids.len() <= Self::MAX).then(|| Self::new(ids))
    }

    #[inline(always)]
    fn from_packed(ids: PackedIds) -> Self {
        ids
    }

    #[inline(always)]
    fn find_first<C: Processor>(&[first, ids, ..]: &Set, key: Key, _: C) -> Option<Self> {
        (first == key).then_some(Self(ids))
    }

    #[inline(always)]
    fn find(set: &mut Set, key: Key) -> Option<Self> {
        let [first, first_ids, second, second_ids] = *set;
        if second == key {
            *set = [second, second_ids, first, first_ids];
        }
        (set[0] == key).then_some(Self(set[1]))
    }

    fn insert(self, set: &mut Set, key: Key) {
        let way = if set[0] == 0 { 0 } else { 2 };
        [set[way], set[way + 1]] = [key, self.0];
    }
}

/// The number of tokens of a pre-token that has a key: 1 to 15.
#[derive(Clone, Copy)]
pub(crate) struct TokenCount(pub(crate) usize);

/// The bit of a word at which the count begins.
const COUNT: u32 = 124;
/// The bits of the key.
const KEY: u128 = (1 << COUNT) - 1;

/// Whether a word is the entry of this key.
#[inline(always)]
fn has_key(word: u128, key: Key) -> bool {
    let differ = word ^ key;
    let (low, high) = (differ as u64, (differ >> 64) as u64);
    low | high << (u128::BITS - COUNT) == 0
}

impl TokenCount {
    #[inline(always)]
    fn in_word(word: u128) -> Self {
        Self((word >> COUNT) as usize)
    }
}

/// Four ways: a key with its count, four times.
impl CacheEntry for TokenCount {
    const CACHE: usize = 1;
    const IS_COUNT: bool = true;

    fn ways(set: &Set) -> impl Iterator<Item = (Key, Self)> {
        set.iter().map(|&word| (word & KEY, Self::in_word(word)))
    }

    #[inline(always)]
    fn from_ids(ids: &[u32]) -> Option<Self> {
        Some(Self(ids.len()))
    }

    #[inline(always)]
    fn from_packed(ids: PackedIds) -> Self {
        Self(ids.count())
    }

    #[inline(always)]
    fn find_first<C: Processor>(&[first, ..]: &Set, key: Key, cpu: C) -> Option<Self> {
        cpu.is_equal_in(first, key, KEY).then_some(Self::in_word(first))
    }

    #[inline(always)]
    fn find(set: &mut Set, key: Key) -> Option<Self> {
        let way = set.iter().position(|&word| has_key(word, key))?;
        set.swap(0, way);
        Some(Self::in_word(set[0]))
    }

    /// Inserts at way 1 and shifts ways 1 and 2 down.
    fn insert(self, set: &mut Set, key: Key) {
        let word = key | (self.0 as u128) << COUNT;
        let [first, others @ ..] = set;
        if *first == 0 {
            *first = word;
        } else {
            others.rotate_right(1);
            others[0] = word;
        }
    }
}
