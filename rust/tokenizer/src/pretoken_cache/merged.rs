//! A 2-way set-associative cache of merged pre-tokens of 7 to 15 bytes, behind the cache of short pre-tokens.
//!
//! A merge costs ten times as much as a lookup. So where a text has more different words than [`ShortCache`] has
//! entries, those of them that must be merged are stored a second time here, under another hash. Only encoding uses
//! it, and only once the short cache has its full size: first passes over shorter texts would pay for it without a hit,
//! and the short cache of counts has twice as many entries (`bench/record/2026-11-29-ablation.txt`).
//!
//! [`ShortCache`]: super::ShortCache

use super::set::Set;
use crate::{memory::HeapLines, vocab::NUMBER_BITS};

/// The binary logarithm of the number of sets: 1 MiB.
const BITS: u32 = 14;

/// The cache. Sets of [`PackedIds`](super::PackedIds).
pub(crate) struct MergedCache(HeapLines);

impl MergedCache {
    /// An empty cache, which takes no memory until it is used.
    pub(crate) fn new() -> Self {
        Self(HeapLines::new(1 << BITS))
    }

    /// The set of a pre-token with this hash in the vocabulary with this number. Uses the upper half of the hash, so that
    /// pre-tokens that share a set of the short cache do not share one here.
    #[inline(always)]
    pub(crate) fn set_mut(&mut self, hash: u64, number: u32) -> &mut Set {
        let sets = self.0.lines_mut();
        let last = sets.len() - 1;
        // The salt tells vocabularies apart, as in the short cache.
        &mut sets[((hash >> 32) as usize ^ (number as usize) << (BITS - NUMBER_BITS)) & last]
    }
}
