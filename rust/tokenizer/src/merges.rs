//! What two tokens merge to, as a perfect hash that the build has found (`pair_hash`).

use crate::pair_hash::{self, ID_BITS};

/// No merge: more than any id.
pub(crate) const NONE: u32 = u32::MAX;

const ID_MASK: u32 = (1 << ID_BITS) - 1;
const NO_PAIR: u64 = u64::MAX;
/// The id of a single byte is less; that of every merge is not.
const MERGES: u32 = 256;

pub(crate) struct Merges {
    /// For each token the two that it is made of.
    parts: &'static [u8],
    /// For each group of pairs the number that sends them to their places.
    groups: &'static [[u8; 2]],
    group_bits: u32,
    /// By place, the id of a merge and, above it, fourteen bits of the hash of its parts.
    entries: Box<[u32]>,
    place_bits: u32,
}

/// The bits of a hash that are compared, as they stand in an entry. They are not among those that
/// choose the group.
#[inline(always)]
const fn tag(hash: u64) -> u32 {
    (hash >> 14) as u32 & !ID_MASK
}

impl Merges {
    /// No merges yet, out of those that `parts` and `groups` are about.
    pub(crate) fn new(parts: &'static [u8], groups: &'static [u8]) -> Self {
        let groups = groups.as_chunks().0;
        let group_bits = groups.len().trailing_zeros();
        let place_bits = group_bits + pair_hash::PLACES_PER_GROUP_BITS;
        let entries = vec![NONE; 1 << place_bits].into();
        Self { parts, groups, group_bits, entries, place_bits }
    }

    /// Enters the merge that makes `id`; gives the left one of its parts.
    pub(crate) fn enter(&mut self, id: u32) -> u32 {
        let pair = self.packed_parts(id);
        let hash = pair_hash::hash(pair);
        let place = self.place(hash);
        self.entries[place] = tag(hash) | id;
        left_part(pair)
    }

    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        let number = self.groups[pair_hash::group(hash, self.group_bits)];
        pair_hash::place(hash, u16::from_le_bytes(number), self.place_bits)
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
        let hash = pair_hash::hash(pack(left, right));
        let entry = self.entries[self.place(hash)];
        if (entry ^ tag(hash)) >> ID_BITS == 0 { entry & ID_MASK } else { NONE }
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
