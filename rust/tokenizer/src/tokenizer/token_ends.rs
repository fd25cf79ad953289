//! The offsets at which the tokens of a text end, in UTF-16 code units.

use super::{
    Tokenizer,
    special_tokens::{self, SpecialTokenMode},
};
use crate::error::Error;

impl Tokenizer {
    /// Writes the offset at which each token of `text` ends to `out`, as far as there is room, and returns the total
    /// number of tokens. O(n).
    ///
    /// Offsets are in UTF-16 code units, as in JavaScript strings. A token that ends within a character counts as
    /// ending where that character begins. So a string can be split at every offset, the offsets never decrease, and
    /// the last one is the length of the text.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `mode` forbids the special token that `text` contains.
    pub fn ends_into(
        &self,
        text: &str,
        mode: SpecialTokenMode,
        out: &mut [u32],
    ) -> Result<usize, Error> {
        let mut walk = Walk { text: text.as_bytes(), end: 0, at: 0, units: 0 };
        if mode != SpecialTokenMode::Allow {
            let tokens = self.encode_exactly_into(text, mode, out)?;
            self.ids_to_ends(&mut walk, out, 0, tokens);
            return Ok(tokens);
        }
        let (mut at, mut tokens) = (0, 0);
        loop {
            let found = special_tokens::find(self.encoding(), text.as_bytes(), at);
            let segment = &text[at..found.map_or(text.len(), |found| found.at)];
            let room = out.get_mut(tokens..).unwrap_or_default();
            let more = self.encode_exactly_into(segment, SpecialTokenMode::Text, room)?;
            self.ids_to_ends(&mut walk, out, tokens, more);
            tokens += more;
            let Some(found) = found else { return Ok(tokens) };
            at = found.at + found.name.len();
            let end = walk.advance(found.name.len());
            if let Some(element) = out.get_mut(tokens) {
                *element = end;
            }
            tokens += 1;
        }
    }

    /// Replaces ordinary ids in `out` by the offsets at which they end.
    fn ids_to_ends(&self, walk: &mut Walk<'_>, out: &mut [u32], start: usize, tokens: usize) {
        let written = out.len().min(start + tokens);
        for element in out.get_mut(start..written).unwrap_or_default() {
            *element = walk.advance(self.vocabulary.length(*element));
        }
    }
}

/// A walk over a text by bytes that counts UTF-16 code units.
struct Walk<'a> {
    text: &'a [u8],
    end: usize,
    /// The last character boundary at or before `end`.
    at: usize,
    /// The number of code units before `at`.
    units: u32,
}

impl Walk<'_> {
    /// Advances by a number of bytes and returns the code units up to the last character boundary.
    fn advance(&mut self, bytes: usize) -> u32 {
        self.end += bytes;
        while let Some(&first) = self.text.get(self.at) {
            let width = match first {
                ..0x80 => 1,
                0x80..0xE0 => 2,
                0xE0..0xF0 => 3,
                0xF0.. => 4,
            };
            if self.at + width > self.end {
                break;
            }
            self.at += width;
            self.units += if width == 4 { 2 } else { 1 };
        }
        self.units
    }
}
