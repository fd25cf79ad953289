//! What a thread has seen lately of pieces of 16 to 46 bytes: long words and names, runs of symbols.

use crate::{
    flat::{SHORT, merge_flat},
    known::Known,
    packed::Packed,
    perfect_hash::key_hash,
    scrambled::Guess,
    simd::Processor,
    sink::Sink,
    vocabulary::{Vocabulary, first_bytes, load_end},
};

/// The longest piece that is remembered here.
pub(crate) const LONG_BYTES: usize = Large::BYTES;

/// 2 MiB.
type Small = Table<{ 1 << 14 }, 2, 4>;
/// 0.5 MiB.
type Large = Table<{ 1 << 11 }, 3, 8>;

/// Most of them have at most 30 bytes and 11 tokens, and fit into places of half the size. What that and the
/// numbers of places are worth is in `bench/record/2026-11-26-engine-tables.txt`, 29.
pub(crate) struct Long {
    small: Small,
    large: Large,
}

impl Long {
    pub(crate) fn new() -> Self {
        Self { small: Small::new(), large: Large::new() }
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
        let mut small = None;
        if piece.len() <= Small::BYTES {
            small = self.small.give(vocabulary, text, (start, end), sink);
            if small.is_none() {
                return;
            }
        }
        let Some(large) = self.large.give(vocabulary, text, (start, end), sink) else { return };
        let mut tokens = [0; SHORT + 1];
        let count = merge_flat(vocabulary, piece, &mut tokens, 1, processor);
        guess.learn(piece.len(), count);
        let tokens = &tokens[..count];
        if !small.is_some_and(|place| place.keep(tokens)) {
            large.keep(tokens);
        }
        sink.tokens(tokens);
    }
}

/// `PAIRS` times two places, of `WORDS` words each: the bytes of a piece, then zeros, in the first `KEY` of
/// them, with its length and the number of the vocabulary in the last two bytes; then its tokens, in words of
/// which only the last that is used may hold less than six.
pub(crate) struct Table<const PAIRS: usize, const KEY: usize, const WORDS: usize>(
    Box<[[[u128; WORDS]; 2]]>,
);

impl<const PAIRS: usize, const KEY: usize, const WORDS: usize> Table<PAIRS, KEY, WORDS> {
    /// The longest piece that fits into a place.
    pub(crate) const BYTES: usize = 16 * KEY - 2;

    pub(crate) fn new() -> Self {
        Self(vec![[[0; WORDS]; 2]; PAIRS].into())
    }

    /// Gives the tokens of the piece `text[start..end]` to `sink` if it is known; if not, says where it may be
    /// kept.
    #[inline(always)]
    pub(crate) fn give<S: Sink>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        (start, end): (usize, usize),
        sink: &mut S,
    ) -> Option<Place<'_, KEY>> {
        let mut key: [u128; KEY] = words(text, start, end - start);
        key[KEY - 1] |= ((end - start) as u128) << 112 | u128::from(vocabulary.number) << 120;
        let [first, second] = &mut self.0[hash(key) % PAIRS];
        if first[..KEY] != key {
            // What is found or kept becomes the first, and what is kept takes the place of the other.
            std::mem::swap(first, second);
        }
        let (known, tokens) = first.split_at_mut(KEY);
        if *known != key {
            return Some(Place { key, known, tokens });
        }
        for packed in tokens {
            let packed = Packed(*packed);
            sink.known(S::Known::of_packed(packed));
            if packed.count() < Packed::MOST {
                break;
            }
        }
        None
    }
}

/// Where a piece may be kept.
pub(crate) struct Place<'a, const KEY: usize> {
    key: [u128; KEY],
    known: &'a mut [u128],
    tokens: &'a mut [u128],
}

impl<const KEY: usize> Place<'_, KEY> {
    /// Keeps the piece with these tokens if there is room for them, and says whether there is.
    #[inline(always)]
    pub(crate) fn keep(self, found: &[u32]) -> bool {
        let is_room = found.len() < self.tokens.len() * Packed::MOST;
        if is_room {
            self.known.copy_from_slice(&self.key);
            let sixes = found.chunks(Packed::MOST).chain([&[][..]]);
            for (place, six) in self.tokens.iter_mut().zip(sixes) {
                *place = Packed::new(six).0;
            }
        }
        is_room
    }
}

/// The first `N` words of the `length` bytes of `text` from `start` on, then zeros.
#[inline(always)]
fn words<const N: usize>(text: &[u8], start: usize, length: usize) -> [u128; N] {
    std::array::from_fn(|i| {
        let before = 16 * i;
        let rest = text.get(start + before..).unwrap_or(&[]);
        let word = match rest.first_chunk() {
            Some(sixteen) => u128::from_le_bytes(*sixteen),
            None if before < length => load_end(text, start + before),
            None => 0,
        };
        first_bytes(word, length.saturating_sub(before))
    })
}

/// Where a piece belongs.
#[inline(always)]
fn hash<const N: usize>(key: [u128; N]) -> usize {
    let mixed = key.into_iter().fold(0u64, |mixed, word| mixed.rotate_left(23) ^ key_hash(word));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}
