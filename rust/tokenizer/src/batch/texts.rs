//! Many texts in one string, tokenized in one pass.
//!
//! A short text has hardly any work that could overlap its cache misses, but the text after it has. So the blocks of
//! consecutive texts are queued like the blocks of one text.

use std::{collections::TryReserveError, ops::Range};

use crate::{
    error::BatchError,
    sink::{Count, EndToken, EndsOf, Sink, Write},
    tokenizer::{Tokenizer, special_tokens::SpecialTokenMode},
};

/// Texts as ascending ranges of one string. Bytes between them belong to no text.
#[derive(Clone, Debug)]
pub struct Texts<'a> {
    all: &'a str,
    ranges: Vec<Range<usize>>,
}

impl<'a> Texts<'a> {
    /// No texts, with room for `capacity` of them.
    ///
    /// # Errors
    /// The system does not have the memory.
    pub fn with_capacity(all: &'a str, capacity: usize) -> Result<Self, TryReserveError> {
        let mut ranges = Vec::new();
        ranges.try_reserve_exact(capacity)?;
        Ok(Self { all, ranges })
    }

    /// Makes room for one more text.
    pub(crate) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.ranges.try_reserve(1)
    }

    /// Adds the text at `range`, in bytes. Returns false, and adds nothing, if the range is not within the string,
    /// begins before the end of the last text, or splits a character.
    #[must_use]
    pub fn push(&mut self, range: Range<usize>) -> bool {
        let begin = self.ranges.last().map_or(0, |last| last.end);
        let is_text = range.start >= begin && self.all.get(range.clone()).is_some();
        if is_text {
            self.ranges.push(range);
        }
        is_text
    }

    /// The texts at these ascending indices.
    ///
    /// # Errors
    /// The system does not have the memory.
    pub fn at(
        &self,
        indices: impl IntoIterator<Item = usize, IntoIter: ExactSizeIterator>,
    ) -> Result<Self, TryReserveError> {
        let indices = indices.into_iter();
        let mut texts = Self::with_capacity(self.all, indices.len())?;
        texts.ranges.extend(indices.filter_map(|i| self.ranges.get(i).cloned()));
        Ok(texts)
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The texts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a str> {
        let all = self.all;
        self.ranges.iter().map(move |range| &all[range.clone()])
    }

    /// The string that contains the texts.
    pub(crate) fn all(&self) -> &'a str {
        self.all
    }

    /// The ranges of the texts in the string.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }
}

impl Tokenizer {
    /// Writes the number of tokens of each text to `counts`, as far as there is room. Allocates nothing. O(n).
    ///
    /// # Errors
    /// [`BatchError`] for the first text that contains a special token that `mode` forbids.
    pub fn count_each(
        &self,
        texts: &Texts<'_>,
        mode: SpecialTokenMode,
        counts: &mut [u32],
    ) -> Result<(), BatchError> {
        let sink = Count::<false> { count: 0, limit: 0 };
        self.feed_each(texts, mode, EndsOf::new(sink, counts, EndToken::None, texts.len()))?;
        let mut before = 0;
        for count in counts.iter_mut().take(texts.len()) {
            before = std::mem::replace(count, *count - before);
        }
        Ok(())
    }

    /// Writes the ids of all texts to `ids`, as far as there is room, each with its end token, and for each text the
    /// number of ids up to its end to `ends`. Returns the total number of ids. Up to four elements after the last id
    /// may be overwritten, within `ids`. Allocates nothing. O(n).
    ///
    /// # Errors
    /// [`BatchError`] for the first text that contains a special token that `mode` forbids.
    pub fn encode_each(
        &self,
        texts: &Texts<'_>,
        mode: SpecialTokenMode,
        end_token: EndToken,
        ends: &mut [u32],
        ids: &mut [u32],
    ) -> Result<usize, BatchError> {
        let sink = Write::<false> { count: 0, out: ids };
        self.feed_each(texts, mode, EndsOf::new(sink, ends, end_token, texts.len()))
    }

    fn feed_each<S: Sink>(
        &self,
        texts: &Texts<'_>,
        mode: SpecialTokenMode,
        mut sink: EndsOf<'_, S>,
    ) -> Result<usize, BatchError> {
        if mode == SpecialTokenMode::Error {
            for (index, text) in texts.iter().enumerate() {
                self.check(text, mode).map_err(|error| BatchError::Text { index, error })?;
            }
        }
        if mode == SpecialTokenMode::Allow {
            for text in texts.iter() {
                self.feed_with_specials(text.as_bytes(), sink.sink());
                sink.end_of_text();
            }
        } else {
            self.feed_ordinary(texts.all.as_bytes(), &texts.ranges, &mut sink);
        }
        Ok(sink.mark())
    }
}
