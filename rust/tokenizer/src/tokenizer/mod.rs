//! The public interface of the engine: counting, encoding and decoding with one encoding.

pub(crate) mod encoding;
pub(crate) mod special_tokens;
mod token_ends;

use crate::{
    engine::tokenize,
    error::Error,
    pretokenize::{Cl100k, O200k, R50k, safe_split},
    sink::{Count, Sink, Write},
    vocab::{LONGEST_TOKEN, Vocabulary},
};
use encoding::Encoding;
use special_tokens::SpecialTokenMode;
use std::{ops::Range, slice::from_ref, sync::OnceLock};

/// Encodes, counts and decodes with one encoding. See [`Tokenizer::get`].
pub struct Tokenizer {
    encoding: Encoding,
    pub(crate) vocabulary: &'static Vocabulary,
}

impl Tokenizer {
    /// The tokenizer of `encoding`.
    ///
    /// Its tables are part of the library. Only a list of offsets is computed, once per process, in less than a
    /// millisecond. Encodings with the same vocabulary share the tables.
    pub fn get(encoding: Encoding) -> &'static Self {
        static TOKENIZERS: [OnceLock<Tokenizer>; Encoding::ALL.len()] =
            [const { OnceLock::new() }; Encoding::ALL.len()];
        TOKENIZERS[encoding as usize]
            .get_or_init(|| Self { encoding, vocabulary: vocabulary(encoding) })
    }

    /// The encoding of this tokenizer.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The number of tokens of `text`. Allocates nothing. O(n).
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `mode` forbids the special token that `text` contains.
    pub fn count(&self, text: &str, mode: SpecialTokenMode) -> Result<usize, Error> {
        let mut sink = Count::<false> { count: 0, limit: 0 };
        self.check(text, mode)?;
        self.feed(text, mode, &mut sink);
        Ok(sink.count)
    }

    /// The number of tokens of `text` if it is at most `limit`.
    ///
    /// Stops as soon as the count exceeds the limit, and does not start if the text is too long to have so few
    /// tokens. The whole text is searched for a forbidden special token in any case. O(n).
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `mode` forbids the special token that `text` contains.
    pub fn count_within(
        &self,
        text: &str,
        mode: SpecialTokenMode,
        limit: usize,
    ) -> Result<Option<usize>, Error> {
        self.check(text, mode)?;
        if text.len().div_ceil(LONGEST_TOKEN) > limit {
            return Ok(None);
        }
        let mut sink = Count::<true> { count: 0, limit };
        self.feed(text, mode, &mut sink);
        Ok((sink.count <= limit).then_some(sink.count))
    }

    /// Writes the ids of the tokens of `text` to `out`, as far as there is room, and returns their total number. Up
    /// to four elements after the last id may be overwritten, within `out`. O(n).
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `mode` forbids the special token that `text` contains.
    pub fn encode_into(
        &self,
        text: &str,
        mode: SpecialTokenMode,
        out: &mut [u32],
    ) -> Result<usize, Error> {
        let mut sink = Write::<false> { count: 0, out };
        self.check(text, mode)?;
        self.feed(text, mode, &mut sink);
        Ok(sink.count)
    }

    /// As [`encode_into`](Self::encode_into), but overwrites nothing after the last id.
    fn encode_exactly_into(
        &self,
        text: &str,
        mode: SpecialTokenMode,
        out: &mut [u32],
    ) -> Result<usize, Error> {
        let mut sink = Write::<true> { count: 0, out };
        self.check(text, mode)?;
        self.feed(text, mode, &mut sink);
        Ok(sink.count)
    }

    /// The ids of the tokens of `text`. O(n).
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `mode` forbids the special token that `text` contains.
    pub fn encode(&self, text: &str, mode: SpecialTokenMode) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::with_capacity(text.len() / 4 + 1);
        self.check(text, mode)?;
        self.feed(text, mode, &mut ids);
        Ok(ids)
    }

    /// Writes the bytes of the tokens `ids` to `out`, as far as there is room, and returns their total number. They
    /// may begin and end within a character. O(n).
    ///
    /// # Errors
    /// [`Error::UnknownToken`] for the first id that has no token.
    pub fn decode_into(&self, ids: &[u32], out: &mut [u8]) -> Result<usize, Error> {
        let mut end = 0;
        for (index, &id) in ids.iter().enumerate() {
            let bytes = self.token_bytes(id).ok_or(Error::UnknownToken { id, index })?;
            let room = out.get_mut(end..).unwrap_or_default();
            let fits = bytes.len().min(room.len());
            room[..fits].copy_from_slice(&bytes[..fits]);
            end += bytes.len();
        }
        Ok(end)
    }

    /// The bytes of the tokens `ids`. They may begin and end within a character. O(n).
    ///
    /// # Errors
    /// [`Error::UnknownToken`] for the first id that has no token.
    pub fn decode(&self, ids: &[u32]) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(ids.len() * 5);
        for (index, &id) in ids.iter().enumerate() {
            bytes.extend_from_slice(self.token_bytes(id).ok_or(Error::UnknownToken { id, index })?);
        }
        Ok(bytes)
    }

    /// The bytes of the token `id`; for a special token, its name. `None` if the id has no token. O(1).
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.vocabulary.bytes(id).or_else(|| {
            let names = self.encoding.special_tokens();
            let at = names.partition_point(|(_, known)| *known < id);
            names.get(at).filter(|(_, known)| *known == id).map(|(name, _)| name.as_bytes())
        })
    }

    /// An offset at or after byte `near`, and before the end, where `text` can be split: under
    /// [`SpecialTokenMode::Text`], the tokens of the two parts together are those of the text. The offset is a
    /// character boundary, and the first that two neighbouring characters suffice to prove. `None` if there is none,
    /// as within one long word. O(distance to the offset).
    pub fn cut(&self, text: &str, near: usize) -> Option<usize> {
        safe_split(text, near)
    }

    /// Fails if `mode` forbids the special token that `text` contains. O(n).
    ///
    /// # Errors
    /// [`Error::SpecialToken`] for the first special token.
    pub fn check(&self, text: &str, mode: SpecialTokenMode) -> Result<(), Error> {
        if mode != SpecialTokenMode::Error {
            return Ok(());
        }
        match special_tokens::find(self.encoding, text.as_bytes(), 0) {
            Some(found) => Err(Error::SpecialToken { name: found.name, offset: found.at }),
            None => Ok(()),
        }
    }

    /// Passes the tokens of a text that has been [checked](Self::check) to `sink`.
    #[inline(always)]
    fn feed<S: Sink>(&self, text: &str, mode: SpecialTokenMode, sink: &mut S) {
        match mode {
            SpecialTokenMode::Text | SpecialTokenMode::Error => {
                self.feed_ordinary(text.as_bytes(), from_ref(&(0..text.len())), sink);
            }
            SpecialTokenMode::Allow => self.feed_with_specials(text.as_bytes(), sink),
        }
    }

    /// Splits `text` at its special tokens first. Each segment between them is tokenized alone, and is a text to the
    /// sink.
    pub(crate) fn feed_with_specials<S: Sink>(&self, text: &[u8], sink: &mut S) {
        let mut at = 0;
        while let Some(found) = special_tokens::find(self.encoding, text, at) {
            self.feed_ordinary(text, from_ref(&(at..found.at)), sink);
            if sink.is_satisfied() {
                return;
            }
            sink.token(found.id);
            at = found.at + found.name.len();
        }
        self.feed_ordinary(text, from_ref(&(at..text.len())), sink);
    }

    /// Passes the tokens of the texts `all[range]`, for each of `ranges`, to `sink`. Special tokens are ordinary
    /// text.
    pub(crate) fn feed_ordinary<S: Sink>(&self, all: &[u8], ranges: &[Range<usize>], sink: &mut S) {
        match self.encoding {
            Encoding::R50kBase | Encoding::P50kBase | Encoding::P50kEdit => {
                tokenize::<R50k, S>(self.vocabulary, all, ranges, sink);
            }
            Encoding::Cl100kBase => tokenize::<Cl100k, S>(self.vocabulary, all, ranges, sink),
            Encoding::O200kBase | Encoding::O200kHarmony => {
                tokenize::<O200k, S>(self.vocabulary, all, ranges, sink);
            }
        }
    }
}

fn vocabulary(encoding: Encoding) -> &'static Vocabulary {
    static R50K: OnceLock<Vocabulary> = OnceLock::new();
    static P50K: OnceLock<Vocabulary> = OnceLock::new();
    static CL100K: OnceLock<Vocabulary> = OnceLock::new();
    static O200K: OnceLock<Vocabulary> = OnceLock::new();
    match encoding {
        Encoding::R50kBase => R50K.get_or_init(Vocabulary::r50k),
        Encoding::P50kBase | Encoding::P50kEdit => P50K.get_or_init(Vocabulary::p50k),
        Encoding::Cl100kBase => CL100K.get_or_init(Vocabulary::cl100k),
        Encoding::O200kBase | Encoding::O200kHarmony => O200K.get_or_init(Vocabulary::o200k),
    }
}
