//! Counting a text that arrives in parts, exactly after every part.
//!
//! Tokens are not additive: what was counted at the end of one part may change with the next. But
//! a piece that is certain to end where it does (see `breaks`) is counted once and for all; only
//! the open part behind the last such piece is counted again after each push. Nearly always that
//! is a word. Where it is a megabyte of one thing, its encoding grows with it (see `growing`), so
//! every text takes time proportional to its length however it is cut, plus O(1) for each push.

mod breaks;
mod growing;
mod suffixes;

use crate::{
    error::Error,
    special::{self, Special},
    tokenizer::Tokenizer,
    unicode::class,
};
use breaks::Breaks;
use growing::Growing;
use suffixes::Suffixes;

/// Open parts of up to this many bytes are counted anew after each push.
const SHORT: usize = 96;
/// A push is worked on in slices of this many bytes.
const SLICE: usize = 1 << 12;
/// No special token's name is longer.
const LONGEST_NAME: usize = 32;

/// The running count of a text that is pushed part by part. Made by [`Tokenizer::counter`].
pub struct Counter {
    tokenizer: &'static Tokenizer,
    special: Special,
    /// Tokens of what lies before the open part.
    settled: usize,
    /// The open part.
    open: String,
    breaks: Breaks,
    /// The open part's encoding, once it is long, and that of what would be its second piece.
    whole: Option<Growing>,
    second: Option<Second>,
    /// What may become the name of a special token.
    name: Option<Name>,
    /// The special token that made the text one that may not be.
    refused: Option<Error>,
    /// Bytes pushed so far.
    bytes: usize,
    /// Ends of pieces that a push settles, in the open part.
    ends: Vec<usize>,
}

/// The second of the two pieces that a long open part would be if the text ended.
struct Second {
    at: usize,
    /// Tokens of the first.
    before: usize,
    growing: Growing,
}

/// The text from the last `<` on.
struct Name {
    text: Vec<u8>,
    at: usize,
    /// Tokens of all that lies before.
    before: usize,
}

impl Tokenizer {
    /// A counter for a text that is pushed part by part.
    pub fn counter(&'static self, special: Special) -> Counter {
        Counter {
            tokenizer: self,
            special,
            settled: 0,
            open: String::new(),
            breaks: Breaks::new(self.encoding()),
            whole: None,
            second: None,
            name: None,
            refused: None,
            bytes: 0,
            ends: Vec::new(),
        }
    }
}

impl Counter {
    /// Adds `text` and returns the number of tokens of all that was pushed, equal to
    /// [`Tokenizer::count`] of it. Amortised O(length of `text`) for every text.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] under [`Special::Error`] once the whole holds a special token, and
    /// [`Error::OutOfMemory`] if there is none for the open part: from then on until [`Counter::reset`].
    pub fn push(&mut self, text: &str) -> Result<usize, Error> {
        match self.special {
            Special::Text => self.add(text),
            Special::Allow | Special::Error => self.add_watching(text),
        }
        self.result()
    }

    /// What [`Counter::push`] of `text` would return, without adding it: the count with an end
    /// that is not certain yet. O(length of `text`), amortised.
    ///
    /// # Errors
    /// As [`Counter::push`], for what was pushed.
    pub fn peek(&mut self, text: &str) -> Result<usize, Error> {
        // The name of a special token that `text` alone completes is not looked for: its last
        // characters are no uncertain ones.
        self.result()?;
        let (breaks, length) = (self.breaks, self.open.len());
        self.extend(text);
        self.result_of_memory()?;
        let count = self.settled + self.count_open();
        self.open.truncate(length);
        self.breaks = breaks;
        self.ends.clear();
        if let Some(whole) = &mut self.whole {
            whole.truncate(length);
        }
        match &mut self.second {
            Some(second) if second.at >= length => self.second = None,
            Some(second) => second.growing.truncate(length - second.at),
            None => {}
        }
        Ok(count)
    }

    /// Forgets all that was pushed.
    pub fn reset(&mut self) {
        self.restart(0);
        self.name = None;
        self.refused = None;
        self.bytes = 0;
    }

    /// Whether all of the open part is there.
    fn result_of_memory(&self) -> Result<(), Error> {
        if self.refused == Some(Error::OutOfMemory) { Err(Error::OutOfMemory) } else { Ok(()) }
    }

    fn result(&mut self) -> Result<usize, Error> {
        match &self.refused {
            Some(error) => Err(error.clone()),
            None => Ok(self.settled + self.count_open()),
        }
    }

    /// Begins a text of which `settled` tokens are certain already.
    fn restart(&mut self, settled: usize) {
        self.settled = settled;
        self.open.clear();
        self.breaks = Breaks::new(self.tokenizer.encoding());
        self.whole = None;
        self.second = None;
    }

