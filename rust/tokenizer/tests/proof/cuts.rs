//! Safe splits: the tokens of the two parts of a text are those of the text.

use proptest::prelude::*;
use sluice_tokenizer::{Encoding, Tokenizer};

use crate::support::oracle::{DISTINCT, ids};
use crate::support::pathological::{MAKERS, prose};
use crate::support::texts::{ATOMS, strategy};

/// Fails if the offset that `cut` returns near byte `near` changes the tokens.
fn assert_safe(encoding: Encoding, text: &str, near: usize) -> Option<usize> {
    let at = Tokenizer::get(encoding).cut(text, near)?;
    let named = format!("{} split at {at}, near {near}: {text:.200?}", encoding.name());
    assert!(text.is_char_boundary(at), "not a character boundary: {named}");
    let mut halves = ids(encoding, &text[..at]);
    halves.extend(ids(encoding, &text[at..]));
    assert_eq!(halves, ids(encoding, text), "{named}");
    Some(at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(1_000)))]

    #[test]
    fn every_offset_of_a_short_text(text in strategy()) {
        for encoding in DISTINCT {
            for near in 0..=text.len() {
                assert_safe(encoding, &text, near);
            }
        }
    }

    #[test]
    fn offsets_beyond_the_end_do_not_panic(text in strategy(), beyond in any::<usize>()) {
        for encoding in DISTINCT {
            assert_safe(encoding, &text, text.len().saturating_add(beyond));
        }
    }
}

/// All pairs of atoms between two others, as `cut` examines two neighbouring characters.
#[test]
fn every_pair_of_atoms() {
    for encoding in DISTINCT {
        for left in ATOMS {
            for right in ATOMS {
                let text = format!("a{left}{right}b 1");
                for near in 0..=text.len() {
                    assert_safe(encoding, &text, near);
                }
            }
        }
    }
}

#[test]
fn pathological_texts() {
    for encoding in DISTINCT {
        for (_, make) in MAKERS {
            let text = make(2_000);
            for near in (0..text.len()).step_by(97) {
                assert_safe(encoding, &text, near);
            }
        }
    }
}

/// Prose has a safe split near every offset.
#[test]
fn prose_can_be_split_anywhere() {
    let text = prose(20_000);
    for encoding in Encoding::ALL {
        for near in (200..text.len() - 200).step_by(997) {
            let at = assert_safe(encoding, &text, near).expect("a split in prose");
            assert!(at.abs_diff(near) <= 200, "{} near {near}: {at}", encoding.name());
        }
    }
}
