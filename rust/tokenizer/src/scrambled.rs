//! Merging letters that come in no order, as those of keys, hashes and base64.
//!
//! Of such letters hardly any three are a token, so they come apart into letters and pairs, and which
//! pairs can be told without merging them one after the other ([`bigrams`](crate::bigrams)): with only
//! pairs to merge, nothing that is merged makes a new pair. Where a pair that is merged lies in a token of
//! three letters, or begins one of two pairs, this does not hold. Then the letters around it, as far as
//! merges can join them, are merged as all others are.
//!
//! Words of a language are not like that, and what is tried on them in vain takes time; so it is tried
//! only as long as what is new in a text looks like it ([`Guess`]). What that is worth is in
//! `bench/record/2026-11-26-engine-tables.txt`, 25.

use crate::{
    bigrams::Places,
    flat::{SHORT, merge_flat},
    known::Known,
    letters::{FIRST_LETTERS, NO_LETTER},
    simd::{Processor, Work},
    vocabulary::{Vocabulary, first_bytes, load_end},
};
use std::marker::PhantomData;

/// The shortest piece that this is tried for.
const FEWEST: usize = 4;

/// Whether the pieces that a thread sees for the first time are of letters in no order.
pub(crate) struct Guess(u8);

impl Guess {
    pub(crate) const NO: Self = Self(0);
    const MOST: u8 = 3;

    /// Whether it is to be tried for a piece of this length.
    #[inline(always)]
    pub(crate) fn is_likely(&self, length: usize) -> bool {
        self.0 > Self::MOST / 2 && length >= FEWEST
    }

    /// Learns from a new piece of this length how many tokens it has.
    #[inline(always)]
    pub(crate) fn learn(&mut self, length: usize, tokens: usize) {
        let is_scrambled = 2 * tokens >= length;
        self.0 = if is_scrambled { (self.0 + 1).min(Self::MOST) } else { self.0.saturating_sub(1) };
    }
}

/// Writes the tokens of `piece`, of 4 to 63 bytes, into `tokens`, unless they are only to be counted, and
/// says how many they are. Says nothing if the piece is none of letters, or all of it would have to be
/// merged.
#[inline(always)]
pub(crate) fn merge_scrambled<K: Known, C: Processor>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    tokens: &mut [u32; SHORT + 1],
    processor: C,
) -> Option<usize> {
    let mut count = None;
    processor.apart(Scrambled::<K> {
        vocabulary,
        piece,
        tokens,
        count: &mut count,
        known: PhantomData,
    });
    count
}

struct Scrambled<'a, K> {
    vocabulary: &'a Vocabulary,
    piece: &'a [u8],
    tokens: &'a mut [u32; SHORT + 1],
    count: &'a mut Option<usize>,
    known: PhantomData<K>,
}

impl<K: Known> Work for Scrambled<'_, K> {
    #[inline(always)]
    fn run<C: Processor>(mut self, processor: C) {
        *self.count = self.merge(processor);
    }
}

impl<K: Known> Scrambled<'_, K> {
    #[inline(always)]
    fn merge<C: Processor>(&mut self, processor: C) -> Option<usize> {
        // Where only counts matter, nobody reads what is written here.
        let mut unread = [0; SHORT + 1];
        let ids = if K::COUNTED { &mut unread } else { &mut *self.tokens };
        let length = self.piece.len().min(SHORT);
        let places = places(self.vocabulary, &self.piece[..length], ids)?;
        let mut merged = places.merged();
        let mut longer = places.longer & (merged | merged >> 1);
        let all = u64::MAX >> (64 - length);
        let ends = !places.joined & all;
        if longer != 0 && ends.count_ones() < 2 {
            return None;
        }
        let mut starts = !(merged << 1) & all;
        let mut others = 0;
        while longer != 0 {
            // The letters around it, up to where nothing is joined.
            let at = longer.trailing_zeros();
            let end = (ends & u64::MAX << at).trailing_zeros() + 1;
            let start = u64::BITS - (ends & !(u64::MAX << at)).leading_zeros();
            let part = u64::MAX << start & u64::MAX >> (u64::BITS - end);
            longer &= !part;
            starts &= !part;
            let (start, end) = (start as usize, end as usize);
            let bytes = self.piece.get(start..end)?;
            let mut found = [0; SHORT + 1];
            let count = merge_flat(self.vocabulary, bytes, &mut found, 1, processor);
            if K::COUNTED {
                others += count;
                continue;
            }
            let mut at = start;
            for &id in &found[..count] {
                ids[at % 64] = id;
                starts |= 1 << at;
                merged |= 1 << at;
                at += self.vocabulary.length(id);
            }
        }
        let count = starts.count_ones() as usize + others;
        if !K::COUNTED {
            for place in 0..count {
                let at = starts.trailing_zeros() as usize % 64;
                let is_merged = merged >> at & 1 != 0;
                ids[place % 64] =
                    if is_merged { ids[at] } else { self.vocabulary.byte(self.piece[at]) };
                starts &= starts.wrapping_sub(1);
            }
        }
        Some(count)
    }
}

/// What is known of the places of `piece`, of 1 to 63 bytes, if it is of letters. The token of each letter
/// and the next one goes to `tokens`.
#[inline(always)]
fn places(vocabulary: &Vocabulary, piece: &[u8], tokens: &mut [u32; SHORT + 1]) -> Option<Places> {
    let mut places = Places::NONE;
    let first = load(piece, 0);
    let mut begin = 0;
    while begin < piece.len() {
        let sixteen = if piece.len() <= 16 { first >> (8 * begin) } else { load(piece, begin) };
        let (eight, next) = (sixteen as u64, (sixteen >> 64) as u64);
        let mut are_letters = letter_bits(eight);
        let mut letters = six_of_each(eight) | six_of_each(next & 0xFFFF) << 48;
        if begin == 0 {
            let first = FIRST_LETTERS[first as usize % 256];
            if first == NO_LETTER {
                return None;
            }
            are_letters |= 0x80;
            letters = letters & !63 | u64::from(first);
        }
        let expected = first_bytes(u128::from(HIGHEST), (piece.len() - begin).min(8)) as u64;
        if are_letters != expected {
            return None;
        }
        places.eight(vocabulary.bigrams(), letters, begin, tokens);
        begin += 8;
    }
    Some(places)
}

#[inline(always)]
fn load(piece: &[u8], begin: usize) -> u128 {
    match piece[begin..].first_chunk() {
        Some(sixteen) => u128::from_le_bytes(*sixteen),
        None => load_end(piece, begin),
    }
}

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGHEST: u64 = 0x80 * EACH;
/// What makes capitals small.
const SMALL: u64 = 0x20 * EACH;

/// The highest bit of each byte that is a letter of ASCII.
#[inline(always)]
fn letter_bits(bytes: u64) -> u64 {
    let small = (bytes & !HIGHEST) | SMALL;
    let from_a = small + u64::from(0x80 - b'a') * EACH;
    let after_z = small + u64::from(0x7F - b'z') * EACH;
    from_a & !after_z & !bytes & HIGHEST
}

/// The six lowest bits of each byte, together.
#[inline(always)]
fn six_of_each(bytes: u64) -> u64 {
    let sixes = bytes & (0x3F * EACH);
    let twelves = sixes & 0x003F_003F_003F_003F | (sixes & 0x3F00_3F00_3F00_3F00) >> 2;
    let more = twelves & 0x0000_0FFF_0000_0FFF | (twelves & 0x0FFF_0000_0FFF_0000) >> 4;
    more & 0x00FF_FFFF | (more & 0x00FF_FFFF_0000_0000) >> 8
}
