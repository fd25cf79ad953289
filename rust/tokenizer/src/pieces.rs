//! From text to tokens: splitting texts and looking their pieces up, in one loop.

use crate::{
    ahead::{Found, LONG, WINDOW, padded, padded_words},
    joints::is_cut_early,
    long::LONG_BYTES,
    recent::Recent,
    scrambled::Block,
    simd::{Processor, Work, dispatch},
    sink::Sink,
    split::{
        Splitter,
        block::{self, below},
    },
    threads,
    vocabulary::{KEY_BYTES, Vocabulary, key},
};
use std::{marker::PhantomData, ops::Range};

/// Shorter texts that come alone have nothing to be looked up behind, and the way to that costs them
/// more than it gives (`bench/record/2026-11-26-engine-tables.txt`, 20).
const TINY_TEXT: usize = 24;
const _: () = assert!(TINY_TEXT <= 32, "what is padded in registers");

/// Splits the texts that are in `all` at `ranges`, which are in order, into pieces and gives the tokens
/// of each to `sink`, until it is satisfied; tells it where each text ends.
pub(crate) fn pieces<P: Splitter, S: Sink>(
    vocabulary: &Vocabulary,
    all: &[u8],
    ranges: &[Range<usize>],
    sink: &mut S,
) {
    threads::with(|recent| dispatch(each::<P, S>(vocabulary, all, ranges, sink, recent)));
}

/// The same as work for a processor, with these tables.
#[inline(always)]
pub(crate) fn each<'a, P: Splitter, S: Sink>(
    vocabulary: &'a Vocabulary,
    all: &'a [u8],
    ranges: &'a [Range<usize>],
    sink: &'a mut S,
    recent: &'a mut Recent,
) -> impl Work {
    let pieces = Pieces { vocabulary, all, recent, sink, splitter: PhantomData::<P> };
    Each { pieces, ranges }
}

struct Each<'a, P, S> {
    pieces: Pieces<'a, P, S>,
    ranges: &'a [Range<usize>],
}

impl<P: Splitter, S: Sink> Work for Each<'_, P, S> {
    #[inline(always)]
    fn run<C: Processor>(self, processor: C) {
        let Self { mut pieces, ranges } = self;
        match ranges {
            [alone] if alone.len() < TINY_TEXT => pieces.one_by_one(alone.clone(), processor),
            _ => pieces.ahead(ranges, processor),
        }
    }
}

struct Pieces<'a, P, S> {
    vocabulary: &'a Vocabulary,
    all: &'a [u8],
    recent: &'a mut Recent,
    sink: &'a mut S,
    splitter: PhantomData<P>,
}

