//! The number of tokens of one piece that grows byte by byte, however long it gets.
//!
//! A sequence of tokens is the encoding of its bytes exactly if every two neighbours stay apart
//! (see `merge`), so the encoding of a piece is that of the piece without its last token, and then
//! that token. For every place the last token of the encoding up to there is therefore all there
//! is to know: the next byte's is the one token ending there that stays apart from the last token
//! of what it leaves. Tokens have at most 128 bytes, so only that many places are looked back at,
//! and the memory is constant.

use super::suffixes::Suffixes;
use crate::vocabulary::Vocabulary;

/// Places that are remembered: the longest token's length, and some to go back to.
const PLACES: usize = 256;
const LONGEST_TOKEN: usize = 128;

/// The encoding of the bytes up to one place.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    tokens: u32,
    last: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Growing {
    /// Of the place after `n` bytes, at `n % PLACES`.
    places: Box<[Place; PLACES]>,
    length: usize,
}

impl Growing {
    /// Of a piece without bytes.
    pub(super) fn new() -> Self {
        Self { places: Box::new([Place::default(); PLACES]), length: 0 }
    }

    /// How many bytes are done.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Forgets the bytes from `length` on, which are among the last hundred.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The number of tokens of the first `length` bytes of `piece`, whose beginning is what was
    /// done before. None if that is too long ago to be remembered.
    pub(super) fn count(
        &mut self,
        vocabulary: &Vocabulary,
        suffixes: &Suffixes,
        piece: &[u8],
        length: usize,
    ) -> Option<usize> {
        while self.length < length {
            self.grow(vocabulary, suffixes, &piece[..self.length + 1])?;
        }
        let is_remembered = self.length - length < PLACES - LONGEST_TOKEN;
        is_remembered.then(|| self.places[length % PLACES].tokens as usize)
    }

    /// Does the last byte of `piece`, which is one more than is done. Every byte is a token, so
    /// there is an encoding, and a last token: none is found only in a vocabulary that is broken.
    fn grow(&mut self, vocabulary: &Vocabulary, suffixes: &Suffixes, piece: &[u8]) -> Option<()> {
        let end = piece.len();
        let tail = &piece[end.saturating_sub(LONGEST_TOKEN)..];
        // In a run of one thing, such as spaces, the last token nearly always grows by a byte.
        let likely = match end {
            1 => 1,
            _ => vocabulary.length(self.places[(end - 1) % PLACES].last) + 1,
        };
        let mut grown = None;
        suffixes.find(vocabulary, tail, likely, |last, length| {
            let before = self.places[(end - length) % PLACES];
            if length == end {
                grown = Some(Place { tokens: 1, last });
            } else if vocabulary.merges().stay_apart(before.last, last) {
                grown = Some(Place { tokens: before.tokens + 1, last });
            }
            grown.is_some()
        });
        self.places[end % PLACES] = grown?;
        self.length = end;
        Some(())
    }
}
