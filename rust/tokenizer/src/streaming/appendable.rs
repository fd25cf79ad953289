//! The token count of one pre-token that grows byte by byte, by dynamic programming over its prefixes.
//!
//! A sequence of tokens is the encoding of its bytes exactly if every two neighbours are a valid pair. So the
//! encoding of a prefix is that of the prefix without its last token, and that token. For every prefix, the last
//! token therefore determines the encoding: the last token of the next prefix is the only token that ends there and
//! forms a valid pair with the last token before it. These are Corollaries IIa and IIIa in the README of the `bpe`
//! crate of github/rust-gems, whose `AppendableEncoder` works the same way. Tokens have at most 128 bytes, so only
//! that many prefixes are examined and the memory is constant.

use super::suffix_table::SuffixTable;
use crate::vocab::{LONGEST_TOKEN, Vocabulary};

/// The number of prefixes that are kept: as many as the longest token has bytes, and some for [`truncate`].
///
/// [`truncate`]: AppendableCount::truncate
const KEPT: usize = 256;

/// The encoding of one prefix.
#[derive(Clone, Copy, Debug, Default)]
struct Prefix {
    tokens: u32,
    last: u32,
}

/// The token counts of the last prefixes of a pre-token.
#[derive(Clone, Debug)]
pub(super) struct AppendableCount {
    /// The prefix of `n` bytes is at `n % KEPT`.
    prefixes: Box<[Prefix; KEPT]>,
    length: usize,
}

impl AppendableCount {
    /// An empty pre-token.
    pub(super) fn new() -> Self {
        Self { prefixes: Box::new([Prefix::default(); KEPT]), length: 0 }
    }

    /// The number of bytes that have been appended.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Drops the bytes from `length` on, which are among the last 128.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The number of tokens of the first `length` bytes of `pre_token`, which begins with the bytes appended so far.
    /// Appends those that are new. `None` if that prefix is no longer kept. Amortized O(new bytes).
    pub(super) fn count(
        &mut self,
        vocabulary: &Vocabulary,
        suffixes: &SuffixTable,
        pre_token: &[u8],
        length: usize,
    ) -> Option<usize> {
        while self.length < length {
            self.append(vocabulary, suffixes, &pre_token[..self.length + 1])?;
        }
        let is_kept = self.length - length < KEPT - LONGEST_TOKEN;
        is_kept.then(|| self.prefixes[length % KEPT].tokens as usize)
    }

    /// Appends the last byte of `prefix`. Every byte is a token, so an encoding exists; `None` is returned only for
    /// an invalid vocabulary.
    fn append(
        &mut self,
        vocabulary: &Vocabulary,
        suffixes: &SuffixTable,
        prefix: &[u8],
    ) -> Option<()> {
        let end = prefix.len();
        let tail = &prefix[end.saturating_sub(LONGEST_TOKEN)..];
        // In a run of one character, such as spaces, the last token nearly always grows by a byte.
        let likely = match end {
            1 => 1,
            _ => vocabulary.length(self.prefixes[(end - 1) % KEPT].last) + 1,
        };
        let mut appended = None;
        suffixes.find(vocabulary, tail, likely, |last, length| {
            let before = self.prefixes[(end - length) % KEPT];
            if length == end {
                appended = Some(Prefix { tokens: 1, last });
            } else if vocabulary.pairs().is_valid_pair(before.last, last) {
                appended = Some(Prefix { tokens: before.tokens + 1, last });
            }
            appended.is_some()
        });
        self.prefixes[end % KEPT] = appended?;
        self.length = end;
        Some(())
    }
}
