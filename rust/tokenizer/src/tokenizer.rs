//! The public face of the engine.

use crate::{
    cut,
    encoding::Encoding,
    error::Error,
    pieces::pieces,
    sink::{Count, Sink, Write},
    special::{self, Special},
    split::{Cl100k, O200k, R50k},
    vocabulary::{LONGEST_TOKEN, Vocabulary},
};
use std::{ops::Range, slice::from_ref, sync::OnceLock};

/// Encodes, counts and decodes with one encoding. See [`Tokenizer::get`].
pub struct Tokenizer {
    encoding: Encoding,
    pub(crate) vocabulary: &'static Vocabulary,
}

impl Tokenizer {
    /// The tokenizer of `encoding`.
    ///
    /// Its tables are part of the library; only a list of offsets is made, once per process, in less
    /// than a millisecond. Encodings that share a vocabulary share the tables.
    pub fn get(encoding: Encoding) -> &'static Self {
        static TOKENIZERS: [OnceLock<Tokenizer>; Encoding::ALL.len()] =
            [const { OnceLock::new() }; Encoding::ALL.len()];
        TOKENIZERS[encoding as usize]
            .get_or_init(|| Self { encoding, vocabulary: vocabulary(encoding) })
    }

    /// The encoding that this tokenizer is for.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The number of tokens of `text`. Allocates nothing.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `special` forbids the special token that `text` holds.
    pub fn count(&self, text: &str, special: Special) -> Result<usize, Error> {
        let mut sink = Count::<false> { count: 0, limit: 0 };
        self.run(text, special, &mut sink)?;
        Ok(sink.count)
    }

    /// The number of tokens of `text` if it is at most `limit`.
    ///
    /// Stops as soon as the limit is passed, and does not begin when the text is too long to have
    /// so few tokens. The whole text is searched for a forbidden special token in any case.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `special` forbids the special token that `text` holds.
    pub fn count_within(
        &self,
        text: &str,
        special: Special,
        limit: usize,
    ) -> Result<Option<usize>, Error> {
        self.check(text, special)?;
        if text.len().div_ceil(LONGEST_TOKEN) > limit {
            return Ok(None);
        }
        let mut sink = Count::<true> { count: 0, limit };
        self.run_checked(text, special, &mut sink);
        Ok((sink.count <= limit).then_some(sink.count))
    }

    /// Writes the ids of the tokens of `text` to `out` as far as there is room, and returns how
    /// many they are in all. Up to four places behind the last id may be overwritten, within `out`.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `special` forbids the special token that `text` holds.
    pub fn encode_into(
        &self,
        text: &str,
        special: Special,
        out: &mut [u32],
    ) -> Result<usize, Error> {
        let mut sink = Write::<false> { count: 0, out };
        self.run(text, special, &mut sink)?;
        Ok(sink.count)
    }

    /// As [`encode_into`](Self::encode_into), and leaves what is behind the last id as it was.
    pub(crate) fn encode_exactly_into(
        &self,
        text: &str,
        special: Special,
        out: &mut [u32],
    ) -> Result<usize, Error> {
        let mut sink = Write::<true> { count: 0, out };
        self.run(text, special, &mut sink)?;
        Ok(sink.count)
    }

    /// The ids of the tokens of `text`.
    ///
    /// # Errors
    /// [`Error::SpecialToken`] if `special` forbids the special token that `text` holds.
    pub fn encode(&self, text: &str, special: Special) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::with_capacity(text.len() / 4 + 1);
        self.run(text, special, &mut ids)?;
        Ok(ids)
    }

    /// Writes the bytes of the tokens `ids` to `out` as far as there is room, and returns how
    /// many they are in all. They need not be whole characters.
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

    /// The bytes of the tokens `ids`. They need not be whole characters.
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

    /// The bytes of the token `id`, if there is one; for a special token, its name.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.vocabulary.bytes(id).or_else(|| {
            let names = self.encoding.special_tokens();
            let at = names.partition_point(|(_, known)| *known < id);
            names.get(at).filter(|(_, known)| *known == id).map(|(name, _)| name.as_bytes())
        })
    }

    /// A place at or after byte `near`, and before the end, where `text` can be cut: under
    /// [`Special::Text`], the tokens of the two parts together are those of the text. The place
    /// is a character boundary, and the first of those that two neighbouring characters suffice
    /// to tell; none if there is none, as within one long word.
    pub fn cut(&self, text: &str, near: usize) -> Option<usize> {
        cut::cut(text, near)
    }

    /// Fails if `special` forbids the special token that `text` holds.
    pub(crate) fn check(&self, text: &str, special: Special) -> Result<(), Error> {
        if special != Special::Error {
            return Ok(());
        }
        match special::find(self.encoding, text.as_bytes(), 0) {
            Some(found) => Err(Error::SpecialToken { name: found.name, offset: found.at }),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn run<S: Sink>(&self, text: &str, special: Special, sink: &mut S) -> Result<(), Error> {
        self.check(text, special)?;
        self.run_checked(text, special, sink);
        Ok(())
    }

    #[inline(always)]
    fn run_checked<S: Sink>(&self, text: &str, special: Special, sink: &mut S) {
        match special {
            Special::Text | Special::Error => {
                self.ordinary(text.as_bytes(), from_ref(&(0..text.len())), sink);
            }
            Special::Allow => self.with_specials(text.as_bytes(), sink),
        }
    }

    /// Special tokens are cut out first; each segment between them is split alone, and is a text to the
    /// sink.
    pub(crate) fn with_specials<S: Sink>(&self, text: &[u8], sink: &mut S) {
        let mut at = 0;
        while let Some(found) = special::find(self.encoding, text, at) {
            self.ordinary(text, from_ref(&(at..found.at)), sink);
            if sink.is_satisfied() {
                return;
            }
            sink.token(found.id);
            at = found.at + found.name.len();
        }
        self.ordinary(text, from_ref(&(at..text.len())), sink);
    }

    /// The tokens of the texts that are in `all` at `ranges`.
    pub(crate) fn ordinary<S: Sink>(&self, all: &[u8], ranges: &[Range<usize>], sink: &mut S) {
        match self.encoding {
            Encoding::R50kBase | Encoding::P50kBase | Encoding::P50kEdit => {
                pieces::<R50k, S>(self.vocabulary, all, ranges, sink);
            }
            Encoding::Cl100kBase => pieces::<Cl100k, S>(self.vocabulary, all, ranges, sink),
            Encoding::O200kBase | Encoding::O200kHarmony => {
                pieces::<O200k, S>(self.vocabulary, all, ranges, sink);
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
