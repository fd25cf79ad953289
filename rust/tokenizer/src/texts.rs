//! Many texts in one string, tokenized without a pause between them.
//!
//! A short text has hardly any work to do while its pieces are on their way from memory. The text that
//! follows has: so they go through the engine as the blocks of one text do ([`ahead`](crate::ahead)).

use std::{collections::TryReserveError, ops::Range};

use crate::{
    batch::BatchError,
    sink::{Count, EndsOf, Sink, Write},
    special::Special,
    tokenizer::Tokenizer,
};

/// Texts that lie in one string, in order; between them may be what belongs to none.
#[derive(Clone, Debug)]
pub struct Texts<'a> {
    all: &'a str,
    ranges: Vec<Range<usize>>,
}

impl<'a> Texts<'a> {
    /// No texts yet, with room for `capacity`.
    ///
    /// # Errors
    /// There is no memory for so many.
    pub fn with_capacity(all: &'a str, capacity: usize) -> Result<Self, TryReserveError> {
        let mut ranges = Vec::new();
        ranges.try_reserve_exact(capacity)?;
        Ok(Self { all, ranges })
    }

    /// Makes room for one more.
    pub(crate) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.ranges.try_reserve(1)
    }

    /// Adds the text at `range`, in bytes. Says whether that is one: within the string, not before the
    /// end of the last one, and cutting no character.
    #[must_use]
    pub fn push(&mut self, range: Range<usize>) -> bool {
        let begin = self.ranges.last().map_or(0, |last| last.end);
        let is_text = range.start >= begin && self.all.get(range.clone()).is_some();
        if is_text {
            self.ranges.push(range);
        }
        is_text
    }

    /// The texts at these indices, which ascend.
    ///
    /// # Errors
    /// There is no memory for so many.
    pub fn at(
        &self,
        indices: impl IntoIterator<Item = usize, IntoIter: ExactSizeIterator>,
    ) -> Result<Self, TryReserveError> {
        let indices = indices.into_iter();
        let mut texts = Self::with_capacity(self.all, indices.len())?;
        texts.ranges.extend(indices.filter_map(|i| self.ranges.get(i).cloned()));
        Ok(texts)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The texts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a str> {
        let all = self.all;
        self.ranges.iter().map(move |range| &all[range.clone()])
    }

    /// The string that they lie in.
    pub(crate) fn all(&self) -> &'a str {
        self.all
    }

    /// Where they are.
    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }
}

impl Tokenizer {
    /// Writes the number of tokens of each text to `counts`, as far as there is room. Allocates nothing.
    ///
    /// # Errors
    /// [`BatchError`]: the first text that holds a special token that `special` forbids.
    pub fn count_each(
        &self,
        texts: &Texts<'_>,
        special: Special,
        counts: &mut [u32],
    ) -> Result<(), BatchError> {
        let sink = Count::<false> { count: 0, limit: 0 };
        self.each(texts, special, EndsOf { sink, ends: counts.iter_mut() })?;
        let mut before = 0;
        for count in counts.iter_mut().take(texts.len()) {
            before = std::mem::replace(count, *count - before);
        }
        Ok(())
    }

    /// Writes the ids of all texts to `ids`, as far as there is room, and for each text how many there
    /// are up to its end to `ends`; returns how many there are in all. Up to four places behind the last id
    /// may be overwritten, within `ids`. Allocates nothing.
    ///
    /// # Errors
    /// [`BatchError`]: the first text that holds a special token that `special` forbids.
    pub fn encode_each(
        &self,
        texts: &Texts<'_>,
        special: Special,
        ends: &mut [u32],
        ids: &mut [u32],
    ) -> Result<usize, BatchError> {
        let sink = Write::<false> { count: 0, out: ids };
        self.each(texts, special, EndsOf { sink, ends: ends.iter_mut() })
    }

    fn each<S: Sink>(
        &self,
        texts: &Texts<'_>,
        special: Special,
        mut sink: EndsOf<'_, S>,
    ) -> Result<usize, BatchError> {
        if special == Special::Error {
            for (index, text) in texts.iter().enumerate() {
                self.check(text, special).map_err(|error| BatchError::Text { index, error })?;
            }
        }
        if special == Special::Allow {
            for text in texts.iter() {
                self.with_specials(text.as_bytes(), &mut sink.sink);
                sink.end_of_text();
            }
        } else {
            self.ordinary(texts.all.as_bytes(), &texts.ranges, &mut sink);
        }
        Ok(sink.mark())
    }
}
