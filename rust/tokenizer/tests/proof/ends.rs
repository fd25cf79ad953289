//! Token ends in UTF-16 code units against the lengths of the bytes of the tokens.

use proptest::prelude::*;
use sluice_tokenizer::{Encoding, Error, SpecialTokenMode, Tokenizer};

use crate::support::oracle::DISTINCT;
use crate::support::texts::strategy;

fn ends(encoding: Encoding, text: &str, mode: SpecialTokenMode) -> Vec<u32> {
    let tokenizer = Tokenizer::get(encoding);
    let mut ends = vec![0; text.len()];
    let tokens = tokenizer.ends_into(text, mode, &mut ends).expect("no forbidden token");
    ends.truncate(tokens);
    ends
}

/// By the lengths of the bytes of the tokens, counting code units from the start each time.
fn naive(encoding: Encoding, text: &str) -> Vec<u32> {
    let tokenizer = Tokenizer::get(encoding);
    let mut end = 0;
    let ids = tokenizer.encode(text, SpecialTokenMode::Text).expect("ordinary text");
    ids.iter()
        .map(|&id| {
            end += tokenizer.token_bytes(id).expect("a token").len();
            let boundary = (0..=end).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text[..boundary].encode_utf16().count() as u32
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(2_000)))]

    #[test]
    fn of_any_text(text in strategy()) {
        for encoding in DISTINCT {
            let expected = naive(encoding, &text);
            prop_assert_eq!(&ends(encoding, &text, SpecialTokenMode::Text), &expected);
            let mut few = [7; 5];
            let tokens = Tokenizer::get(encoding).ends_into(&text, SpecialTokenMode::Text, &mut few);
            prop_assert_eq!(tokens, Ok(expected.len()));
            let written = expected.len().min(5);
            prop_assert_eq!(&few[..written], &expected[..written]);
            prop_assert!(few[written..].iter().skip(2).all(|&end| end == 7));
        }
    }
}

#[test]
fn of_special_tokens_also_where_an_id_has_two_names() {
    let text = "é<|endofprompt|><|reserved_200018|> 😀";
    let ends = ends(Encoding::O200kHarmony, text, SpecialTokenMode::Allow);
    assert_eq!(ends[..3], [1, 16, 35]);
    assert_eq!(ends.last(), Some(&(text.encode_utf16().count() as u32)));
    let forbidden =
        Tokenizer::get(Encoding::O200kHarmony).ends_into(text, SpecialTokenMode::Error, &mut []);
    assert!(matches!(forbidden, Err(Error::SpecialToken { offset: 2, .. })), "{forbidden:?}");
}
