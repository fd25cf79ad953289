//! What a thread has seen lately of pieces of 16 to 46 bytes: long words and names, runs of symbols.

use crate::{
    flat::{SHORT, merge_flat},
    known::Known,
    packed::Packed,
    perfect_hash::key_hash,
    scrambled::Guess,
    simd::Processor,
    sink::Sink,
    vocabulary::{Vocabulary, first_bytes},
};

/// Places for them: 2 MiB. Half as many cost Russian a fifth of its speed
/// (`bench/record/2026-11-26-engine-tables.txt`).
const PLACES: usize = 1 << 14;
/// The longest piece that fits into a place.
pub(crate) const LONG_BYTES: usize = 46;

/// The bytes of a piece, then zeros, with its length and the number of the vocabulary in the last
/// two of the first three words; then its tokens, in words of which only the last that is used may
/// hold less than six.
type Place = [u128; 8];

/// A table of them.
pub(crate) struct Long(Box<[Place]>);

impl Long {
    pub(crate) fn new() -> Self {
        Self(vec![[0; 8]; PLACES].into())
    }

    /// Gives the tokens of the piece `text[start..end]`, of 16 to 46 bytes, to `sink`.
    #[inline(always)]
    pub(crate) fn give<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        (start, end): (usize, usize),
        sink: &mut S,
        guess: &mut Guess,
        processor: C,
    ) {
        let piece = &text[start..end];
        let [first, second, third] = words(text, start, piece.len());
        let tag = (piece.len() as u128) << 112 | u128::from(vocabulary.number) << 120;
        let key = [first, second, third | tag];
        let Some((known, tokens)) = self.0[place(key)].split_first_chunk_mut() else {
            unreachable!()
        };
        if *known == key {
            for packed in tokens {
                let packed = Packed(*packed);
                sink.known(S::Known::of_packed(packed));
                if packed.count() < Packed::MOST {
                    break;
                }
            }
            return;
        }
        let mut found = [0; SHORT + 1];
        let count = merge_flat(vocabulary, piece, &mut found, 1, processor);
        guess.learn(piece.len(), count);
        let found = &found[..count];
        if count < tokens.len() * Packed::MOST {
            *known = key;
            for (place, six) in tokens.iter_mut().zip(found.chunks(Packed::MOST).chain([&[][..]])) {
                *place = Packed::new(six).0;
            }
        }
        sink.tokens(found);
    }
}

/// The `length` bytes of `text` from `start` on, 16 to 48 of them, then zeros.
#[inline(always)]
fn words(text: &[u8], start: usize, length: usize) -> [u128; 3] {
    let load = |bytes: &[u8; 48]| {
        let mut words = [0; 3];
        for (word, sixteen) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u128::from_le_bytes(*sixteen);
        }
        words
    };
    let [first, second, third] = match text[start..].first_chunk() {
        Some(bytes) => load(bytes),
        None => {
            let mut bytes = [0; 48];
            bytes[..length].copy_from_slice(&text[start..start + length]);
            load(&bytes)
        }
    };
    [first, first_bytes(second, length - 16), first_bytes(third, length.saturating_sub(32))]
}

/// Where a piece belongs.
#[inline(always)]
fn place(key: [u128; 3]) -> usize {
    let mixed = key.into_iter().fold(0u64, |mixed, word| mixed.rotate_left(23) ^ key_hash(word));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % PLACES
}