impl<P: Splitter, S: Sink> Pieces<'_, P, S> {
    /// Gives the tokens of the texts to the sink, those of each block when the pieces of the next
    /// one, which may be of the next text, have been found ([`ahead`](crate::ahead)).
    #[inline(always)]
    fn ahead<C: Processor>(&mut self, ranges: &[Range<usize>], processor: C) {
        let all = self.all;
        let (mut row, mut ended) = (0, 0);
        self.recent.begin();
        for &Range { start, end } in ranges {
            let text = &all[..end];
            let mut at = start;
            while at < end && !self.sink.is_satisfied() {
                let copy;
                let window = match all[at..].first_chunk::<WINDOW>() {
                    Some(window) => window,
                    None => {
                        copy = padded(&all[at..]);
                        &copy
                    }
                };
                let (ends, letters) = self.ends(text, at, window, processor);
                if let Some(last) = ends.checked_ilog2() {
                    if letters != 0 && self.recent.is_scrambled() {
                        self.look_up(row ^ 1, &mut ended, processor);
                        self.recent.begin();
                        let block = Block { at, window, ends, letters };
                        let Self { vocabulary, recent, sink, .. } = self;
                        if recent.scrambled(vocabulary, text, block, *sink, processor) {
                            at += last as usize;
                            continue;
                        }
                    }
                    let (vocabulary, block) = (self.vocabulary, (at, window));
                    self.recent.note::<S::Known, C>(row, block, ends, vocabulary, processor);
                    row ^= 1;
                    self.look_up(row, &mut ended, processor);
                    at += last as usize;
                } else {
                    self.look_up(row ^ 1, &mut ended, processor);
                    self.recent.begin();
                    at = self.single_piece(at, P::end(text, at), processor);
                }
            }
            ended += 1;
        }
        self.look_up(row ^ 1, &mut ended, processor);
    }

    /// A bit where each of the pieces ends that the block at `at`, which `window` begins with, has whole; and
    /// one for each letter, if all of it is ASCII.
    #[inline(always)]
    fn ends<C: Processor>(
        &self,
        text: &[u8],
        at: usize,
        window: &[u8; WINDOW],
        processor: C,
    ) -> (u64, u64) {
        let rest = text.len() - at;
        let classes = match window.first_chunk() {
            Some(block) => processor.classify(block).within(below(rest.min(64) as u32)),
            None => return (0, 0),
        };
        let is_ascii = classes.inner | classes.high == 0;
        let letters = if is_ascii { classes.upper | classes.lower } else { 0 };
        let (starts, is_last) = block::starts::<P>(text, at, classes, self.vocabulary.joints());
        (if is_last { starts | 1 << (rest % 64) } else { starts }, letters)
    }

    /// Gives the tokens of a tiny text to the sink, piece by piece.
    #[inline(always)]
    fn one_by_one<C: Processor>(&mut self, Range { start, end }: Range<usize>, processor: C) {
        let text = &self.all[..end];
        let mut at = start;
        while at < end && !self.sink.is_satisfied() {
            let block = at;
            let classes = processor.classify_words(padded_words(&text[at..]));
            let (mut starts, is_last) =
                block::starts::<P>(text, at, classes, self.vocabulary.joints());
            while starts != 0 {
                let end = block + starts.trailing_zeros() as usize;
                self.piece(at, end, processor);
                at = end;
                starts &= starts - 1;
            }
            if is_last {
                at = self.single_piece(at, end, processor);
            } else if at == block {
                at = self.single_piece(at, P::end(text, at), processor);
            }
        }
        self.sink.end_of_text();
    }

    /// Gives the tokens of the pieces in a row to the sink, and tells it that `ended` texts end there.
    #[inline(always)]
    fn look_up<C: Processor>(&mut self, row: usize, ended: &mut usize, processor: C) {
        self.look_up_row(row, processor);
        for _ in 0..std::mem::take(ended) {
            self.sink.end_of_text();
        }
    }

    /// Gives the tokens of the pieces in a row to the sink.
    #[inline(always)]
    fn look_up_row<C: Processor>(&mut self, row: usize, processor: C) {
        let mut next = 0;
        let vocabulary = self.vocabulary;
        while let Some(unknown) = self.recent.give((row, next), vocabulary, self.sink, processor) {
            let (Found { key, place, .. }, Range { start, end }) = self.recent.noted(row, unknown);
            if key == LONG {
                self.long_piece(start, end, processor);
            } else {
                let (piece, key) = (&self.all[start..end], (key, place));
                self.recent.keyed_slowly(vocabulary, piece, key, self.sink, processor);
            }
            next = unknown + 1;
        }
    }

    /// Gives the tokens of the piece `all[start..end]` to the sink.
    #[inline(always)]
    fn piece<C: Processor>(&mut self, start: usize, end: usize, processor: C) {
        let length = end - start;
        if length <= KEY_BYTES {
            let key = key(self.all, start, length);
            let piece = &self.all[start..end];
            self.recent.keyed(self.vocabulary, piece, key, self.sink, processor);
        } else {
            self.long_piece(start, end, processor);
        }
    }

    /// As [`piece`](Self::piece), for one of 16 bytes or more.
    #[inline(always)]
    fn long_piece<C: Processor>(&mut self, start: usize, end: usize, processor: C) {
        // A symbol or space may come first.
        let at = start + usize::from(self.all[start].is_ascii());
        let (first, second) = (self.all[at], self.all[at + 1]);
        if is_cut_early(first, second) || !first.is_ascii() && end - start > LONG_BYTES {
            self.parts(start, end, processor);
        } else {
            self.recent.unkeyed(self.vocabulary, self.all, (start, end), self.sink, processor);
        }
    }

    /// Gives the tokens of a piece of wide characters to the sink, part by part.
    #[inline(always)]
    fn parts<C: Processor>(&mut self, start: usize, end: usize, processor: C) {
        processor.apart(Parts { pieces: self, piece: start..end });
    }

    /// As [`piece`](Self::piece), and says where it ended.
    #[inline(always)]
    fn single_piece<C: Processor>(&mut self, start: usize, end: usize, processor: C) -> usize {
        processor.apart(Single { pieces: self, piece: start..end });
        end
    }
}

/// A piece of wide characters.
struct Parts<'a, 'b, P, S> {
    pieces: &'a mut Pieces<'b, P, S>,
    piece: Range<usize>,
}

impl<P: Splitter, S: Sink> Work for Parts<'_, '_, P, S> {
    #[inline(always)]
    fn run<C: Processor>(self, processor: C) {
        let Self { pieces: Pieces { vocabulary, all, recent, sink, .. }, piece } = self;
        vocabulary.joints().parts(all, (piece.start, piece.end), |start, end| {
            recent.piece(vocabulary, all, (start, end), *sink, processor);
            !sink.is_satisfied()
        });
    }
}

/// A piece that no block has whole.
struct Single<'a, 'b, P, S> {
    pieces: &'a mut Pieces<'b, P, S>,
    piece: Range<usize>,
}

impl<P: Splitter, S: Sink> Work for Single<'_, '_, P, S> {
    #[inline(always)]
    fn run<C: Processor>(self, processor: C) {
        self.pieces.piece(self.piece.start, self.piece.end, processor);
    }
}
