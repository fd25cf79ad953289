//! Every token of every vocabulary: its bytes, the encoding of its bytes, and the ids without a token.

use serde::Deserialize;
use sluice_tokenizer::{Encoding, Error, SpecialTokenMode, Tokenizer};

use crate::goldens::{Listing, read};
use crate::support::oracle::ids;

#[derive(Deserialize)]
struct Vocabularies {
    vocabularies: Vec<Vocabulary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vocabulary {
    encoding: String,
    tokens: usize,
    vocab_size: u32,
    longest_token: usize,
    not_utf8: usize,
    bytes_sha256: String,
    encode_sha256: String,
    samples: Vec<(u32, String)>,
    special: SpecialTokens,
    unknown: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SpecialTokens {
    All(Vec<(String, u32)>),
    Digest { count: usize, sha256: String },
}

fn each(check: impl Fn(&Vocabulary, Encoding, &'static Tokenizer)) {
    let goldens: Vocabularies = read("vocabularies.json");
    assert_eq!(goldens.vocabularies.len(), Encoding::ALL.len());
    for golden in &goldens.vocabularies {
        let encoding = Encoding::from_name(&golden.encoding).expect("a known encoding");
        check(golden, encoding, Tokenizer::get(encoding));
    }
}

/// Ids and bytes of the ordinary tokens, in order of their ids.
fn ordinary(encoding: Encoding) -> impl Iterator<Item = (u32, &'static [u8])> {
    let special = encoding.special_tokens();
    (0..encoding.vocab_size())
        .filter(move |id| !special.iter().any(|(_, special)| special == id))
        .filter_map(move |id| Some((id, Tokenizer::get(encoding).token_bytes(id)?)))
}

#[test]
fn every_token_has_the_bytes_of_tiktoken() {
    each(|golden, encoding, tokenizer| {
        let (mut listing, mut tokens, mut longest, mut not_utf8) = (Listing::default(), 0, 0, 0);
        for (id, bytes) in ordinary(encoding) {
            listing.bytes(id, bytes);
            tokens += 1;
            longest = longest.max(bytes.len());
            not_utf8 += usize::from(std::str::from_utf8(bytes).is_err());
        }
        for (id, hex) in &golden.samples {
            let bytes = tokenizer.token_bytes(*id).expect("a token");
            let seen: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(&seen, hex, "{} token {id}", encoding.name());
        }
        assert_eq!(tokens, golden.tokens, "{}", encoding.name());
        assert_eq!(longest, golden.longest_token, "{}", encoding.name());
        assert_eq!(not_utf8, golden.not_utf8, "{}", encoding.name());
        assert_eq!(listing.hex(), golden.bytes_sha256, "{}", encoding.name());
        assert_eq!(encoding.vocab_size(), golden.vocab_size, "{}", encoding.name());
    });
}

#[test]
fn every_token_that_is_text_has_the_encoding_of_tiktoken() {
    each(|golden, encoding, _| {
        let mut listing = Listing::default();
        for (id, bytes) in ordinary(encoding) {
            if let Ok(text) = std::str::from_utf8(bytes) {
                listing.ids(id, &ids(encoding, text));
            }
        }
        assert_eq!(listing.hex(), golden.encode_sha256, "{}", encoding.name());
    });
}

#[test]
fn every_id_decodes_alone_and_all_ids_decode_together() {
    for encoding in Encoding::ALL {
        let tokenizer = Tokenizer::get(encoding);
        let (mut known, mut joined) = (Vec::new(), Vec::new());
        for id in 0..encoding.vocab_size() {
            if let Some(bytes) = tokenizer.token_bytes(id) {
                assert_eq!(tokenizer.decode(&[id]).as_deref(), Ok(bytes));
                known.push(id);
                joined.extend_from_slice(bytes);
            }
        }
        assert_eq!(tokenizer.decode(&known), Ok(joined), "{}", encoding.name());
    }
}

#[test]
fn errors_have_the_index_of_the_unknown_id() {
    each(|golden, encoding, tokenizer| {
        assert!(!golden.unknown.is_empty());
        for &id in &golden.unknown {
            assert_eq!(tokenizer.token_bytes(id), None, "{} {id}", encoding.name());
            let refused = Err(Error::UnknownToken { id, index: 2 });
            assert_eq!(tokenizer.decode(&[0, 1, id, 2]), refused, "{} {id}", encoding.name());
            assert_eq!(
                tokenizer.decode_into(&[0, 1, id, 2], &mut [0; 64]),
                Err(Error::UnknownToken { id, index: 2 }),
                "{} {id}",
                encoding.name()
            );
        }
    });
}

#[test]
fn special_tokens_are_those_of_tiktoken() {
    each(|golden, encoding, _| {
        let mut ours: Vec<_> =
            encoding.special_tokens().iter().map(|&(name, id)| (id, name)).collect();
        ours.sort_unstable();
        match &golden.special {
            SpecialTokens::All(golden) => {
                let golden: Vec<_> = golden.iter().map(|(name, id)| (*id, name.as_str())).collect();
                assert_eq!(ours, golden, "{}", encoding.name());
            }
            SpecialTokens::Digest { count, sha256 } => {
                let mut listing = Listing::default();
                ours.iter().for_each(|&(id, name)| listing.bytes(id, name.as_bytes()));
                assert_eq!(ours.len(), *count, "{}", encoding.name());
                assert_eq!(&listing.hex(), sha256, "{}", encoding.name());
            }
        }
    });
}

#[test]
fn special_ids_decode_to_their_names() {
    for encoding in Encoding::ALL {
        let tokenizer = Tokenizer::get(encoding);
        for &(name, id) in encoding.special_tokens() {
            // Id 200018 of o200k_harmony has two names, and decodes to the one with a meaning.
            let name = if id == 200_018 { "<|endofprompt|>" } else { name };
            assert_eq!(tokenizer.token_bytes(id), Some(name.as_bytes()), "{}", encoding.name());
            assert_eq!(tokenizer.encode(name, SpecialTokenMode::Allow), Ok(vec![id]), "{name}");
        }
    }
}

#[test]
fn names_of_encodings_round_trip() {
    for encoding in Encoding::ALL {
        assert_eq!(Encoding::from_name(encoding.name()), Some(encoding));
    }
    for wrong in ["", "o200k", "O200K_BASE", "o200k_base ", "gpt2"] {
        assert_eq!(Encoding::from_name(wrong), None, "{wrong:?}");
    }
}
