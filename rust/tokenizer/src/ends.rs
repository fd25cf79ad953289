//! Where the tokens of a text end, in the units of a JavaScript string.

use crate::{
    error::Error,
    special::{self, Special},
    tokenizer::Tokenizer,
};

impl Tokenizer {
    /// Writes for each token of `text` where it ends to `out`, as far as there is room, and
    /// returns how many tokens they are in all.
    ///
    /// Ends are offsets in UTF-16 code units. A token that ends inside a character ends, as far as
    /// `out` is concerned, where that character begins; so every end is one where a string can be
    /// cut, they never decrease, and the last is the length of the text.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `special` forbids the special token that `text` holds.
    pub fn ends_into(&self, text: &str, special: Special, out: &mut [u32]) -> Result<usize, Error> {
        let mut walk = Walk { text: text.as_bytes(), end: 0, at: 0, units: 0 };
        if special != Special::Allow {
            let tokens = self.encode_exactly_into(text, special, out)?;
            self.ids_to_ends(&mut walk, out, 0, tokens);
            return Ok(tokens);
        }
        let (mut at, mut tokens) = (0, 0);
        loop {
            let found = special::find(self.encoding(), text.as_bytes(), at);
            let segment = &text[at..found.map_or(text.len(), |found| found.at)];
            let room = out.get_mut(tokens..).unwrap_or_default();
            let more = self.encode_exactly_into(segment, Special::Text, room)?;
            self.ids_to_ends(&mut walk, out, tokens, more);
            tokens += more;
            let Some(found) = found else { return Ok(tokens) };
            at = found.at + found.name.len();
            let end = walk.by(found.name.len());
            if let Some(place) = out.get_mut(tokens) {
                *place = end;
            }
            tokens += 1;
        }
    }

    /// Replaces ordinary ids in `out` by where they end.
    fn ids_to_ends(&self, walk: &mut Walk<'_>, out: &mut [u32], start: usize, tokens: usize) {
        let written = out.len().min(start + tokens);
        for place in out.get_mut(start..written).unwrap_or_default() {
            *place = walk.by(self.vocabulary.length(*place));
        }
    }
}

/// A walk over a text by bytes that knows how many UTF-16 units lie behind.
struct Walk<'a> {
    text: &'a [u8],
    end: usize,
    /// The last character boundary at or before `end`, and the units up to there.
    at: usize,
    units: u32,
}

impl Walk<'_> {
    fn by(&mut self, bytes: usize) -> u32 {
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
