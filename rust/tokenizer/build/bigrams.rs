//! Builds the tables of letter bigrams, see `src/vocab/bigram_table.rs`.

use crate::alphabet::{BIGRAMS, FIRST_LETTERS, IS_CROSSED, LETTER_BITS, NO_LETTER, NO_TOKEN};
use crate::vocabulary::Vocabulary;

/// By bigram: the token or [`NO_TOKEN`], and the flag [`IS_CROSSED`], in four bytes; and a bit for every letter with
/// which the bigram may merge further, in eight bytes.
pub(crate) fn tables(vocabulary: &Vocabulary) -> (Vec<u8>, Vec<u8>) {
    let (mut tokens, mut followers) = (vec![NO_TOKEN; BIGRAMS], vec![0u64; BIGRAMS]);
    for (id, token, split) in vocabulary.merges() {
        let (last, meeting) = (token[split - 1], token[split]);
        let is_inside = split == 1 || last.is_ascii_alphabetic();
        if let Some(crossed) = bigram(last, meeting).filter(|_| is_inside) {
            tokens[crossed] |= IS_CROSSED;
        }
        let Some(begin) = bigram(token[0], token[1]) else { continue };
        match token[2..] {
            [] => tokens[begin] = tokens[begin] & !NO_TOKEN | id,
            [third] if third.is_ascii_alphabetic() => followers[begin] |= 1 << letter(third),
            [third, _] if third.is_ascii_alphabetic() && split == 2 => {
                followers[begin] |= 1 << letter(third);
            }
            _ => (),
        }
    }
    let tokens = tokens.into_iter().flat_map(u32::to_le_bytes).collect();
    (tokens, followers.into_iter().flat_map(u64::to_le_bytes).collect())
}

/// The index of a bigram. Its first byte is a letter, or a prefix of letters.
fn bigram(first: u8, second: u8) -> Option<usize> {
    let first = FIRST_LETTERS[usize::from(first)];
    let is_pair = first != NO_LETTER && second.is_ascii_alphabetic();
    is_pair.then(|| usize::from(first) | usize::from(letter(second)) << LETTER_BITS)
}

fn letter(byte: u8) -> u8 {
    byte & ((1 << LETTER_BITS) - 1)
}
