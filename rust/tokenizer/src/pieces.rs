//! From text to tokens: splitting a text and looking its pieces up, in one loop.

use crate::{
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
        let mut at = 0;
        while at < self.text.len() && !self.sink.is_satisfied() {
            if !self.begins_wide(at) {
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
    /// Whether a block at `at` would soon end: characters of three bytes and more mostly end it,
    /// but for common punctuation.
    #[inline(always)]
    fn begins_wide(&self, at: usize) -> bool {
        let begins = |at: usize| self.text.get(at).is_some_and(|byte| *byte >= 0xE3);
        let width = match self.text[at] {
            ..0x80 => 1,
            0xE2 => 3,
            first => return first >= 0xE3,
        };
        begins(at + width)
    }

    /// Gives the tokens of the piece `text[start..end]` to the sink.
    #[inline(always)]
    fn piece(&mut self, start: usize, end: usize) {
        let length = end - start;
        if length <= KEY_BYTES {
            let key = key(self.text, start, length);
            let piece = &self.text[start..end];
            self.recent.keyed(self.vocabulary, piece, key, self.sink);
        } else if is_wide(self.text[start].max(self.text[start + 1])) {
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

    #[inline(never)]
    fn single_piece(&mut self, start: usize, end: usize) {
        self.piece(start, end);
    }
}
