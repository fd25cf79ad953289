//! Merging letters that come in no order, as those of keys, hashes and base64, a block at a time.
//!
//! Of such letters hardly any three are a token, so they come apart into letters and pairs, and which
//! pairs can be told without merging them one after the other ([`bigrams`](crate::bigrams)): with only
//! pairs to merge, nothing that is merged makes a new pair. Where a pair that is merged lies in a token of
//! three letters, or begins one of two pairs, this does not hold, and the letters around it, as far as
//! merges can join them, are looked at once more ([`triples`](crate::triples)) or merged as all others are.
//! That a piece ends is only one more reason why letters are not joined, so the masks are those of all
//! pieces of a block, and none of these is looked up or remembered.
//!
//! Words of a language are not like that, and what is tried on them in vain takes time; so it is tried
//! only as long as what is new in a text looks like it ([`Guess`]). What that is worth is in
//! `bench/record/2026-11-26-engine-tables.txt`, 25 and 28.

use crate::{
    ahead::WINDOW,
    bigrams::{Numbers, Places},
    flat::{SHORT, merge_flat},
    known::Known,
    letters::{FIRST_LETTERS, NO_LETTER},
    simd::Processor,
    sink::Sink,
    triples::Longer,
    vocabulary::Vocabulary,
};

/// Whether what a thread sees is letters in no order.
pub(crate) struct Guess(u8);

impl Guess {
    pub(crate) const NO: Self = Self(0);
    /// So many more of the pieces that were new looked like it than did not.
    const LIKELY: u8 = 16;

    #[inline(always)]
    pub(crate) fn is_likely(&self) -> bool {
        self.0 >= Self::LIKELY
    }

    /// Learns from a new piece of this length how many tokens it has.
    #[inline(always)]
    pub(crate) fn learn(&mut self, length: usize, tokens: usize) {
        let looks_like_it = 2 * tokens >= length;
        self.0 =
            if looks_like_it { (self.0 + 1).min(Self::LIKELY) } else { self.0.saturating_sub(1) };
    }
}

/// A block that may be of letters in no order; all of it is ASCII.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// Where it begins in the text.
    pub(crate) at: usize,
    /// What begins with it.
    pub(crate) window: &'a [u8; WINDOW],
    /// A bit where each piece ends.
    pub(crate) ends: u64,
    /// A bit for each letter.
    pub(crate) letters: u64,
}

/// Such a block, and how it comes apart. Of each mask a bit is a byte.
pub(crate) struct Scrambled<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    window: &'a [u8; WINDOW],
    /// Where pieces begin, and where the last one ends.
    starts: u64,
    /// Where the next byte is of the same piece.
    inside: u64,
    /// What is neither a letter nor may stand before one, in pieces of more than one byte.
    others: u64,
    places: Places,
    /// The token of each letter and the next one.
    pairs: [u32; 64],
    /// Where a letter is merged with the next one, unless more could come of it.
    merged: u64,
    /// Where more could.
    longer: u64,
}

impl<'a> Scrambled<'a> {
    /// Of `places` so many may be unclear in letters in no order. Base64 has three in a block, a language
    /// thirty. Few are not enough to tell.
    #[inline(always)]
    fn most_unclear(places: u32) -> u32 {
        4 + places / 6
    }

    /// How `block` comes apart. None if its letters are in some order.
    #[inline(always)]
    pub(crate) fn new<C: Processor>(
        vocabulary: &'a Vocabulary,
        Block { window, ends, letters, .. }: Block<'a>,
        processor: C,
    ) -> Option<Self> {
        let starts = ends | 1;
        let used = u64::MAX >> 1 >> ends.leading_zeros();
        let inside = used & !(starts >> 1);
        let mut numbers = Numbers::new(window);
        let mut others = used & !starts & !letters;
        let mut firsts = starts & inside & !letters;
        while firsts != 0 {
            let at = firsts.trailing_zeros() as usize;
            let letter = FIRST_LETTERS[usize::from(window[at])];
            others |= if letter == NO_LETTER { 1 << at } else { 0 };
            numbers.begin(at, letter);
            firsts &= firsts - 1;
        }
        let mut pairs = [0; 64];
        let places = Places::new(vocabulary.bigrams(), window, &numbers, &mut pairs, processor);
        let merged = places.merged(inside);
        let mut scrambled =
            Self { vocabulary, window, starts, inside, others, places, pairs, merged, longer: 0 };
        scrambled.longer = scrambled.longer_beside(merged);
        let unclear = (scrambled.longer | others).count_ones();
        (unclear <= Self::most_unclear(used.count_ones())).then_some(scrambled)
    }

