//! The engine against `tiktoken-rs`, on small texts that reach every branch of the splitters.

use crate::{Encoding, Error, SpecialTokenMode, Tokenizer};
use tiktoken_rs::CoreBPE;

mod batch;
mod growth;
mod high_entropy;
mod merge;
mod packed_ids;
mod pretoken_cache;
mod pretokenize;
mod texts;

fn oracle(encoding: Encoding) -> &'static CoreBPE {
    match encoding {
        Encoding::R50kBase => tiktoken_rs::r50k_base_singleton(),
        Encoding::P50kBase => tiktoken_rs::p50k_base_singleton(),
        Encoding::P50kEdit => tiktoken_rs::p50k_edit_singleton(),
        Encoding::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
        Encoding::O200kBase => tiktoken_rs::o200k_base_singleton(),
        Encoding::O200kHarmony => tiktoken_rs::o200k_harmony_singleton(),
    }
}

/// Characters at the edges of the classes, and strings that the patterns treat specially.
#[rustfmt::skip]
const ATOMS: &[&str] = &[
    "a", "b", "s", "t", "A", "B", "S", "ſ", "é", "É", "ß", "Ж", "ж", "ǅ", "ʰ", "中", "文", "の", "ー",
    "ا", "\u{301}", "\u{94d}", "\u{fe0f}", "\u{200d}", "1", "2", "3", "٣", "Ⅷ", "½", " ", " ", "  ",
    "\t", "\n", "\r", "\r\n", "\u{85}", "\u{a0}", "\u{3000}", "\u{2028}", "\u{feff}", "\u{200b}",
    "'", "'", "'s", "'S", "'re", "'Ll", "'vE", "'ſ", "'m", "'d", "/", "/", ".", ",", "!", "-", "_",
    "=", "😀", "👩", "\0", "\u{1f}", "\u{1c89}", "\u{16ea0}", "the", " the", "Hello", "HTTP", "ing",
    "<|", "|>", "<|endoftext|>", "abcdefghijklmnop",
];

/// A pseudo-random generator of the xorshift family.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit
    }

    fn text(&mut self, longest: usize) -> String {
        let mut text = String::new();
        // Few different atoms in a text make runs and repetitions likely.
        let palette: Vec<&str> =
            (0..=self.below(12)).map(|_| ATOMS[self.below(ATOMS.len())]).collect();
        for _ in 0..=self.below(longest) {
            if self.below(8) == 0 {
                text.push_str(ATOMS[self.below(ATOMS.len())]);
            } else {
                text.push_str(palette[self.below(palette.len())]);
            }
        }
        text
    }
}

fn assert_same(encoding: Encoding, text: &str) {
    let tokenizer = Tokenizer::get(encoding);
    let expected = oracle(encoding).encode_ordinary(text);
    let ids = tokenizer.encode(text, SpecialTokenMode::Text).unwrap();
    assert_eq!(ids, expected, "{} on {text:?}", encoding.name());
    assert_eq!(tokenizer.count(text, SpecialTokenMode::Text), Ok(ids.len()), "count of {text:?}");
    assert_eq!(tokenizer.decode(&ids).unwrap(), text.as_bytes());
    let mut some = vec![0; ids.len() / 2];
    assert_eq!(tokenizer.encode_into(text, SpecialTokenMode::Text, &mut some), Ok(ids.len()));
    assert_eq!(some, ids[..some.len()]);
    for limit in [ids.len().saturating_sub(1), ids.len(), ids.len() + 1] {
        let within = (ids.len() <= limit).then_some(ids.len());
        assert_eq!(tokenizer.count_within(text, SpecialTokenMode::Text, limit), Ok(within));
    }
}

#[test]
fn random_texts_have_the_ids_of_tiktoken() {
    let mut numbers = Numbers(0x5EED);
    let rounds = if cfg!(debug_assertions) { 3_000 } else { 40_000 };
    for _ in 0..rounds {
        let text = numbers.text(60);
        for encoding in Encoding::ALL {
            assert_same(encoding, &text);
        }
    }
}

#[test]
fn long_runs_have_the_ids_of_tiktoken() {
    for unit in ["a", "_", "ab", "中文字", "xY", "9", "'s", "\n ", "👩\u{200d}", "e\u{301}"] {
        let text = unit.repeat(9_000 / unit.len());
        for encoding in [Encoding::R50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
            assert_same(encoding, &text);
        }
    }
    let mut numbers = Numbers(77);
    for _ in 0..20 {
        let text: String =
            (0..12_000).map(|_| char::from(b'a' + numbers.below(26) as u8)).collect();
        for encoding in [Encoding::R50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
            assert_same(encoding, &text);
        }
    }
}

#[test]
fn every_token_encodes_to_itself() {
    for encoding in
        [Encoding::R50kBase, Encoding::P50kBase, Encoding::Cl100kBase, Encoding::O200kBase]
    {
        let tokenizer = Tokenizer::get(encoding);
        for id in 0..encoding.vocab_size() {
            let Some(bytes) = tokenizer.token_bytes(id) else { continue };
            assert_eq!(tokenizer.decode(&[id]).unwrap(), bytes);
            if let Ok(text) = std::str::from_utf8(bytes) {
                assert_same(encoding, text);
            }
        }
    }
}

