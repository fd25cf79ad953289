//! Finds the characters that need not be merged from their bytes, see `src/characters.rs`, and those
//! that nothing joins, see `src/joints.rs`.

use crate::utf8::{
    JOINTS, MIXED_JOINTS, NARROW_JOINTS, PARTIAL_JOINTS, is_wide, joint, length, mixed_joint,
    partial_joint, point, seam,
};
use crate::vocabulary::Vocabulary;

const fn is_inner(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The tokens by code point and the least ids by seam, four bytes each; where there is none, more than
/// any id.
pub(crate) fn tables(vocabulary: &Vocabulary) -> (Vec<u8>, Vec<u8>) {
    let (mut tokens, mut seams) = (vec![u32::MAX; 1 << 16], vec![u32::MAX; 1 << 14]);
    for (id, token, cut) in vocabulary.merges() {
        let (first, meeting) = (token[0], token[cut]);
        if first >= 0xC0
            && length(first) == token.len()
            && token[1..].iter().all(|byte| is_inner(*byte))
            && let Some(character) = point(token, 0)
        {
            tokens[character] = id;
        }
        let is_beginning = token.len() - cut < length(meeting);
        let is_end = is_inner(first) && token[..cut].iter().all(|byte| is_inner(*byte));
        if !is_inner(meeting) && (is_beginning || is_end) {
            let least = &mut seams[seam(token[cut - 1], meeting)];
            *least = (*least).min(id);
        }
    }
    let bytes = |numbers: Vec<u32>| numbers.into_iter().flat_map(u32::to_le_bytes).collect();
    (bytes(tokens), bytes(seams))
}

/// For the places between two characters that some merge is made over: a bit for every [`joint`] of two
/// wide ones; one for every joint of two narrow ones; by the last and the first byte, one where only one of
/// them is wide, or how much of the left one there is says nothing; and by the last and the first six bits
/// of both, one where the merge has not all of one of the two.
pub(crate) fn joints(vocabulary: &Vocabulary) -> Vec<u8> {
    let (mut wide, mut narrow) = (vec![0; JOINTS / 8], vec![0; NARROW_JOINTS / 8]);
    let (mut mixed, mut partial) = (vec![0; MIXED_JOINTS / 8], vec![0; PARTIAL_JOINTS / 8]);
    for (_, token, cut) in vocabulary.merges() {
        let (left, right) = token.split_at(cut);
        let (last, first) = (left[cut - 1], right[0]);
        if is_inner(first) {
            continue;
        }
        let before = left.iter().rposition(|byte| !is_inner(*byte)).map(|begin| &left[begin..]);
        if before.is_none_or(|before| is_wide(before[0]) != is_wide(first)) {
            set(&mut mixed, mixed_joint(last, first));
        }
        if first.is_ascii() {
            continue;
        }
        match before {
            Some(before) if length(before[0]) == 1 => (),
            Some(before) if is_wide(before[0]) != is_wide(first) => (),
            Some(before) if is_whole(before) && is_whole(right) => {
                let joint = joint(packed(before), packed(&right[..length(first)]));
                if is_wide(first) {
                    set(&mut wide, joint);
                } else {
                    set(&mut narrow, joint % NARROW_JOINTS);
                }
            }
            _ => set(&mut partial, partial_joint(last, first)),
        }
    }
    [wide, narrow, mixed, partial].concat()
}

fn set(bits: &mut [u8], number: usize) {
    bits[number / 8] |= 1 << (number % 8);
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= length(bytes[0])
}

fn packed(character: &[u8]) -> u32 {
    character.iter().rev().fold(0, |packed, byte| packed << 8 | u32::from(*byte))
}