    /// Gives the tokens to `sink`, those of pieces that are not of letters by `look_up`, which hears where in
    /// the block they are.
    #[inline(always)]
    pub(crate) fn give<S: Sink, C: Processor>(
        mut self,
        sink: &mut S,
        processor: C,
        mut look_up: impl FnMut(&mut S, u32, u32),
    ) {
        let mut unclear = self.longer | self.others;
        let mut from = 0;
        while unclear != 0 {
            let at = unclear.trailing_zeros();
            let (mut start, mut end) = (last(self.starts, at), next(self.starts, at + 1));
            if self.others & bits(start, end) != 0 {
                self.plain((from, start), sink);
                look_up(sink, start, end);
                from = end;
            } else {
                // The letters around it, up to where nothing is joined.
                let apart = !(self.places.joined & self.inside);
                (start, end) = (last(apart << 1 | 1, at), next(apart, at) + 1);
                match self.longer_in(self.longer & bits(start, end), (start, end)) {
                    Longer::None => (),
                    Longer::One { token, at, merged } => {
                        self.merged = self.merged & !bits(start, end) | merged;
                        self.plain((from, at), sink);
                        sink.token(token);
                        from = at + 3;
                    }
                    Longer::Many => {
                        self.plain((from, start), sink);
                        let letters = self.window.get(start as usize..end as usize).unwrap_or(&[]);
                        let mut tokens = [0; SHORT + 1];
                        let count = merge_flat(self.vocabulary, letters, &mut tokens, 1, processor);
                        sink.tokens(&tokens[..count]);
                        from = end;
                    }
                }
            }
            unclear &= u64::MAX << (end % 64);
        }
        self.plain((from, last(self.starts, 63)), sink);
    }

    /// Gives the letters and pairs from one place to another to `sink`.
    #[inline(always)]
    fn plain<S: Sink>(&self, (start, end): (u32, u32), sink: &mut S) {
        let mut starts = !(self.merged << 1) & bits(start, end);
        let count = starts.count_ones() as usize;
        // Where only counts matter, nobody reads what is written here.
        let mut tokens = [0; 64];
        if !S::Known::COUNTED {
            for token in &mut tokens[..count] {
                let at = starts.trailing_zeros() % 64;
                *token = if self.is_merged(at) { self.pair(at) } else { self.letter(at) };
                starts &= starts.wrapping_sub(1);
            }
        }
        sink.tokens(&tokens[..count]);
    }

    /// The token of the letter at this place.
    #[inline(always)]
    pub(crate) fn letter(&self, at: u32) -> u32 {
        self.vocabulary.byte(self.window[at as usize % 64])
    }

    /// The token of the letter at this place and the next one.
    #[inline(always)]
    pub(crate) fn pair(&self, at: u32) -> u32 {
        self.pairs[at as usize % 64]
    }

    /// Whether the letter at this place is merged with the next one.
    #[inline(always)]
    pub(crate) fn is_merged(&self, at: u32) -> bool {
        self.merged >> (at % 64) & 1 != 0
    }

    /// Where letters are merged with the next ones, if no other merges are made than those of pairs of letters
    /// `within`.
    #[inline(always)]
    pub(crate) fn merged_within(&self, within: u64) -> u64 {
        self.places.merged(self.inside & within)
    }

    /// Where more could come of it that letters are merged with the next ones at `merged`.
    #[inline(always)]
    pub(crate) fn longer_beside(&self, merged: u64) -> u64 {
        self.places.longer & self.inside & self.inside >> 1 & (merged | merged >> 1)
    }
}

/// The bits from `start` up to `end`, both at most 63.
#[inline(always)]
pub(crate) fn bits(start: u32, end: u32) -> u64 {
    u64::MAX << start & !(u64::MAX << end)
}

/// The last of `bits` up to `at`, which is there.
#[inline(always)]
fn last(bits: u64, at: u32) -> u32 {
    at - (bits << (63 - at)).leading_zeros()
}

/// The first of `bits` from `at` on, which is there.
#[inline(always)]
fn next(bits: u64, at: u32) -> u32 {
    (bits & u64::MAX << at).trailing_zeros()
}
