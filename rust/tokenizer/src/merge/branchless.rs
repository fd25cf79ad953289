//! Branchless merging of up to six bytes: a fixed number of rounds, each of which looks up all pairs.
//!
//! The number and the positions of the merges of a pre-token are unpredictable, and a misprediction is noticed only
//! when the table lookups return; all work after it is then discarded. So a pre-token passes as many rounds as it can
//! have merges. Missing tokens are a token that merges with none, and the processor can proceed to the next pre-token
//! while the lookups are in flight.

use super::array_scan::{NO_TOKEN, SHORT, initial_tokens, merge_short};
use crate::{
    arch::{Processor, WithCpu},
    pretoken_cache::PackedIds,
    vocab::{NONE, Vocabulary, key::Key},
};

/// Merging pre-tokens of up to this many bytes is faster than looking them up in the vocabulary first
/// (`bench/record/2026-11-26-engine-tables.txt`).
pub(crate) const TINY: usize = 6;

/// The tokens of `pre_token`, of 1 to [`TINY`] bytes, whose key is `key`.
#[inline(always)]
pub(crate) fn merge_tiny<C: Processor>(
    vocabulary: &Vocabulary,
    pre_token: &[u8],
    key: Key,
    cpu: C,
) -> PackedIds {
    cpu.run_outlined(MergeTiny { vocabulary, pre_token, key }).unwrap_or_else(|| {
        let mut ids = [0; SHORT + 1];
        let count = merge_short(vocabulary, pre_token, &mut ids, 1, cpu);
        PackedIds::new(&ids[..count])
    })
}

struct MergeTiny<'a> {
    vocabulary: &'a Vocabulary,
    pre_token: &'a [u8],
    key: Key,
}

impl WithCpu for MergeTiny<'_> {
    /// `None` if a lookup returned the token of another pair.
    type Output = Option<PackedIds>;

    #[inline(always)]
    fn run<C: Processor>(self, _: C) -> Option<PackedIds> {
        if self.pre_token.len() <= 4 { self.merge::<4>() } else { self.merge::<TINY>() }
    }
}

impl MergeTiny<'_> {
    #[inline(always)]
    fn merge<const MAX: usize>(&self) -> Option<PackedIds> {
        let (mut ids, mut count) = self.initial_tokens::<MAX>();
        let table = self.vocabulary.pairs();
        let mut is_right = true;
        for pairs in (1..MAX).rev() {
            let (mut merged, mut at, mut parts) = (NONE, 0, (0, 0));
            for i in 0..pairs {
                let id = table.candidate(ids[i], ids[i + 1]);
                (merged, at, parts) =
                    if id < merged { (id, i, (ids[i], ids[i + 1])) } else { (merged, at, parts) };
            }
            let is_none = merged == NONE;
            is_right &=
                is_none | table.is_merge(if is_none { 0 } else { merged }, parts.0, parts.1);
            let before = ids;
            for i in 0..MAX {
                let next = if i + 1 < MAX { before[i + 1] } else { NO_TOKEN };
                let moved = if i > at { next } else { before[i] };
                let id = if i == at { merged } else { moved };
                ids[i] = if is_none { before[i] } else { id };
            }
            // After a wrong lookup the count may underflow; the result is discarded then.
            count = count.wrapping_sub(usize::from(!is_none));
        }
        is_right.then(|| PackedIds::of_first(&ids, count))
    }

    /// The tokens that merging starts from, and their number.
    #[inline(always)]
    fn initial_tokens<const MAX: usize>(&self) -> ([u32; MAX], usize) {
        let mut ids = [NO_TOKEN; MAX];
        let mut count = self.pre_token.len().min(MAX);
        if self.pre_token.is_ascii() {
            let bytes = self.key.to_le_bytes();
            for (index, (id, byte)) in ids.iter_mut().zip(bytes).enumerate() {
                *id = if index < count { self.vocabulary.byte_token(byte) } else { NO_TOKEN };
            }
        } else {
            count = initial_tokens(self.vocabulary, &self.pre_token[..count], &mut ids);
        }
        (ids, count)
    }
}
