//! From text to tokens: splitting a text and looking its pieces up, in one loop.

use crate::{
    ahead::{LONG, WINDOW},
    recent::{self, Recent},
    simd::{Processor, Work, dispatch},
    sink::Sink,
    split::{Splitter, block},
    utf8::is_wide,
    vocabulary::{KEY_BYTES, Vocabulary, key},
};
use std::marker::PhantomData;

/// Splits `text` into pieces and gives the tokens of each to `sink`, until it is satisfied.
pub(crate) fn pieces<P: Splitter, S: Sink>(vocabulary: &Vocabulary, text: &[u8], sink: &mut S) {
    recent::with(|recent| {
        dispatch(Pieces { vocabulary, text, recent, sink, splitter: PhantomData::<P> });
    });
}

struct Pieces<'a, P, S> {
    vocabulary: &'a Vocabulary,
    text: &'a [u8],
    recent: &'a mut Recent,
    sink: &'a mut S,
    splitter: PhantomData<P>,
}

impl<P: Splitter, S: Sink> Work for Pieces<'_, P, S> {
    #[inline(always)]
    fn run<C: Processor>(mut self, processor: C) {
        let at = self.ahead(processor);
        self.rest(at, processor);
    }
}

impl<P: Splitter, S: Sink> Pieces<'_, P, S> {
    /// Gives the tokens of all pieces but the last ones to the sink, those of each block when the
    /// next one has been found ([`ahead`](crate::ahead)), and says where the last ones begin.
    #[inline(always)]
    fn ahead<C: Processor>(&mut self, processor: C) -> usize {
        let (mut at, mut row) = (0, 0);
        self.recent.begin();
        while self.text[at..].len() >= WINDOW && !self.sink.is_satisfied() {
            let mut ends = self.ends(at, processor);
            while let Some(last) = ends.checked_ilog2()
                && let Some(window) = self.text[at..].first_chunk()
                && !self.sink.is_satisfied()
            {
                // Found before the pieces of this block are gone through: how many those are
                // cannot be foreseen, and what comes after a wrong guess is begun again.
                let next = at + last as usize;
                let next_ends = self.ends(next, processor);
                self.recent.note::<S::Known, C>(
                    row,
                    (at, window),
                    ends,
                    self.vocabulary,
                    processor,
                );
                row ^= 1;
                self.look_up(row, processor);
                (at, ends) = (next, next_ends);
            }
            self.look_up(row ^ 1, processor);
            self.recent.begin();
            if ends == 0 && self.text[at..].len() >= WINDOW {
                at = self.single_piece(at, P::end(self.text, at), processor);
            }
        }
        at
    }

    /// A bit where each of the pieces ends that the block at `at` has whole; 0 where it has none,
    /// or the rest of the text is no whole window.
    #[inline(always)]
    fn ends<C: Processor>(&self, at: usize, processor: C) -> u64 {
        if self.text[at..].len() < WINDOW {
            return 0;
        }
        block::starts::<P>(self.text, at, self.vocabulary.joints(), processor).0
    }

    /// Gives the tokens of the pieces from `at` on to the sink, one by one.
    #[inline(always)]
    fn rest<C: Processor>(&mut self, mut at: usize, processor: C) {
        while at < self.text.len() && !self.sink.is_satisfied() {
            let block = at;
            let (mut starts, is_last) =
                block::starts::<P>(self.text, at, self.vocabulary.joints(), processor);
            while starts != 0 {
                let end = block + starts.trailing_zeros() as usize;
                self.piece(at, end, processor);
                at = end;
                starts &= starts - 1;
            }
            if is_last {
                self.single_piece(at, self.text.len(), processor);
                return;
            }
            if at > block {
                continue;
            }
            at = self.single_piece(at, P::end(self.text, at), processor);
        }
    }

    /// Gives the tokens of the pieces in a row to the sink.
    #[inline(always)]
    fn look_up<C: Processor>(&mut self, row: usize, processor: C) {
        let mut next = 0;
        while let Some(unknown) = self.recent.give(row, next, self.sink) {
            let (key, start, end) = self.recent.noted(row, unknown);
            if key == LONG {
                self.long_piece(start, end, processor);
            } else {
                let piece = &self.text[start..end];
                self.recent.keyed_slowly(self.vocabulary, piece, key, self.sink, processor);
            }
            next = unknown + 1;
        }
    }

    /// Gives the tokens of the piece `text[start..end]` to the sink.
    #[inline(always)]
    fn piece<C: Processor>(&mut self, start: usize, end: usize, processor: C) {
        let length = end - start;
        if length <= KEY_BYTES {
            let key = key(self.text, start, length);
            let piece = &self.text[start..end];
            self.recent.keyed(self.vocabulary, piece, key, self.sink, processor);
        } else {
            self.long_piece(start, end, processor);
        }
    }

    /// As [`piece`](Self::piece), for one of 16 bytes or more.
    #[inline(always)]
    fn long_piece<C: Processor>(&mut self, start: usize, end: usize, processor: C) {
        if is_wide(self.text[start].max(self.text[start + 1])) {
            self.parts(start, end, processor);
        } else {
            self.recent.unkeyed(self.vocabulary, self.text, (start, end), self.sink, processor);
        }
    }

    /// Gives the tokens of a piece of wide characters to the sink, part by part.
    #[inline(never)]
    fn parts<C: Processor>(&mut self, start: usize, end: usize, processor: C) {
        let joints = self.vocabulary.joints();
        joints.parts(self.text, (start, end), |start, end| {
            let length = end - start;
            if length <= KEY_BYTES {
                let key = key(self.text, start, length);
                self.recent.keyed(
                    self.vocabulary,
                    &self.text[start..end],
                    key,
                    self.sink,
                    processor,
                );
            } else {
                self.recent.unkeyed(self.vocabulary, self.text, (start, end), self.sink, processor);
            }
            !self.sink.is_satisfied()
        });
    }

    /// As [`piece`](Self::piece), and says where it ended.
    #[inline(never)]
    fn single_piece<C: Processor>(&mut self, start: usize, end: usize, processor: C) -> usize {
        self.piece(start, end, processor);
        end
    }
}
