//! Hostile inputs of a megabyte: no panic, and the ids of the oracles.

use sluice_tokenizer::{SpecialTokenMode, Tokenizer};

use crate::support::oracle::{DISTINCT, ids, naive, reference_ids};
use crate::support::pathological::MAKERS;

/// Unoptimised oracles need seconds for a megabyte of some kinds.
const SIZE: usize = if cfg!(debug_assertions) { 1 << 16 } else { 1 << 20 };

#[test]
fn ids_are_those_of_the_oracles() {
    let mut by_reference = 0;
    for encoding in DISTINCT {
        for (name, make) in MAKERS {
            let text = make(SIZE);
            let engine = ids(encoding, &text);
            // Not `assert_eq!`, which would print a megabyte of ids.
            assert!(engine == naive(encoding).encode(&text), "{} {name}", encoding.name());
            if let Some(reference) = reference_ids(encoding, &text) {
                assert!(engine == reference, "{} {name}: reference", encoding.name());
                by_reference += 1;
            }
        }
    }
    assert!(by_reference > DISTINCT.len() * MAKERS.len() / 2, "the reference failed too often");
}

#[test]
fn white_space_before_anything() {
    for encoding in DISTINCT {
        for unit in [" ", "\t", "\n", "\r\n", "\u{a0}", "\u{3000}"] {
            for tail in ["", "x", " ", "\n", "\nx"] {
                let text = unit.repeat(SIZE / unit.len()) + tail;
                let engine = ids(encoding, &text);
                let named = format!("{} {unit:?} {tail:?}", encoding.name());
                assert!(engine == naive(encoding).encode(&text), "{named}");
            }
        }
    }
}

/// The reference panics on these, and so does tiktoken 0.14, as their regular expressions overflow the stack.
#[test]
fn a_megabyte_of_white_space_is_tokenized() {
    for encoding in DISTINCT {
        let tokenizer = Tokenizer::get(encoding);
        for (unit, tail) in [(" ", ""), (" ", "x"), ("\t", "x"), ("\u{a0}", "x")] {
            let text = unit.repeat((1 << 20) / unit.len()) + tail;
            let engine = ids(encoding, &text);
            let named = format!("{} {unit:?} {tail:?}", encoding.name());
            assert_eq!(tokenizer.count(&text, SpecialTokenMode::Text), Ok(engine.len()), "{named}");
            assert!(tokenizer.decode(&engine).as_deref() == Ok(text.as_bytes()), "{named}");
        }
    }
}
