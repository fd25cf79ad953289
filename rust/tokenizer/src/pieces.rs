//! From text to tokens: splitting a text and looking its pieces up, in one loop.

use crate::{
    ahead::{LONG, WINDOW},
    recent::{self, Recent},
    simd::{Classify, Work, dispatch},
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
    fn run<C: Classify>(mut self, classify: C) {
        let at = self.ahead(classify);
        self.rest(at, classify);
    }
}

impl<P: Splitter, S: Sink> Pieces<'_, P, S> {
    /// Gives the tokens of all pieces but the last ones to the sink, those of each block when the
    /// next one has been found ([`ahead`](crate::ahead)), and says where the last ones begin.
    #[inline(always)]
    fn ahead<C: Classify>(&mut self, classify: C) -> usize {
        let (mut at, mut row) = (0, 0);
        self.recent.begin();
        while self.text[at..].len() >= WINDOW && !self.sink.is_satisfied() {
            let mut ends = self.ends(at, classify);
            while let Some(last) = ends.checked_ilog2()
                && let Some(window) = self.text[at..].first_chunk()
                && !self.sink.is_satisfied()
            {
                // Found before the pieces of this block are gone through: how many those are
                // cannot be foreseen, and what comes after a wrong guess is begun again.
                let next = at + last as usize;
                let next_ends = self.ends(next, classify);
                self.recent.note::<S::Known, C>(row, (at, window), ends, self.vocabulary, classify);
                row ^= 1;
                self.look_up(row);
                (at, ends) = (next, next_ends);
            }
            self.look_up(row ^ 1);
            self.recent.begin();
            if ends == 0 && self.text[at..].len() >= WINDOW {
                at = self.single_piece(at, P::end(self.text, at));
            }
        }
        at
    }

    /// A bit where each of the pieces ends that the block at `at` has whole; 0 where it has none,
    /// or the rest of the text is no whole window.
    #[inline(always)]
    fn ends<C: Classify>(&self, at: usize, classify: C) -> u64 {
        if self.text[at..].len() < WINDOW {
            return 0;
        }
        block::starts::<P>(self.text, at, self.vocabulary.joints(), classify).0
    }

    /// Gives the tokens of the pieces from `at` on to the sink, one by one.
    #[inline(always)]
    fn rest<C: Classify>(&mut self, mut at: usize, classify: C) {
        while at < self.text.len() && !self.sink.is_satisfied() {
            let block = at;
            let (mut starts, is_last) =
                block::starts::<P>(self.text, at, self.vocabulary.joints(), classify);
            while starts != 0 {
                let end = block + starts.trailing_zeros() as usize;
                self.piece(at, end);
                at = end;
                starts &= starts - 1;
            }
            if is_last {
                self.single_piece(at, self.text.len());
                return;
            }
            if at > block {
                continue;
            }
            at = self.single_piece(at, P::end(self.text, at));
        }
    }

    /// Gives the tokens of the pieces in a row to the sink.
    #[inline(always)]
    fn look_up(&mut self, row: usize) {
        let mut next = 0;
        while let Some(unknown) = self.recent.give(row, next, self.sink) {
            let (key, start, end) = self.recent.noted(row, unknown);
            if key == LONG {
                self.long_piece(start, end);
            } else {
                let piece = &self.text[start..end];
                self.recent.keyed_slowly(self.vocabulary, piece, key, self.sink);
            }
            next = unknown + 1;
        }
    }

    /// Gives the tokens of the piece `text[start..end]` to the sink.
    #[inline(always)]
    fn piece(&mut self, start: usize, end: usize) {
        let length = end - start;
        if length <= KEY_BYTES {
            let key = key(self.text, start, length);
            let piece = &self.text[start..end];
            self.recent.keyed(self.vocabulary, piece, key, self.sink);
        } else {
            self.long_piece(start, end);
        }
    }

    /// As [`piece`](Self::piece), for one of 16 bytes or more.
    #[inline(always)]
    fn long_piece(&mut self, start: usize, end: usize) {
        if is_wide(self.text[start].max(self.text[start + 1])) {
            self.parts(start, end);
        } else {
            self.recent.unkeyed(self.vocabulary, self.text, (start, end), self.sink);
        }
    }

    /// Gives the tokens of a piece of wide characters to the sink, part by part.
    #[inline(never)]
    fn parts(&mut self, start: usize, end: usize) {
        let joints = self.vocabulary.joints();
        joints.parts(self.text, (start, end), |start, end| {
            let length = end - start;
            if length <= KEY_BYTES {
                let key = key(self.text, start, length);
                self.recent.keyed(self.vocabulary, &self.text[start..end], key, self.sink);
            } else {
                self.recent.unkeyed(self.vocabulary, self.text, (start, end), self.sink);
            }
            !self.sink.is_satisfied()
        });
    }

    /// As [`piece`](Self::piece), and says where it ended.
    #[inline(never)]
    fn single_piece(&mut self, start: usize, end: usize) -> usize {
        self.piece(start, end);
        end
    }
}
