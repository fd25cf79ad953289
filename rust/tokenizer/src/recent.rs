//! What each thread has seen lately.
//!
//! Texts repeat their words, and gateways see the same prompts again and again, so nearly every
//! piece has been looked up before, and most of those that have to be merged have been merged.
//! A few tables remember them, of fixed size: what is new takes the place of what was there. They
//! compare the bytes themselves and not a hash of them, so a hit is as exact as a merge.
//!
//! All short pieces, tokens and merges alike, go through `front`, for a reason that is not the
//! look-up itself: one probe that nearly always hits leaves nothing to guess, where a search for
//! a token that is none, and then for a merge, misleads the processor at every fourth word of a
//! European text. There is one for those who want ids and one for those who only count. Merges are
//! kept once more in `short`, since to merge again costs ten times what it costs to look a token up.
//! [Letters in no order](crate::scrambled) are neither looked up nor kept.

use crate::{
    ahead::{Found, Row, WINDOW, window_key},
    flat::{SHORT, merge_flat},
    known::Known,
    lines::{self, Lines},
    long::{LONG_BYTES, Long},
    longer::{LONGER_BYTES, Longer},
    merge::merge_long,
    packed::Packed,
    perfect_hash::key_hash,
    scrambled::{Block, Guess, Scrambled},
    simd::{Processor, Work},
    sink::Sink,
    tiny::{TINY, merge_tiny},
    vocabulary::{KEY_BYTES, Key, Vocabulary, key},
};

/// Lines for pieces of up to 15 bytes, in each of the two tables: 4 MiB. Half as many cost prompts a
/// fifth to a third of their speed; what twice as many give is lost again where caches are cold
/// (`bench/record/2026-11-26-engine-tables.txt`).
const FRONT_LINES: usize = 1 << 16;
/// Lines for those of them that are merged and longer than [`TINY`]: 1 MiB.
const SHORT_LINES: usize = 1 << 14;

/// The tables of one thread.
pub(crate) struct Recent {
    /// By [`Known::TABLE`].
    front: [Lines<FRONT_LINES>; 2],
    short: Lines<SHORT_LINES>,
    long: Long,
    longer: Longer,
    guess: Guess,
    /// The pieces of two blocks.
    rows: Box<[Row; 2]>,
}

impl Recent {
    /// Tables that know nothing yet.
    #[cold]
    pub(crate) fn new() -> Self {
        // Zeros that the allocator has ready take no memory until they are used.
        Self {
            front: [Lines::new(), Lines::new()],
            short: Lines::new(),
            long: Long::new(),
            longer: Longer::new(),
            guess: Guess::NO,
            rows: Box::new([Row::EMPTY; 2]),
        }
    }

