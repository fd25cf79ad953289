//! A six-bit alphabet of letters for the bigram tables, which are indexed by two of its codes.
//!
//! The build script includes this file, so that it and the engine agree.

/// The number of bits of a letter code. The code of a letter is the lowest six bits of its byte.
pub(crate) const LETTER_BITS: u32 = 6;
/// The number of letter bigrams.
pub(crate) const BIGRAMS: usize = 1 << (2 * LETTER_BITS);
/// No letter code: the byte cannot begin a word of letters.
pub(crate) const NO_LETTER: u8 = 64;

/// The bytes that often precede the letters of a word in the same pre-token. They take codes that letters leave free.
const PREFIXES: [u8; 11] = *b" +/_-.(\"'<=";
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
    while i < PREFIXES.len() {
        letters[PREFIXES[i] as usize] = FREE[i];
        i += 1;
    }
    letters
}

/// The code of the first byte of a pre-token, which need not be a letter, or [`NO_LETTER`].
pub(crate) static FIRST_LETTERS: [u8; 256] = first_letters();

/// No token: negative as a signed number, so that it sorts before all tokens and is detected by its sign.
pub(crate) const NO_TOKEN: u32 = 1 << 31;
/// The flag of a bigram that some merge crosses.
pub(crate) const IS_CROSSED: u32 = 1 << 30;