    /// Adds text in which the names of special tokens mean something. A name can be cut anywhere,
    /// and what it does happens at its end: the text before it ends where the name began.
    fn add_watching(&mut self, text: &str) {
        let mut added = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte == b'<' {
                self.add(&text[added..at]);
                added = at;
                let before = self.settled + self.count_open();
                self.name = Some(Name { text: vec![byte], at: self.bytes, before });
            } else if let Some(name) = &mut self.name {
                name.text.push(byte);
                if byte == b'>'
                    && let Some(found) = special::find(self.tokenizer.encoding(), &name.text, 0)
                {
                    let (offset, before) = (name.at, name.before);
                    self.bytes += at + 1 - added;
                    added = at + 1;
                    self.name = None;
                    if self.special == Special::Error && self.refused.is_none() {
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

    /// Adds text in which the names of special tokens are text, and settles what it makes certain.
    /// Goes slice by slice, so that what is kept from push to push stays small.
    fn add(&mut self, mut text: &str) {
        self.bytes += text.len();
        while !text.is_empty() && self.result_of_memory().is_ok() {
            let mut end = text.len().min(SLICE);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let (slice, rest) = text.split_at(end);
            self.extend(slice);
            self.settle();
            text = rest;
        }
    }

    fn settle(&mut self) {
        let Some(&end) = self.ends.last() else { return };
        self.settled += self.count_ended();
        self.ends.clear();
        self.whole = match self.second.take() {
            Some(second) if second.at == end => Some(second.growing),
            _ => None,
        };
        self.open.drain(..end);
        if self.open.capacity() > 4 * SLICE && self.open.len() < SLICE {
            self.open.shrink_to(SLICE);
        }
    }

    /// Adds text to the open part and notes the pieces that end.
    fn extend(&mut self, text: &str) {
        if self.open.try_reserve(text.len()).is_err() {
            // What was pushed is lost, and so is the memory that it took.
            self.open = String::new();
            self.restart(0);
            self.refused = Some(Error::OutOfMemory);
            return;
        }
        self.open.push_str(text);
        let mut end = self.ends.last().copied().unwrap_or(0);
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            self.breaks.take(char, |length| {
                end += length;
                self.ends.push(end);
            });
            let letters = self.breaks.take_small_letters(rest.as_str().as_bytes());
            rest = rest.as_str()[letters..].chars();
        }
    }

    /// Tokens of the pieces that have ended.
    ///
    /// Neighbours are counted in one go as far as they stay pieces when the text ends behind them.
    /// White space at the end would not: it gives no character back there.
    fn count_ended(&mut self) -> usize {
        let ends = std::mem::take(&mut self.ends);
        let (mut tokens, mut run, mut start) = (0, 0, 0);
        for &end in &ends {
            let piece = &self.open[start..end];
            if piece.len() > SHORT || piece.ends_with(is_space) {
                tokens += self.count_text(run, start) + self.count_piece(start, end);
                run = end;
            }
            start = end;
        }
        tokens += self.count_text(run, start);
        self.ends = ends;
        tokens
    }

    /// Tokens of the pieces that have ended and are not settled, and of the open part if the text
    /// ends here.
    fn count_open(&mut self) -> usize {
        let (start, end) = (self.ends.last().copied().unwrap_or(0), self.open.len());
        if start > 0 {
            return self.count_ended() + self.count_text(start, end);
        }
        if end <= SHORT {
            return self.count_text(0, end);
        }
        match self.breaks.split() {
            None => self.count_piece(0, end),
            Some(at) => {
                if self.second.as_ref().is_none_or(|second| second.at != at) {
                    let before = self.count_piece(0, at);
                    self.second = Some(Second { at, before, growing: Growing::new() });
                }
                let before = self.second.as_ref().map_or(0, |second| second.before);
                before + self.count_piece(at, end)
            }
        }
    }

    /// Tokens of the piece from `start` to `end`, of any length, in time proportional to what of
    /// it is new.
    fn count_piece(&mut self, start: usize, end: usize) -> usize {
        self.count_growing(start, end).unwrap_or_else(|| self.count_text(start, end))
    }

    fn count_growing(&mut self, start: usize, end: usize) -> Option<usize> {
        let length = end - start;
        let grown = match (&self.whole, &self.second) {
            (Some(whole), _) if start == 0 => whole.length(),
            (_, Some(second)) if second.at == start => second.growing.length(),
            _ => 0,
        };
        // A piece that has ended and is nearly all new is counted faster like any other. One that
        // is open may go on growing, and then growing is worth the while.
        let has_ended = !self.ends.is_empty();
        if length <= SHORT || (has_ended && length > 2 * grown) {
            return None;
        }
        let growing = match &mut self.second {
            _ if start == 0 => self.whole.get_or_insert_with(Growing::new),
            Some(second) if second.at == start => &mut second.growing,
            _ => return None,
        };
        let vocabulary = self.tokenizer.vocabulary;
        let suffixes = Suffixes::of(self.tokenizer.encoding(), vocabulary);
        growing.count(vocabulary, suffixes, &self.open.as_bytes()[start..], length)
    }

    /// Tokens of the text from `start` to `end` if there were nothing around it.
    fn count_text(&self, start: usize, end: usize) -> usize {
        // Only forbidden special tokens fail, and none are forbidden here.
        self.tokenizer.count(&self.open[start..end], Special::Text).unwrap_or(0)
    }
}

fn is_space(char: char) -> bool {
    class(u32::from(char)).is_space()
}