#[test]
fn tokens_are_not_split_within_long_pre_tokens() {
    // Each has 48 bytes.
    let long = ["Ա".repeat(24), "龜".repeat(16), "\u{fffd}".repeat(16), "\u{a7}".repeat(24)];
    let step = if cfg!(debug_assertions) { 23 } else { 1 };
    for encoding in [Encoding::P50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
        let tokenizer = Tokenizer::get(encoding);
        let texts = (0..encoding.vocab_size())
            .filter_map(|id| std::str::from_utf8(tokenizer.token_bytes(id)?).ok())
            .filter(|text| !text.is_ascii() && text.chars().nth(1).is_some());
        for (number, token) in texts.enumerate().step_by(step) {
            assert_same(encoding, &format!("{}{token}", long[number % long.len()]));
        }
    }
}

#[test]
fn random_characters_of_few_alphabets_have_the_ids_of_tiktoken() {
    let ranges = [
        0x20..0x7F,
        0xA0..0x100,
        0x300..0x370,
        0x370..0x400,
        0x400..0x460,
        0x5D0..0x5EB,
        0x620..0x660,
        0x900..0x980,
        0xD00..0xD80,
        0xE00..0xE60,
        0x2000..0x2070,
        0x3040..0x3100,
        0x4E00..0x4E80,
        0xFFFD..0xFFFE,
        0x1F600..0x1F650,
    ];
    let mut numbers = Numbers(0xA9A7);
    let rounds = if cfg!(debug_assertions) { 300 } else { 20_000 };
    for _ in 0..rounds {
        let kinds: Vec<_> =
            (0..=numbers.below(3)).map(|_| &ranges[numbers.below(ranges.len())]).collect();
        let characters = (0..1 + numbers.below(80)).filter_map(|_| {
            let kind = kinds[numbers.below(kinds.len())];
            char::from_u32((kind.start + numbers.below(kind.len())) as u32)
        });
        let text: String = characters.collect();
        for encoding in [Encoding::R50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
            assert_same(encoding, &text);
        }
    }
}

#[test]
fn special_tokens_are_text_or_special_or_an_error() {
    let mut numbers = Numbers(3);
    for encoding in Encoding::ALL {
        let tokenizer = Tokenizer::get(encoding);
        for &(name, id) in encoding.special_tokens() {
            let is_alias = name == "<|reserved_200018|>";
            assert_eq!(tokenizer.encode(name, SpecialTokenMode::Allow), Ok(vec![id]));
            if !is_alias {
                assert_eq!(tokenizer.token_bytes(id), Some(name.as_bytes()));
            }
            let text = format!("{} {name}{name} é", numbers.text(5).replace("<|endoftext|>", ""));
            let error = Error::SpecialToken { name, offset: text.find(name).unwrap() };
            assert_eq!(tokenizer.count(&text, SpecialTokenMode::Error), Err(error));
            // tiktoken-rs lacks the second name that tiktoken has for this id.
            if encoding != Encoding::O200kHarmony || name != "<|endofprompt|>" {
                let expected = oracle(encoding).encode_with_special_tokens(&text);
                assert_eq!(
                    tokenizer.encode(&text, SpecialTokenMode::Allow),
                    Ok(expected),
                    "{text:?}"
                );
            }
        }
    }
}

#[test]
fn errors_name_the_unknown_id() {
    for encoding in Encoding::ALL {
        let tokenizer = Tokenizer::get(encoding);
        let id = encoding.vocab_size();
        assert_eq!(tokenizer.decode(&[0, id]), Err(Error::UnknownToken { id, index: 1 }));
        assert_eq!(tokenizer.token_bytes(u32::MAX), None);
        assert!(tokenizer.token_bytes(id - 1).is_some());
    }
}

#[test]
fn a_split_text_has_the_same_ids() {
    let mut numbers = Numbers(0xC07);
    for _ in 0..2_000 {
        let text = numbers.text(60);
        for encoding in [Encoding::R50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
            let tokenizer = Tokenizer::get(encoding);
            let whole = tokenizer.encode(&text, SpecialTokenMode::Text).unwrap();
            let mut near = 0;
            while let Some(at) = tokenizer.cut(&text, near) {
                assert!(at >= near && at < text.len());
                let mut ids = tokenizer.encode(&text[..at], SpecialTokenMode::Text).unwrap();
                ids.extend(tokenizer.encode(&text[at..], SpecialTokenMode::Text).unwrap());
                assert_eq!(ids, whole, "{} split {text:?} at {at}", encoding.name());
                near = at + 1;
            }
        }
    }
}

#[test]
fn encodings_are_found_by_name() {
    for encoding in Encoding::ALL {
        assert_eq!(Encoding::from_name(encoding.name()), Some(encoding));
    }
    assert_eq!(Encoding::from_name("gpt2"), None);
}
