//! `cut` promises that encoding both halves apart changes nothing.

use proptest::prelude::*;
use sluice_tokenizer::{Encoding, Tokenizer};

use crate::support::oracle::{DISTINCT, ids};
use crate::support::pathological::{MAKERS, prose};
use crate::support::texts::{ATOMS, strategy};

/// Fails if `cut` breaks its promise near byte `near`.
fn keeps_promise(encoding: Encoding, text: &str, near: usize) -> Option<usize> {
    let at = Tokenizer::get(encoding).cut(text, near)?;
    let named = format!("{} cut at {at}, asked near {near}: {text:.200?}", encoding.name());
    assert!(text.is_char_boundary(at), "not a character boundary: {named}");
    let mut halves = ids(encoding, &text[..at]);
    halves.extend(ids(encoding, &text[at..]));
    assert_eq!(halves, ids(encoding, text), "{named}");
    Some(at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(1_000)))]

    #[test]
    fn every_place_of_a_short_text(text in strategy()) {
        for encoding in DISTINCT {
            for near in 0..=text.len() {
                keeps_promise(encoding, &text, near);
            }
        }
    }

    #[test]
    fn beyond_the_end_is_no_reason_to_panic(text in strategy(), beyond in any::<usize>()) {
        for encoding in DISTINCT {
            keeps_promise(encoding, &text, text.len().saturating_add(beyond));
        }
    }
}

/// All texts of four atoms around one place, where only two of them can see each other.
#[test]
fn every_pair_of_atoms() {
    for encoding in DISTINCT {
        for left in ATOMS {
            for right in ATOMS {
                let text = format!("a{left}{right}b 1");
                for near in 0..=text.len() {
                    keeps_promise(encoding, &text, near);
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
                keeps_promise(encoding, &text, near);
            }
        }
    }
}

/// A promise that is kept by never cutting would be worth nothing.
#[test]
fn prose_can_be_cut_anywhere() {
    let text = prose(20_000);
    for encoding in Encoding::ALL {
        for near in (200..text.len() - 200).step_by(997) {
            let at = keeps_promise(encoding, &text, near).expect("a cut in prose");
            assert!(at.abs_diff(near) <= 200, "{} asked {near}, got {at}", encoding.name());
        }
    }
}
