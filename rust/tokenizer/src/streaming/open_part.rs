//! The open part of a growing text: the pre-tokens at its end that later text may change, and their token count.

use super::{appendable::AppendableCount, breaks::Breaks, suffix_table::SuffixTable};
use crate::{
    error::Error,
    tokenizer::{Tokenizer, special_tokens::SpecialTokenMode},
    unicode::class,
};

/// Open parts of up to this many bytes are counted anew each time.
const SHORT: usize = 96;
/// A buffer of more than four times this size is shrunk to this size when it is no longer needed.
const USUAL_CAPACITY: usize = 1 << 12;

/// The open part.
pub(super) struct OpenPart {
    tokenizer: &'static Tokenizer,
    text: String,
    breaks: Breaks,
    /// The ends of the pre-tokens that have ended since the last call of [`take_ended`](Self::take_ended).
    ends: Vec<usize>,
    /// The count of the open part as one pre-token, once it is long.
    whole: Option<AppendableCount>,
    /// The count of the second of two pre-tokens, if the open part would be two.
    second: Option<Second>,
}

/// The second of the two pre-tokens that a long open part would be if the text ended.
struct Second {
    at: usize,
    /// The number of tokens of the first.
    before: usize,
    count: AppendableCount,
}

impl OpenPart {
    /// An empty open part.
    pub(super) fn new(tokenizer: &'static Tokenizer) -> Self {
        Self {
            tokenizer,
            text: String::new(),
            breaks: Breaks::new(tokenizer.encoding()),
            ends: Vec::new(),
            whole: None,
            second: None,
        }
    }

    /// Drops the text.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.breaks = Breaks::new(self.tokenizer.encoding());
        self.ends.clear();
        self.whole = None;
        self.second = None;
    }

    /// Appends text, and records the ends of pre-tokens.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], after which the open part is empty.
    pub(super) fn extend(&mut self, text: &str) -> Result<(), Error> {
        if self.text.try_reserve(text.len()).is_err() {
            // Free the memory as well.
            self.text = String::new();
            self.clear();
            return Err(Error::OutOfMemory);
        }
        self.text.push_str(text);
        let mut end = self.ends.last().copied().unwrap_or(0);
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            self.breaks.take(char, |length| {
                end += length;
                self.ends.push(end);
            });
            let letters = self.breaks.take_lower_case(rest.as_str().as_bytes());
            rest = rest.as_str()[letters..].chars();
        }
        Ok(())
    }

    /// The number of tokens of the pre-tokens that have ended, which are removed.
    pub(super) fn take_ended(&mut self) -> usize {
        let Some(&end) = self.ends.last() else { return 0 };
        let tokens = self.count_ended();
        self.ends.clear();
        self.whole = match self.second.take() {
            Some(second) if second.at == end => Some(second.count),
            _ => None,
        };
        self.text.drain(..end);
        if self.text.capacity() > 4 * USUAL_CAPACITY && self.text.len() < USUAL_CAPACITY {
            self.text.shrink_to(USUAL_CAPACITY);
        }
        tokens
    }

    /// The number of tokens with `text` appended, which is removed again.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], after which the open part is empty.
    pub(super) fn count_with(&mut self, text: &str) -> Result<usize, Error> {
        let (breaks, length) = (self.breaks, self.text.len());
        self.extend(text)?;
        let count = self.count();
        self.text.truncate(length);
        self.breaks = breaks;
        self.ends.clear();
        if let Some(whole) = &mut self.whole {
            whole.truncate(length);
        }
        match &mut self.second {
            Some(second) if second.at >= length => self.second = None,
            Some(second) => second.count.truncate(length - second.at),
            None => {}
        }
        Ok(count)
    }

    /// The number of tokens if the text ends here.
    pub(super) fn count(&mut self) -> usize {
        let (start, end) = (self.ends.last().copied().unwrap_or(0), self.text.len());
        if start > 0 {
            return self.count_ended() + self.count_text(start, end);
        }
        if end <= SHORT {
            return self.count_text(0, end);
        }
        match self.breaks.split() {
            None => self.count_pre_token(0, end),
            Some(at) => {
                if self.second.as_ref().is_none_or(|second| second.at != at) {
                    let before = self.count_pre_token(0, at);
                    self.second = Some(Second { at, before, count: AppendableCount::new() });
                }
                let before = self.second.as_ref().map_or(0, |second| second.before);
                before + self.count_pre_token(at, end)
            }
        }
    }

    /// The number of tokens of the pre-tokens that have ended.
    ///
    /// Consecutive ones are counted as one text as long as they stay the same pre-tokens when the text ends after
    /// them. White space at the end does not: there, its last character belongs to it.
    fn count_ended(&mut self) -> usize {
        let ends = std::mem::take(&mut self.ends);
        let (mut tokens, mut run, mut start) = (0, 0, 0);
        for &end in &ends {
            let pre_token = &self.text[start..end];
            if pre_token.len() > SHORT || pre_token.ends_with(is_space) {
                tokens += self.count_text(run, start) + self.count_pre_token(start, end);
                run = end;
            }
            start = end;
        }
        tokens += self.count_text(run, start);
        self.ends = ends;
        tokens
    }

    /// The number of tokens of the pre-token from `start` to `end`, of any length. O(new bytes).
    fn count_pre_token(&mut self, start: usize, end: usize) -> usize {
        self.count_appended(start, end).unwrap_or_else(|| self.count_text(start, end))
    }

    fn count_appended(&mut self, start: usize, end: usize) -> Option<usize> {
        let length = end - start;
        let counted = match (&self.whole, &self.second) {
            (Some(whole), _) if start == 0 => whole.length(),
            (_, Some(second)) if second.at == start => second.count.length(),
            _ => 0,
        };
        // A pre-token that has ended and is mostly new is counted faster like any other. One that is open may be
        // extended, and then an appendable count saves time.
        let has_ended = !self.ends.is_empty();
        if length <= SHORT || (has_ended && length > 2 * counted) {
            return None;
        }
        let count = match &mut self.second {
            _ if start == 0 => self.whole.get_or_insert_with(AppendableCount::new),
            Some(second) if second.at == start => &mut second.count,
            _ => return None,
        };
        let vocabulary = self.tokenizer.vocabulary;
        let suffixes = SuffixTable::of(self.tokenizer.encoding(), vocabulary);
        count.count(vocabulary, suffixes, &self.text.as_bytes()[start..], length)
    }

    /// The number of tokens of the text from `start` to `end`, as a text of its own.
    fn count_text(&self, start: usize, end: usize) -> usize {
        // Only a forbidden special token fails, and none is forbidden here.
        self.tokenizer.count(&self.text[start..end], SpecialTokenMode::Text).unwrap_or(0)
    }
}

fn is_space(char: char) -> bool {
    class(u32::from(char)).is_space()
}