    /// Forgets the pieces of the text before.
    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        for row in &mut *self.rows {
            row.count = 0;
        }
    }

    /// Notes the pieces of the block at `begin`, which `window` begins with, in a row: `ends` has a
    /// bit where each of them ends.
    #[inline(always)]
    pub(crate) fn note<K: Known, C: Processor>(
        &mut self,
        row: usize,
        (begin, window): (usize, &[u8; WINDOW]),
        mut ends: u64,
        vocabulary: &Vocabulary,
        processor: C,
    ) {
        let front = self.front[K::TABLE].all();
        let row = &mut self.rows[row % 2];
        row.begin = begin;
        row.count = ends.count_ones() as usize;
        let mut start = 0;
        for piece in &mut row.pieces {
            if ends == 0 {
                break;
            }
            let end = ends.trailing_zeros();
            let key = window_key(window, start, end);
            let place = front_place(processor.cache_hash(key), vocabulary);
            processor.prefetch(&front[place]);
            *piece = Found { key, place, end };
            start = end;
            ends &= ends - 1;
        }
    }

    /// Gives the tokens of the pieces in a row, from the one with number `from` on, to `sink`; stops
    /// at one that is not known at first sight, and gives its number.
    #[inline(always)]
    pub(crate) fn give<S: Sink>(&self, row: usize, from: usize, sink: &mut S) -> Option<usize> {
        let front = self.front[S::Known::TABLE].all();
        let unknown =
            self.rows[row % 2].from(from).iter().position(|&Found { key, place, .. }| {
                let known = S::Known::in_first(&front[place % FRONT_LINES], key);
                known.map(|known| sink.known(known)).is_none()
            });
        unknown.map(|number| from + number)
    }

    /// Whether what is new is letters in no order.
    #[inline(always)]
    pub(crate) fn is_scrambled(&self) -> bool {
        self.guess.is_likely()
    }

    /// Gives the tokens of the pieces of a block to `sink` if they are of letters in no order, and says
    /// whether they are.
    #[inline(always)]
    pub(crate) fn scrambled<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        block: Block<'_>,
        sink: &mut S,
        processor: C,
    ) -> bool {
        let mut is_scrambled = false;
        let is = &mut is_scrambled;
        processor.apart(Apart { recent: self, vocabulary, text, block, sink, is_scrambled: is });
        is_scrambled
    }

    /// The key of a piece of a row, and where it begins and ends in the text.
    #[inline(always)]
    pub(crate) fn noted(&self, row: usize, number: usize) -> (Key, usize, usize) {
        self.rows[row % 2].piece(number)
    }

    /// Gives the tokens of `piece`, of at most 15 bytes and with this key, to `sink`.
    #[inline(always)]
    pub(crate) fn keyed<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        sink: &mut S,
        processor: C,
    ) {
        let place = front_place(processor.cache_hash(key), vocabulary);
        match S::Known::in_first(&self.front[S::Known::TABLE].all()[place], key) {
            Some(known) => sink.known(known),
            None => self.keyed_slowly(vocabulary, piece, key, sink, processor),
        }
    }

    /// As [`keyed`](Self::keyed), where it is not what was found last in its line.
    #[inline(never)]
    pub(crate) fn keyed_slowly<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        sink: &mut S,
        processor: C,
    ) {
        let hash = key_hash(key);
        let place = front_place(processor.cache_hash(key), vocabulary);
        let front = &mut self.front[S::Known::TABLE].all_mut()[place];
        if let Some(known) = S::Known::find(front, key) {
            return sink.known(known);
        }
        let mut tokens = [0; SHORT + 1];
        if piece.len() <= TINY {
            let packed = merge_tiny(vocabulary, piece, key, processor);
            self.guess.learn(piece.len(), packed.count());
            let known = S::Known::of_packed(packed);
            known.put(front, key);
            return sink.known(known);
        }
        if let Some(id) = vocabulary.token(key, hash) {
            self.guess.learn(piece.len(), 1);
            let known = S::Known::of_packed(Packed::new(&[id]));
            known.put(front, key);
            return sink.known(known);
        }
        let short = &mut self.short.all_mut()[short_place(hash, vocabulary)];
        if let Some(tokens) = Packed::find(short, key) {
            let known = S::Known::of_packed(tokens);
            known.put(front, key);
            return sink.known(known);
        }
        let count = merge_flat(vocabulary, piece, &mut tokens, 2, processor);
        self.guess.learn(piece.len(), count);
        let tokens = &tokens[..count];
        if let Some(known) = S::Known::of(tokens) {
            known.put(front, key);
        }
        if let Some(packed) = Packed::of(tokens) {
            packed.put(short, key);
        }
        sink.tokens(tokens);
    }

    /// Gives the tokens of the piece `text[start..end]` to `sink`.
    #[inline(always)]
    pub(crate) fn piece<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        (start, end): (usize, usize),
        sink: &mut S,
        processor: C,
    ) {
        if end - start <= KEY_BYTES {
            let key = key(text, start, end - start);
            self.keyed(vocabulary, &text[start..end], key, sink, processor);
        } else {
            self.unkeyed(vocabulary, text, (start, end), sink, processor);
        }
    }

    /// As [`piece`](Self::piece), for one of 16 bytes or more.
    #[inline(never)]
    pub(crate) fn unkeyed<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        (start, end): (usize, usize),
        sink: &mut S,
        processor: C,
    ) {
        let piece = &text[start..end];
        if piece.len() <= LONG_BYTES {
            let guess = &mut self.guess;
            self.long.give(vocabulary, text, (start, end), sink, guess, processor);
        } else if piece.len() <= LONGER_BYTES {
            self.longer.give(vocabulary, piece, sink, processor);
        } else {
            merge_long(vocabulary, piece, sink, processor);
        }
    }
}

/// The pieces of a block that may be of letters in no order.
struct Apart<'a, S> {
    recent: &'a mut Recent,
    vocabulary: &'a Vocabulary,
    text: &'a [u8],
    block: Block<'a>,
    sink: &'a mut S,
    /// Becomes true if they are, and only then are tokens given.
    is_scrambled: &'a mut bool,
}

impl<S: Sink> Work for Apart<'_, S> {
    #[inline(always)]
    fn run<C: Processor>(self, processor: C) {
        let Self { recent, vocabulary, text, block, sink, is_scrambled } = self;
        let Some(scrambled) = Scrambled::new(vocabulary, block, processor) else {
            recent.guess = Guess::NO;
            return;
        };
        *is_scrambled = true;
        scrambled.give(sink, processor, |sink, start, end| {
            let place = (block.at + start as usize, block.at + end as usize);
            recent.piece(vocabulary, text, place, sink, processor);
        });
    }
}

/// Where a short piece belongs.
#[inline(always)]
fn front_place(hash: u64, vocabulary: &Vocabulary) -> usize {
    lines::place::<FRONT_LINES>(hash, vocabulary.number)
}

/// Where a short piece that is merged belongs. What shares a line there does not do so in front.
#[inline(always)]
fn short_place(hash: u64, vocabulary: &Vocabulary) -> usize {
    lines::place::<SHORT_LINES>(hash >> 32, vocabulary.number)
}
