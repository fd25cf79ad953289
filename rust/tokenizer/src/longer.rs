//! What a thread has seen lately of pieces of 47 to 512 bytes.
//!
//! Few of them are words. But mails, logs, Markdown and code have lines of dashes, equals signs or
//! box-drawing characters and runs of spaces, again and again the same, and to merge them took
//! two thirds of the time of mails (`bench/record/2026-11-26-engine-tables.txt`).

use crate::{
    merge::merge_long,
    perfect_hash::key_hash,
    simd::Processor,
    sink::{Sink, Write},
    vocabulary::Vocabulary,
};

/// Places for them: 192 KiB.
const PLACES: usize = 1 << 8;
/// The longest piece that fits into a place.
pub(crate) const LONGER_BYTES: usize = 512;

/// A table of them.
pub(crate) struct Longer {
    /// Flat: for arrays of more than sixteen elements, zeros are written and not asked of the system.
    pieces: Box<[u8]>,
    tokens: Box<[u32]>,
}

/// Entries for a piece: what it is, and its tokens.
///
/// The first has the length of the piece, the number of its tokens from bit 16 and that of the
/// vocabulary from bit 24 on. It is 0 where there is none.
const TOKENS: usize = 64;
const _: () = assert!(LONGER_BYTES < 1 << 16 && TOKENS <= 1 << 8, "the parts of the first entry");

impl Longer {
    pub(crate) fn new() -> Self {
        Self {
            pieces: vec![0; PLACES * LONGER_BYTES].into(),
            tokens: vec![0; PLACES * TOKENS].into(),
        }
    }

    /// Gives the tokens of `piece`, of at most 512 bytes, to `sink`.
    pub(crate) fn give<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        sink: &mut S,
        processor: C,
    ) {
        let place = place(piece);
        let known = &mut self.pieces.as_chunks_mut::<LONGER_BYTES>().0[place][..piece.len()];
        let [what, tokens @ ..] = &mut self.tokens.as_chunks_mut::<TOKENS>().0[place];
        let length_and_vocabulary = piece.len() as u32 | vocabulary.number << 24;
        if *what & !(0xFF << 16) == length_and_vocabulary && known == piece {
            let count = *what >> 16 & 0xFF;
            return sink.tokens(&tokens[..count as usize]);
        }
        let mut found = Write::<true> { count: 0, out: &mut [0; LONGER_BYTES] };
        merge_long(vocabulary, piece, &mut found, processor);
        let found = &found.out[..found.count];
        if let Some(places) = tokens.get_mut(..found.len()) {
            known.copy_from_slice(piece);
            places.copy_from_slice(found);
            *what = length_and_vocabulary | (found.len() as u32) << 16;
        }
        sink.tokens(found);
    }
}

/// Where a piece belongs.
fn place(piece: &[u8]) -> usize {
    let (words, rest) = piece.as_chunks();
    let last = rest.iter().fold(0, |word, &byte| word << 8 | u128::from(byte));
    let words = words.iter().map(|word| u128::from_le_bytes(*word)).chain([last]);
    let mixed =
        words.fold(piece.len() as u64, |mixed, word| mixed.rotate_left(23) ^ key_hash(word));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % PLACES
}
