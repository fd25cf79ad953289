//! Builds perfect hash tables by hash and displace, see `src/vocab/perfect_hash.rs`.

use crate::perfect_hash::{SLOTS_PER_BUCKET_BITS, bucket, slot, tag};
use std::cmp::Reverse;

/// No id: the content of an empty slot.
const NONE: u32 = u32::MAX;

/// A perfect hash table in its embedded form.
pub(crate) struct IdTable {
    /// The displacement of each bucket, in two little-endian bytes.
    pub(crate) displacements: Vec<u8>,
    /// An id and the tag of its hash for each slot, in four little-endian bytes.
    pub(crate) slots: Vec<u8>,
}

/// The table of ids by the hashes of their keys. Large buckets are placed first, while most slots are empty.
pub(crate) fn id_table(hashes: &[(u64, u32)]) -> IdTable {
    // At most 80 % of the slots are used.
    let slot_bits = (hashes.len() * 5 / 4).next_power_of_two().trailing_zeros();
    let bucket_bits = slot_bits - SLOTS_PER_BUCKET_BITS;
    let mut buckets = vec![Vec::new(); 1 << bucket_bits];
    for &(hash, id) in hashes {
        buckets[bucket(hash, bucket_bits)].push((hash, id));
    }
    let mut order: Vec<usize> = (0..buckets.len()).collect();
    order.sort_by_key(|&at| Reverse(buckets[at].len()));
    let mut entries = vec![NONE; 1 << slot_bits];
    let mut displacements = vec![0u16; buckets.len()];
    for at in order {
        let slots = |displacement| {
            buckets[at].iter().map(move |&(hash, _)| slot(hash, displacement, slot_bits))
        };
        let found = (0..=u16::MAX).find(|&displacement| {
            let mut own: Vec<usize> = slots(displacement).collect();
            own.sort_unstable();
            own.dedup();
            own.len() == buckets[at].len() && own.iter().all(|&slot| entries[slot] == NONE)
        });
        let displacement = found.expect("some displacement sends a bucket to empty slots");
        for (slot, &(hash, id)) in slots(displacement).zip(&buckets[at]) {
            entries[slot] = tag(hash) | id;
        }
        displacements[at] = displacement;
    }
    IdTable {
        displacements: displacements.iter().flat_map(|number| number.to_le_bytes()).collect(),
        slots: entries.iter().flat_map(|entry| entry.to_le_bytes()).collect(),
    }
}
