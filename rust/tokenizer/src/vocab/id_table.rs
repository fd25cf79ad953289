//! A perfect hash table of token ids, used in place in the library's file.
//!
//! Opening it costs no time, and only the pages that are read take memory. See [`perfect_hash`] for its layout.

use super::perfect_hash::{self, ID_BITS, SLOTS_PER_BUCKET_BITS};

/// No id: greater than any id.
pub(crate) const NONE: u32 = u32::MAX;

const ID_MASK: u32 = (1 << ID_BITS) - 1;

/// Token ids by the hash of a key.
pub(crate) struct IdTable {
    /// For each bucket the displacement that sends its keys to their slots, little-endian.
    displacements: &'static [[u8; 2]],
    /// For each slot an id and, above it, the tag of the hash, little-endian.
    slots: &'static [[u8; 4]],
    bucket_bits: u32,
    slot_bits: u32,
}

impl IdTable {
    pub(crate) fn new(displacements: &'static [u8], slots: &'static [u8]) -> Self {
        let (displacements, slots) = (displacements.as_chunks().0, slots.as_chunks().0);
        let bucket_bits = displacements.len().trailing_zeros();
        Self { displacements, slots, bucket_bits, slot_bits: bucket_bits + SLOTS_PER_BUCKET_BITS }
    }

    /// All bytes that lookups read.
    pub(crate) fn memory(&self) -> [&'static [u8]; 2] {
        [self.displacements.as_flattened(), self.slots.as_flattened()]
    }

    /// A copy that has only ids below `count`. It lives as long as the process.
    pub(crate) fn truncated(self, count: u32) -> Self {
        let id = |slot: [u8; 4]| u32::from_le_bytes(slot) & ID_MASK;
        let kept = self.slots.iter().map(|&slot| if id(slot) < count { slot } else { [0xFF; 4] });
        Self { slots: kept.collect::<Vec<_>>().leak(), ..self }
    }

    /// The only id whose key may have this hash, or [`NONE`]. About one in 16,000 foreign hashes passes the tag, so
    /// the caller must compare the key. O(1).
    #[inline(always)]
    pub(crate) fn candidate(&self, hash: u64) -> u32 {
        let displacement = self.displacements[perfect_hash::bucket(hash, self.bucket_bits)];
        let slot = perfect_hash::slot(hash, u16::from_le_bytes(displacement), self.slot_bits);
        let entry = u32::from_le_bytes(self.slots[slot]);
        if (entry ^ perfect_hash::tag(hash)) >> ID_BITS == 0 { entry & ID_MASK } else { NONE }
    }
}
