//! What each thread has seen lately.
//!
//! Texts repeat their words, and gateways see the same prompts again and again, so nearly every
//! piece has been looked up before, and most of those that have to be merged have been merged.
//! A few tables remember them, of bounded size: what is new evicts what was there. They
//! compare the bytes themselves and not a hash of them, so a hit is as exact as a merge.
//!
//! All short pieces, tokens and merges alike, go through the piece cache, for a reason that is not the
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
    memory::Memory,
    merge::merge_long,
    packed::Packed,
    perfect_hash::key_hash,
    piece_cache::PieceCache,
    scrambled::{Block, Guess, Scrambled},
    simd::{Processor, Work},
    sink::Sink,
    tiny::{TINY, merge_tiny},
    vocabulary::{KEY_BYTES, Key, Vocabulary, key},
};
use std::{marker::PhantomData, ops::Range};

/// How far the two piece caches grow, as powers of two: to 8 MiB of ids and 4 MiB of counts. Half as much costs
/// prompts a fifth to a third of their speed; twice as much pays for ids alone, and in huge pages
/// (`bench/record/2026-11-29-encode.txt`).
const CACHE_BITS: [u32; 2] = [17, 16];
/// Lines for those of them that are merged and longer than [`TINY`]: 1 MiB.
const SHORT_LINES: usize = 1 << 14;

/// The tables of one thread.
pub(crate) struct Recent {
    /// By [`Known::TABLE`].
    caches: [PieceCache; 2],
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
        // Zeros that the allocator has ready take no memory until they are used, and what is in use at once
        // is little.
        Self {
            caches: CACHE_BITS.map(PieceCache::new),
            short: Lines::new(),
            long: Long::new(),
            longer: Longer::new(),
            guess: Guess::NO,
            rows: Box::new([Row::EMPTY; 2]),
        }
    }

    /// The piece cache with the [number](Known::TABLE) `table`.
    #[cfg(test)]
    pub(crate) fn cache(&mut self, table: usize) -> &mut PieceCache {
        &mut self.caches[table]
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
        let cache = self.caches[K::TABLE].view(vocabulary.number);
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
            let place = cache.place(processor.cache_hash(key));
            processor.prefetch(cache.line(place));
            *piece = Found { key, place, end };
            start = end;
            ends &= ends - 1;
        }
    }

    /// Gives the tokens of the pieces in a row, from the one with number `from` on, to `sink`; stops
    /// at one that is not known at first sight, and gives its number.
    #[inline(always)]
    pub(crate) fn give<S: Sink, C: Processor>(
        &self,
        (row, from): (usize, usize),
        vocabulary: &Vocabulary,
        sink: &mut S,
        processor: C,
    ) -> Option<usize> {
        let cache = self.caches[S::Known::TABLE].view(vocabulary.number);
        let unknown =
            self.rows[row % 2].from(from).iter().position(|&Found { key, place, .. }| {
                let known = S::Known::in_first(cache.line(place), key, processor);
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

    /// A piece of a row, and where it is in the text.
    #[inline(always)]
    pub(crate) fn noted(&self, row: usize, number: usize) -> (Found, Range<usize>) {
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
        let cache = self.caches[S::Known::TABLE].view(vocabulary.number);
        let place = cache.place(processor.cache_hash(key));
        match S::Known::in_first(cache.line(place), key, processor) {
            Some(known) => sink.known(known),
            None => self.keyed_slowly(vocabulary, piece, (key, place), sink, processor),
        }
    }

    /// As [`keyed`](Self::keyed), where it is not what was found last in its line, which is at `place`.
    #[inline(never)]
    pub(crate) fn keyed_slowly<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        (key, place): (Key, usize),
        sink: &mut S,
        processor: C,
    ) {
        let cache = &mut self.caches[S::Known::TABLE];
        let line = cache.line_mut(place);
        if let Some(known) = S::Known::find(line, key) {
            return sink.known(known);
        }
        let known = if piece.len() <= TINY {
            let packed = merge_tiny(vocabulary, piece, key, processor);
            self.guess.learn(piece.len(), packed.count());
            S::Known::of_packed(packed)
        } else if let Some(id) = vocabulary.token(key, key_hash(key)) {
            self.guess.learn(piece.len(), 1);
            S::Known::of_packed(Packed::new(&[id]))
        } else {
            let short = &mut self.short.all_mut()[short_place(key_hash(key), vocabulary)];
            if let Some(packed) = Packed::find(short, key) {
                S::Known::of_packed(packed)
            } else {
                let mut tokens = [0; SHORT + 1];
                let count = merge_flat(vocabulary, piece, &mut tokens, 2, processor);
                self.guess.learn(piece.len(), count);
                let tokens = &tokens[..count];
                if let Some(packed) = Packed::of(tokens) {
                    packed.put(short, key);
                }
                let Some(known) = S::Known::of(tokens) else { return sink.tokens(tokens) };
                known
            }
        };
        known.put(line, key);
        sink.known(known);
        if cache.is_to_grow() {
            self.grow::<S::Known, C>(vocabulary, processor);
        }
    }

    /// Lets a piece cache grow, if what it grows into is there already.
    #[cold]
    fn grow<K: Known, C: Processor>(&mut self, vocabulary: &Vocabulary, processor: C) {
        let cache = &mut self.caches[K::TABLE];
        if let Some(memory) = cache.larger(vocabulary) {
            let (rows, number) = (&mut *self.rows, vocabulary.number);
            processor.apart(Grow::<K> { cache, memory, rows, number, known: PhantomData });
        }
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

/// A piece cache that grows while pieces wait to be looked up in it.
struct Grow<'a, K> {
    cache: &'a mut PieceCache,
    memory: Memory,
    rows: &'a mut [Row; 2],
    /// That of the vocabulary of the pieces that wait.
    number: u32,
    known: PhantomData<K>,
}

impl<K: Known> Work for Grow<'_, K> {
    #[inline(always)]
    fn run<C: Processor>(self, processor: C) {
        let Self { cache, memory, rows, number, .. } = self;
        cache.grow::<K>(memory, |key| processor.cache_hash(key));
        // Where a piece had its line, another vocabulary's may be now.
        let cache = cache.view(number);
        for piece in rows.iter_mut().flat_map(|row| &mut row.pieces) {
            piece.place = cache.place(processor.cache_hash(piece.key));
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

/// Where a short piece that is merged belongs. What shares a line there does not do so in the
/// piece cache.
#[inline(always)]
fn short_place(hash: u64, vocabulary: &Vocabulary) -> usize {
    lines::place::<SHORT_LINES>(hash >> 32, vocabulary.number)
}
