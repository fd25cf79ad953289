//! What two tokens merge to.

use crate::{
    perfect_hash::{self, ID_BITS},
    table::Table,
};

pub(crate) use crate::table::NONE;

const ID_MASK: u32 = (1 << ID_BITS) - 1;
const NO_PAIR: u64 = u64::MAX;
/// The id of a single byte is less; that of every merge is not.
const MERGES: u32 = 256;

pub(crate) struct Merges {
    /// For each token the two that it is made of, 18 bits each in five bytes.
    parts: &'static [u8],
    /// The merges by the hash of their parts.
    table: Table,
}

impl Merges {
    pub(crate) fn new(parts: &'static [u8], table: Table) -> Self {
        Self { parts, table }
    }

    /// All that look-ups read.
    pub(crate) fn tables(&self) -> [&'static [u8]; 3] {
        let [groups, entries] = self.table.parts();
        [self.parts, groups, entries]
    }

    #[inline(always)]
    fn packed_parts(&self, id: u32) -> u64 {
        let at = id as usize * 5;
        match self.parts.get(at..).and_then(<[u8]>::first_chunk) {
            Some(eight) => u64::from_le_bytes(*eight) & ((1 << (2 * ID_BITS)) - 1),
            None => NO_PAIR,
        }
    }

    /// The token that `left` and `right` merge to, or [`NONE`]. Of many thousand pairs that do
    /// not merge one gets another pair's token, so it has to be checked ([`Self::is_merge`]).
    #[inline(always)]
    pub(crate) fn candidate(&self, left: u32, right: u32) -> u32 {
        self.table.candidate(perfect_hash::pair_hash(pack(left, right)))
    }

    /// Whether `left` and `right` merge to `merged`.
    #[inline(always)]
    pub(crate) fn is_merge(&self, merged: u32, left: u32, right: u32) -> bool {
        self.packed_parts(merged) == pack(left, right)
    }

    /// Whether merging the bytes of `left` and `right` together gives just these two tokens.
    ///
    /// It does if no merge across their seam comes before the merges that make them. So their
    /// merges are undone from the last to the first, and each time the tokens that meet at the
    /// seam are asked whether they would have merged earlier. Of equal ranks the left one goes
    /// first.
    pub(crate) fn stay_apart(&self, mut left: u32, mut right: u32) -> bool {
        // A merge across the seam takes precedence when its rank is below this.
        let mut before = NONE;
        loop {
            let merged = self.candidate(left, right);
            if merged < before && self.is_merge(merged, left, right) {
                return false;
            }
            if left.max(right) < MERGES {
                return true;
            }
            if left > right {
                before = left;
                left = right_part(self.packed_parts(left));
            } else {
                before = right + 1;
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
