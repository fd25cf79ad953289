//! Differential tests on generated texts: engine, reference and naive tokenizer, for every encoding.

use proptest::prelude::*;
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

use crate::support::oracle::{DISTINCT, assert_exact, ids, naive, reference_ids};
use crate::support::texts::{Rng, fill, fill_blocks, strategy};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(2_000)))]

    /// All encodings in turn tokenize the same text, which would reveal a cache entry of one encoding that is used
    /// for another.
    #[test]
    fn texts_full_of_boundaries(text in strategy()) {
        for encoding in Encoding::ALL {
            assert_exact(encoding, &text);
        }
    }

    #[test]
    fn any_unicode(text in "\\PC{0,40}") {
        for encoding in Encoding::ALL {
            assert_exact(encoding, &text);
        }
    }

    #[test]
    fn two_texts_in_one_are_not_confused_with_their_parts(a in strategy(), b in strategy()) {
        for encoding in DISTINCT {
            for text in [&a, &b, &format!("{a}{b}"), &a] {
                prop_assert_eq!(ids(encoding, text), naive(encoding).encode(text));
            }
        }
    }

    #[test]
    fn decoding_returns_the_text(text in strategy()) {
        for encoding in Encoding::ALL {
            let tokenizer = Tokenizer::get(encoding);
            for special in [SpecialTokenMode::Text, SpecialTokenMode::Allow] {
                let ids = tokenizer.encode(&text, special).expect("no error in these modes");
                let decoded = tokenizer.decode(&ids).expect("ids of the engine's own");
                prop_assert_eq!(decoded.as_slice(), text.as_bytes());
            }
        }
    }
}

/// Texts of several blocks, which may begin within a pre-token.
#[test]
fn texts_of_wide_characters_over_several_blocks() {
    let mut text = String::new();
    for seed in 0..60_000 {
        text.clear();
        fill_blocks(&mut Rng(seed), &mut text);
        for encoding in DISTINCT {
            let reference = reference_ids(encoding, &text).expect("short texts never overflow");
            assert_eq!(ids(encoding, &text), reference, "{} {text:?}", encoding.name());
        }
    }
}

/// More distinct pre-tokens than the caches hold, each twice with many others in between.
#[test]
fn cached_pre_tokens_stay_right_when_the_cache_overflows() {
    let texts: Vec<String> = (0..40_000)
        .map(|seed| {
            let mut text = String::new();
            fill(&mut Rng(seed / 2 * 0x9e37), &mut text);
            text
        })
        .collect();
    for encoding in DISTINCT {
        for text in texts.iter().step_by(2).chain(texts.iter().skip(1).step_by(2)) {
            let reference = reference_ids(encoding, text).expect("short texts never overflow");
            assert_eq!(ids(encoding, text), reference, "{} {text:?}", encoding.name());
        }
    }
}
