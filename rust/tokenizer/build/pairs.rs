//! Finds the numbers that make the hash of pairs perfect, see `src/pair_hash.rs`.

use crate::pair_hash::{PLACES_PER_GROUP_BITS, group, hash, place};
use std::cmp::Reverse;

/// Two bytes, little-endian, for every group of `pairs`. Large groups choose first, while most
/// places are free.
pub(crate) fn displacements(pairs: &[u64]) -> Vec<u8> {
    // At most 80 % of the places are taken.
    let places = (pairs.len() * 5 / 4).next_power_of_two().trailing_zeros();
    let group_bits = places - PLACES_PER_GROUP_BITS;
    let mut groups = vec![Vec::new(); 1 << group_bits];
    for &pair in pairs {
        groups[group(hash(pair), group_bits)].push(hash(pair));
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&at| Reverse(groups[at].len()));
    let mut taken = vec![false; 1 << places];
    let mut numbers = vec![0u16; groups.len()];
    for at in order {
        let found = (0..=u16::MAX).find_map(|number| {
            let mut own: Vec<usize> =
                groups[at].iter().map(|&hash| place(hash, number, places)).collect();
            own.sort_unstable();
            own.dedup();
            let fits = own.len() == groups[at].len() && own.iter().all(|&place| !taken[place]);
            fits.then_some((number, own))
        });
        let (number, own) = found.expect("some number sends a group to free places");
        own.into_iter().for_each(|place| taken[place] = true);
        numbers[at] = number;
    }
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
