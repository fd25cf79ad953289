//! A perfect hash table of the token pairs that merge, and the validity test of neighbouring tokens.

use super::{
    id_table::IdTable,
    perfect_hash::{self, ID_BITS},
};

pub(crate) use super::id_table::NONE;

const ID_MASK: u32 = (1 << ID_BITS) - 1;
const NO_PAIR: u64 = u64::MAX;
/// Ids below this are single bytes; all others are merges.
const FIRST_MERGE: u32 = 256;

/// The merges of a vocabulary.
pub(crate) struct PairTable {
    /// For each token the two tokens that it is merged from, 18 bits each in five bytes.
    parts: &'static [u8],
    /// The merges by the hash of their parts.
    table: IdTable,
}

impl PairTable {
    pub(crate) fn new(parts: &'static [u8], table: IdTable) -> Self {
        Self { parts, table }
    }

    /// All bytes that lookups read.
    pub(crate) fn memory(&self) -> [&'static [u8]; 3] {
        let [displacements, slots] = self.table.memory();
        [self.parts, displacements, slots]
    }

    #[inline(always)]
    fn packed_parts(&self, id: u32) -> u64 {
        let at = id as usize * 5;
        match self.parts.get(at..).and_then(<[u8]>::first_chunk) {
            Some(eight) => u64::from_le_bytes(*eight) & ((1 << (2 * ID_BITS)) - 1),
            None => NO_PAIR,
        }
    }

    /// The token that `left` and `right` merge to, or [`NONE`]. About one in 16,000 pairs that do not merge gets the
    /// token of another pair, so the answer must be verified by [`Self::is_merge`].
    #[inline(always)]
    pub(crate) fn candidate(&self, left: u32, right: u32) -> u32 {
        self.table.candidate(perfect_hash::pair_hash(pack(left, right)))
    }

    /// Whether `left` and `right` merge to `merged`.
    #[inline(always)]
    pub(crate) fn is_merge(&self, merged: u32, left: u32, right: u32) -> bool {
        self.packed_parts(merged) == pack(left, right)
    }

    /// Whether byte pair encoding of the bytes of `left` and `right` together gives exactly these two tokens.
    ///
    /// This is the `is_valid_token_pair` of the `bpe` crate of github/rust-gems. The pair is valid unless some merge
    /// across its boundary has a lower rank than the merges that make the two tokens. So these merges are undone from
    /// the last to the first, and each time the two tokens at the boundary are tested for an earlier merge. Of
    /// equal ranks the left merge comes first. O(length of the tokens).
    pub(crate) fn is_valid_pair(&self, mut left: u32, mut right: u32) -> bool {
        // A merge across the boundary comes first if its rank is below this limit.
        let mut limit = NONE;
        loop {
            let merged = self.candidate(left, right);
            if merged < limit && self.is_merge(merged, left, right) {
                return false;
            }
            if left.max(right) < FIRST_MERGE {
                return true;
            }
            if left > right {
                limit = left;
                left = right_part(self.packed_parts(left));
            } else {
                limit = right + 1;
                right = left_part(self.packed_parts(right));
            }
        }
    }
}

#[inline(always)]
fn pack(left: u32, right: u32) -> u64 {
    u64::from(left) | u64::from(right) << ID_BITS
}

fn left_part(pair: u64) -> u32 {
    pair as u32 & ID_MASK
}

fn right_part(pair: u64) -> u32 {
    (pair >> ID_BITS) as u32
}
