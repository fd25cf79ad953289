//! Goldens of PyPI tiktoken as ordinary text, for all six encodings.

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

use crate::goldens::{Ordinary, read};
use crate::support::oracle::naive;

fn holds(fixture: &str, at_least: usize) {
    let goldens: Ordinary = read(fixture);
    assert!(goldens.cases.len() >= at_least, "{fixture} lost cases");
    for encoding in Encoding::ALL {
        let tokenizer = Tokenizer::get(encoding);
        for case in &goldens.cases {
            let (text, golden) = (case.text(), goldens.ids(case, encoding));
            let named = format!("{fixture} {} {text:?}", encoding.name());
            assert_eq!(
                tokenizer.encode(text, SpecialTokenMode::Text).as_deref(),
                Ok(golden),
                "{named}"
            );
            assert_eq!(tokenizer.count(text, SpecialTokenMode::Text), Ok(golden.len()), "{named}");
            assert_eq!(tokenizer.decode(golden).as_deref(), Ok(text.as_bytes()), "{named}");
            assert_eq!(naive(encoding).encode(text), golden, "the oracle is wrong: {named}");
        }
    }
}

macro_rules! goldens {
    ($($test:ident: $at_least:literal,)*) => {
        $(#[test] fn $test() { holds(concat!(stringify!($test), ".json"), $at_least) })*
    };
}

goldens! {
    hazards: 40,
    contractions: 150,
    case_runs: 300,
    whitespace: 500,
    numbers: 50,
    pairs: 800,
    mixed: 500,
    unicode_versions: 70,
    surrogates: 12,
}
