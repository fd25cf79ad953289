//! Finds the characters that need not be merged from their bytes, see `src/characters.rs`, and those
//! that nothing joins, see `src/joints.rs`.

use crate::utf8::{JOINTS, is_wide, joint, length, point, seam};
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

/// A bit for every [`joint`] that some merge is made over, and after them, for each last byte of a
/// character, a bit for every first byte of the next where a merge is made over them that has not
/// all of one of the two characters.
pub(crate) fn joints(vocabulary: &Vocabulary) -> Vec<u8> {
    let (mut whole, mut partial) = (vec![0u8; JOINTS / 8], [0u64; 64]);
    for (_, token, cut) in vocabulary.merges() {
        let (left, right) = token.split_at(cut);
        if !is_wide(right[0]) {
            continue;
        }
        let last = left[cut - 1];
        let begin = left.iter().rposition(|byte| !is_inner(*byte));
        let is_whole = |bytes: &[u8]| bytes.len() >= length(bytes[0]);
        match begin {
            Some(begin) if !is_wide(left[begin]) => (),
            Some(begin) if is_whole(&left[begin..]) && is_whole(right) => {
                let joint = joint(packed(&left[begin..]), packed(&right[..length(right[0])]));
                whole[joint / 8] |= 1 << (joint % 8);
            }
            _ => partial[usize::from(last & 63)] |= 1 << (right[0] & 63),
        }
    }
    whole.extend(partial.into_iter().flat_map(u64::to_le_bytes));
    whole
}

fn packed(character: &[u8]) -> u32 {
    character.iter().rev().fold(0, |packed, byte| packed << 8 | u32::from(*byte))
}
