//! Finds the characters that need not be merged from their bytes, see `src/characters.rs`.

use crate::utf8::{length, point, seam};
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
