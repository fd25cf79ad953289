//! An incremental counter: the exact number of tokens of a text that arrives in parts, after every part.
//!
//! Counts are not additive, as the tokens at the end of one part may change with the next part. But a pre-token that
//! is certain to end ([`breaks`]) is counted once. Only the [open part](open_part) after the last such pre-token is
//! counted again after each push. It is nearly always a word. Where it is a megabyte without a break, its count is
//! extended with it ([`appendable`]). So a text takes time proportional to its length, however it is divided, plus
//! O(1) for each push.

mod appendable;
mod breaks;
mod open_part;
mod suffix_table;

use crate::{
    error::Error,
    tokenizer::{
        Tokenizer,
        special_tokens::{self, SpecialTokenMode},
    },
};
use open_part::OpenPart;

/// A push is processed in slices of this many bytes, so that the buffers kept between pushes stay small.
const SLICE: usize = 1 << 12;
/// An upper bound of the length of the name of a special token.
const LONGEST_NAME: usize = 32;

/// The running count of a text that is pushed part by part. Created by [`Tokenizer::counter`].
pub struct Counter {
    tokenizer: &'static Tokenizer,
    mode: SpecialTokenMode,
    /// The number of tokens before the open part.
    settled: usize,
    open: OpenPart,
    /// The text that may become the name of a special token.
    name: Option<Name>,
    /// The error of all later calls: a forbidden special token, or a lack of memory.
    refused: Option<Error>,
    /// The number of bytes pushed so far.
    bytes: usize,
}

/// The text from the last `<` on.
struct Name {
    text: Vec<u8>,
    at: usize,
    /// The number of tokens before it.
    before: usize,
}

impl Tokenizer {
    /// A counter for a text that is pushed part by part.
    pub fn counter(&'static self, mode: SpecialTokenMode) -> Counter {
        Counter {
            tokenizer: self,
            mode,
            settled: 0,
            open: OpenPart::new(self),
            name: None,
            refused: None,
            bytes: 0,
        }
    }
}

impl Counter {
    /// Appends `text` and returns the number of tokens of the whole text, which equals [`Tokenizer::count`] of it.
    /// Amortized O(length of `text`).
    ///
    /// # Errors
    /// [`Error::SpecialToken`] under [`SpecialTokenMode::Error`] once the whole text contains a special token, and
    /// [`Error::OutOfMemory`] if there is no memory for the open part. Either is returned by all calls until
    /// [`Counter::reset`].
    pub fn push(&mut self, text: &str) -> Result<usize, Error> {
        match self.mode {
            SpecialTokenMode::Text => self.add(text),
            SpecialTokenMode::Allow | SpecialTokenMode::Error => self.add_with_specials(text),
        }
        self.result()
    }

    /// The result of [`Counter::push`] of `text`, without appending it: the count with an end that is not certain
    /// yet. Amortized O(length of `text`).
    ///
    /// # Errors
    /// As [`Counter::push`], for the text pushed so far.
    pub fn peek(&mut self, text: &str) -> Result<usize, Error> {
        // Names of special tokens that `text` would complete are not searched for: the last character of a name is
        // never an uncertain one.
        self.result()?;
        match self.open.count_with(text) {
            Ok(count) => Ok(self.settled + count),
            Err(error) => {
                self.refuse(error.clone());
                Err(error)
            }
        }
    }

    /// Starts again with an empty text.
    pub fn reset(&mut self) {
        self.restart(0);
        self.name = None;
        self.refused = None;
        self.bytes = 0;
    }

    fn result(&mut self) -> Result<usize, Error> {
        match &self.refused {
            Some(error) => Err(error.clone()),
            None => Ok(self.settled + self.open.count()),
        }
    }

    /// Starts a new text after `settled` tokens.
    fn restart(&mut self, settled: usize) {
        self.settled = settled;
        self.open.clear();
    }

    /// Makes all later calls fail.
    fn refuse(&mut self, error: Error) {
        self.restart(0);
        self.refused = Some(error);
    }

    /// Appends text in which names of special tokens are not ordinary text. A name can be divided between pushes. It
    /// takes effect at its end: the text before it then ends where the name began.
    fn add_with_specials(&mut self, text: &str) {
        let mut added = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte == b'<' {
                self.add(&text[added..at]);
                added = at;
                let before = self.settled + self.open.count();
                self.name = Some(Name { text: vec![byte], at: self.bytes, before });
            } else if let Some(name) = &mut self.name {
                name.text.push(byte);
                if byte == b'>'
                    && let Some(found) =
                        special_tokens::find(self.tokenizer.encoding(), &name.text, 0)
                {
                    let (offset, before) = (name.at, name.before);
                    self.bytes += at + 1 - added;
                    added = at + 1;
                    self.name = None;
                    if self.mode == SpecialTokenMode::Error && self.refused.is_none() {
                        self.refused = Some(Error::SpecialToken { name: found.name, offset });
                    }
                    self.restart(before + 1);
                } else if name.text.len() > LONGEST_NAME {
                    self.name = None;
                }
            }
        }
        self.add(&text[added..]);
    }

    /// Appends text in which names of special tokens are ordinary text, and settles the pre-tokens that it ends.
    fn add(&mut self, mut text: &str) {
        self.bytes += text.len();
        while !text.is_empty() && self.refused != Some(Error::OutOfMemory) {
            let mut end = text.len().min(SLICE);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let (slice, rest) = text.split_at(end);
            match self.open.extend(slice) {
                Ok(()) => self.settled += self.open.take_ended(),
                Err(error) => self.refuse(error),
            }
            text = rest;
        }
    }
}
