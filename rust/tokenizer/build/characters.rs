//! Builds the tables of characters and of the boundaries between them, see `src/vocab/char_tokens.rs` and
//! `src/vocab/merge_boundaries.rs`.

use crate::boundary_index::{
    MIXED_PAIRS, PARTIAL_PAIRS, WIDE_PAIRS, byte_pair, char_pair, mixed_pair, partial_pair,
};
use crate::utf8::{is_wide, length, point};
use crate::vocabulary::Vocabulary;

const fn is_inner(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The token of each code point, and by [`byte_pair`] the lowest id of a token that joins parts of two characters,
/// four bytes each. If there is none, the entry is greater than any id.
pub(crate) fn char_tokens(vocabulary: &Vocabulary) -> (Vec<u8>, Vec<u8>) {
    let (mut tokens, mut boundary_ranks) = (vec![u32::MAX; 1 << 16], vec![u32::MAX; 1 << 14]);
    for (id, token, split) in vocabulary.merges() {
        let (first, meeting) = (token[0], token[split]);
        if first >= 0xC0
            && length(first) == token.len()
            && token[1..].iter().all(|byte| is_inner(*byte))
            && let Some(character) = point(token, 0)
        {
            tokens[character] = id;
        }
        let is_beginning = token.len() - split < length(meeting);
        let is_end = is_inner(first) && token[..split].iter().all(|byte| is_inner(*byte));
        if !is_inner(meeting) && (is_beginning || is_end) {
            let least = &mut boundary_ranks[byte_pair(token[split - 1], meeting)];
            *least = (*least).min(id);
        }
    }
    let bytes = |ids: Vec<u32>| ids.into_iter().flat_map(u32::to_le_bytes).collect();
    (bytes(tokens), bytes(boundary_ranks))
}

/// Bitmaps of the boundaries between two characters that some merge crosses: by [`char_pair`] for two wide
/// characters; by [`mixed_pair`] if exactly one of them is wide, or if the token has too little of the left one to
/// tell; and by [`partial_pair`] for two wide characters of which the merge has one only in part.
pub(crate) fn merge_boundaries(vocabulary: &Vocabulary) -> Vec<u8> {
    let (mut wide, mut mixed) = (vec![0; WIDE_PAIRS / 8], vec![0; MIXED_PAIRS / 8]);
    let mut partial = vec![0; PARTIAL_PAIRS / 8];
    for (_, token, split) in vocabulary.merges() {
        let (left, right) = token.split_at(split);
        let (last, first) = (left[split - 1], right[0]);
        if is_inner(first) {
            continue;
        }
        let before = left.iter().rposition(|byte| !is_inner(*byte)).map(|begin| &left[begin..]);
        if before.is_none_or(|before| is_wide(before[0]) != is_wide(first)) {
            set(&mut mixed, mixed_pair(last, first));
        }
        if !is_wide(first) {
            continue;
        }
        match before {
            Some(before) if !is_wide(before[0]) => (),
            Some(before) if is_whole(before) && is_whole(right) => {
                let right = &right[..length(first)];
                set(&mut wide, char_pair(packed(before), packed(right)));
            }
            _ => set(&mut partial, partial_pair(last, first)),
        }
    }
    [wide, mixed, partial].concat()
}

fn set(bits: &mut [u8], index: usize) {
    bits[index / 8] |= 1 << (index % 8);
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= length(bytes[0])
}

fn packed(character: &[u8]) -> u32 {
    character.iter().rev().fold(0, |packed, byte| packed << 8 | u32::from(*byte))
}
