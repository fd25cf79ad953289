//! A perfect table of ids, as the build laid it out (`perfect_hash`): used where it lies in the
//! library's file, so that it costs no time to make and only the memory that is touched.

use crate::perfect_hash::{self, ID_BITS, PLACES_PER_GROUP_BITS};

/// No id: more than any.
pub(crate) const NONE: u32 = u32::MAX;

const ID_MASK: u32 = (1 << ID_BITS) - 1;

pub(crate) struct Table {
    /// For each group the number that sends its keys to their places, little-endian.
    groups: &'static [[u8; 2]],
    /// By place, an id and, above it, the tag of the hash; little-endian.
    entries: &'static [[u8; 4]],
    group_bits: u32,
    place_bits: u32,
}

impl Table {
    pub(crate) fn new(groups: &'static [u8], entries: &'static [u8]) -> Self {
        let (groups, entries) = (groups.as_chunks().0, entries.as_chunks().0);
        let group_bits = groups.len().trailing_zeros();
        Self { groups, entries, group_bits, place_bits: group_bits + PLACES_PER_GROUP_BITS }
    }

    /// All that look-ups read.
    pub(crate) fn parts(&self) -> [&'static [u8]; 2] {
        [self.groups.as_flattened(), self.entries.as_flattened()]
    }

    /// A copy that knows only ids below `count`. It lives as long as the process.
    pub(crate) fn first(self, count: u32) -> Self {
        let of = |entry: [u8; 4]| u32::from_le_bytes(entry) & ID_MASK;
        let kept =
            self.entries.iter().map(|&entry| if of(entry) < count { entry } else { [0xFF; 4] });
        Self { entries: kept.collect::<Vec<_>>().leak(), ..self }
    }

    /// The id that this hash may be of, or [`NONE`]. Of many thousand hashes that are of none one
    /// gets another's id, so the key has to be compared.
    #[inline(always)]
    pub(crate) fn candidate(&self, hash: u64) -> u32 {
        let number = self.groups[perfect_hash::group(hash, self.group_bits)];
        let place = perfect_hash::place(hash, u16::from_le_bytes(number), self.place_bits);
        let entry = u32::from_le_bytes(self.entries[place]);
        if (entry ^ perfect_hash::tag(hash)) >> ID_BITS == 0 { entry & ID_MASK } else { NONE }
    }
}
