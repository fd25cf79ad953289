//! Finds the pairs of letters that are tokens, and what else could merge there, see `src/bigrams.rs`.

use crate::letters::{FIRST_LETTERS, IS_JOINED, LETTER_BITS, NO_LETTER, NO_PAIR, PAIRS};
use crate::vocabulary::Vocabulary;

/// By pair, its token or [`NO_PAIR`], and [`IS_JOINED`], four bytes each; and a bit for every letter that may
/// follow, eight bytes each.
pub(crate) fn tables(vocabulary: &Vocabulary) -> (Vec<u8>, Vec<u8>) {
    let (mut tokens, mut followers) = (vec![NO_PAIR; PAIRS], vec![0u64; PAIRS]);
    for (id, token, cut) in vocabulary.merges() {
        let (last, meeting) = (token[cut - 1], token[cut]);
        let is_inside = cut == 1 || last.is_ascii_alphabetic();
        if let Some(joined) = numbered(last, meeting).filter(|_| is_inside) {
            tokens[joined] |= IS_JOINED;
        }
        let Some(begin) = numbered(token[0], token[1]) else { continue };
        match token[2..] {
            [] => tokens[begin] = tokens[begin] & !NO_PAIR | id,
            [third] if third.is_ascii_alphabetic() => followers[begin] |= 1 << letter(third),
            [third, _] if third.is_ascii_alphabetic() && cut == 2 => {
                followers[begin] |= 1 << letter(third);
            }
            _ => (),
        }
    }
    let tokens = tokens.into_iter().flat_map(u32::to_le_bytes).collect();
    (tokens, followers.into_iter().flat_map(u64::to_le_bytes).collect())
}

/// The number of a pair of a letter, or what may stand before the first, and a letter.
fn numbered(first: u8, second: u8) -> Option<usize> {
    let first = FIRST_LETTERS[usize::from(first)];
    let is_pair = first != NO_LETTER && second.is_ascii_alphabetic();
    is_pair.then(|| usize::from(first) | usize::from(letter(second)) << LETTER_BITS)
}

fn letter(byte: u8) -> u8 {
    byte & ((1 << LETTER_BITS) - 1)
}
