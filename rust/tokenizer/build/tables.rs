//! Lays out perfect tables, see `src/perfect_hash.rs`.

use crate::perfect_hash::{PLACES_PER_GROUP_BITS, group, place, tag};
use std::cmp::Reverse;

/// No id: what an empty place holds.
const NONE: u32 = u32::MAX;

/// A perfect table as the engine embeds it.
pub(crate) struct Table {
    /// Two bytes, little-endian, for every group: its number.
    pub(crate) groups: Vec<u8>,
    /// Four bytes, little-endian, for every place: an id and the tag of its hash.
    pub(crate) entries: Vec<u8>,
}

/// The table of ids by the hashes of their keys. Large groups choose first, while most places are
/// free.
pub(crate) fn table(hashes: &[(u64, u32)]) -> Table {
    // At most 80 % of the places are taken.
    let place_bits = (hashes.len() * 5 / 4).next_power_of_two().trailing_zeros();
    let group_bits = place_bits - PLACES_PER_GROUP_BITS;
    let mut groups = vec![Vec::new(); 1 << group_bits];
    for &(hash, id) in hashes {
        groups[group(hash, group_bits)].push((hash, id));
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&at| Reverse(groups[at].len()));
    let mut entries = vec![NONE; 1 << place_bits];
    let mut numbers = vec![0u16; groups.len()];
    for at in order {
        let places =
            |number| groups[at].iter().map(move |&(hash, _)| place(hash, number, place_bits));
        let found = (0..=u16::MAX).find(|&number| {
            let mut own: Vec<usize> = places(number).collect();
            own.sort_unstable();
            own.dedup();
            own.len() == groups[at].len() && own.iter().all(|&place| entries[place] == NONE)
        });
        let number = found.expect("some number sends a group to free places");
        for (place, &(hash, id)) in places(number).zip(&groups[at]) {
            entries[place] = tag(hash) | id;
        }
        numbers[at] = number;
    }
    Table {
        groups: numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
        entries: entries.iter().flat_map(|entry| entry.to_le_bytes()).collect(),
    }
}
