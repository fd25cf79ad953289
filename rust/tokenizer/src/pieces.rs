//! From text to tokens: splitting a text and looking its pieces up, in one loop.

use crate::{
    recent::{self, Recent},
    simd::{Classify, Work, dispatch},
    sink::Sink,
    split::{Splitter, block},
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
        let mut at = 0;
        while at < self.text.len() && !self.sink.is_satisfied() {
            // Characters of three bytes and more, but for common punctuation, mostly end a block
            // at once.
            if self.text[at] < 0xE3 {
                let block = at;
                let (mut starts, is_last) = block::starts::<P>(self.text, at, classify);
                while starts != 0 {
                    let end = block + starts.trailing_zeros() as usize;
                    self.piece(at, end);
                    at = end;
                    starts &= starts - 1;
                }
                if is_last {
                    return self.single_piece(at, self.text.len());
                }
                if at > block {
                    continue;
                }
            }
            let end = P::end(self.text, at);
            self.single_piece(at, end);
            at = end;
        }
    }
}

impl<P: Splitter, S: Sink> Pieces<'_, P, S> {
    /// Gives the tokens of the piece `text[start..end]` to the sink.
    #[inline(always)]
    fn piece(&mut self, start: usize, end: usize) {
        let length = end - start;
        if length <= KEY_BYTES {
            let key = key(self.text, start, length);
            let piece = &self.text[start..end];
            self.recent.keyed(self.vocabulary, piece, key, self.sink);
        } else {
            self.recent.unkeyed(self.vocabulary, self.text, (start, end), self.sink);
        }
    }

    #[inline(never)]
    fn single_piece(&mut self, start: usize, end: usize) {
        self.piece(start, end);
    }
}
