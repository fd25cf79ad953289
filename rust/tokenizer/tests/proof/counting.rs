//! `count`, `count_within`, `encode_into` and `decode_into` against `encode` and `decode`.

use proptest::prelude::*;
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

use crate::support::pathological::{MAKERS, prose};
use crate::support::texts::strategy;

/// The number of elements after the ids that may be overwritten.
const SPILL: usize = 6;
/// Marks the elements of a buffer that must not be written.
const UNTOUCHED: u32 = 0xdead_beef;

fn agrees(encoding: Encoding, text: &str, special: SpecialTokenMode) {
    let tokenizer = Tokenizer::get(encoding);
    let ids = tokenizer.encode(text, special).expect("no error in these modes");
    let total = ids.len();
    let named = format!("{} {:.80?} {total} tokens", encoding.name(), text);

    assert_eq!(tokenizer.count(text, special), Ok(total), "{named}");
    for limit in [0, 1, total / 2, total.saturating_sub(1), total, total + 1, usize::MAX] {
        let expected = (total <= limit).then_some(total);
        let within = tokenizer.count_within(text, special, limit);
        assert_eq!(within, Ok(expected), "limit {limit}: {named}");
    }
    for room in [0, 1, total / 2, total.saturating_sub(1), total, total + 3, total + 9] {
        let mut buffer = vec![UNTOUCHED; room];
        let needed = tokenizer.encode_into(text, special, &mut buffer);
        assert_eq!(needed, Ok(total), "room {room}: {named}");
        let written = room.min(total);
        assert_eq!(buffer[..written], ids[..written], "room {room}: {named}");
        assert!(
            buffer.iter().skip(written + SPILL).all(|&id| id == UNTOUCHED),
            "room {room}: {named}"
        );
    }
    for room in [0, 1, text.len() / 2, text.len().saturating_sub(1), text.len(), text.len() + 3] {
        let mut buffer = vec![0xaa; room];
        let needed = tokenizer.decode_into(&ids, &mut buffer);
        assert_eq!(needed, Ok(text.len()), "room {room}: {named}");
        if room >= text.len() {
            assert_eq!(&buffer[..text.len()], text.as_bytes(), "room {room}: {named}");
            assert!(buffer[text.len()..].iter().all(|&byte| byte == 0xaa), "room {room}: {named}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(500)))]

    #[test]
    fn short_texts(text in strategy()) {
        for encoding in Encoding::ALL {
            agrees(encoding, &text, SpecialTokenMode::Text);
            agrees(encoding, &text, SpecialTokenMode::Allow);
        }
    }
}

#[test]
fn long_texts() {
    for encoding in Encoding::ALL {
        agrees(encoding, &prose(5_000), SpecialTokenMode::Text);
        for (_, make) in MAKERS {
            agrees(encoding, &make(1_000), SpecialTokenMode::Text);
        }
    }
}

#[test]
fn the_empty_text_has_no_tokens() {
    for encoding in Encoding::ALL {
        let tokenizer = Tokenizer::get(encoding);
        assert_eq!(tokenizer.encode("", SpecialTokenMode::Error), Ok(vec![]));
        assert_eq!(tokenizer.count_within("", SpecialTokenMode::Text, 0), Ok(Some(0)));
        assert_eq!(tokenizer.decode(&[]), Ok(vec![]));
        assert_eq!(tokenizer.decode_into(&[], &mut []), Ok(0));
    }
}
