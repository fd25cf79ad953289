//! The six bits that stand for a letter in the tables of [`bigrams`](crate::bigrams), which the build and
//! the engine have to agree on.

/// A letter takes this many bits: its lowest.
pub(crate) const LETTER_BITS: u32 = 6;
/// So many pairs of letters there are.
pub(crate) const PAIRS: usize = 1 << (2 * LETTER_BITS);
/// No byte that a word of letters can begin with.
pub(crate) const NO_LETTER: u8 = 64;

/// What often stands before the letters of a word, in the same piece, and the places among the 64 that
/// letters leave free.
const BEFORE: [u8; 11] = *b" +/_-.(\"'<=";
const FREE: [u8; 11] = [0, 27, 28, 29, 30, 31, 32, 59, 60, 61, 62];

const fn first_letters() -> [u8; 256] {
    let mut letters = [NO_LETTER; 256];
    let mut byte = 0;
    while byte < 0x80u8 {
        if byte.is_ascii_alphabetic() {
            letters[byte as usize] = byte & 63;
        }
        byte += 1;
    }
    let mut i = 0;
    while i < BEFORE.len() {
        letters[BEFORE[i] as usize] = FREE[i];
        i += 1;
    }
    letters
}

/// What stands for the first byte of a piece, which need not be a letter, or [`NO_LETTER`].
pub(crate) static FIRST_LETTERS: [u8; 256] = first_letters();

/// No token, as that of a pair: less than any, as a signed number.
pub(crate) const NO_PAIR: u32 = 1 << 31;
/// Added to the token of a pair if a merge is made over the pair.
pub(crate) const IS_JOINED: u32 = 1 << 30;
