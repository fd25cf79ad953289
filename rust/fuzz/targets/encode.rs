//! Splitting and merging: the engine against the naive tokenizer, in all three modes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oracle::{naive, special_tokens};
use sluice_tokenizer::{Encoding, Error, SpecialTokenMode, Tokenizer};

#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../../tokenizer/tests/support/oracle.rs"]
mod oracle;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let encoding = Encoding::ALL[usize::from(choice) % Encoding::ALL.len()];
    let tokenizer = Tokenizer::get(encoding);
    let text = String::from_utf8_lossy(bytes);
    let special = special_tokens(encoding);

    let ordinary = naive(encoding).encode(&text);
    assert_eq!(tokenizer.encode(&text, SpecialTokenMode::Text).as_ref(), Ok(&ordinary));
    assert_eq!(tokenizer.count(&text, SpecialTokenMode::Text), Ok(ordinary.len()));
    let limit = usize::from(choice);
    let within = (ordinary.len() <= limit).then_some(ordinary.len());
    assert_eq!(tokenizer.count_within(&text, SpecialTokenMode::Text, limit), Ok(within));
    assert_eq!(tokenizer.decode(&ordinary).as_deref(), Ok(text.as_bytes()));

    let allowed = naive(encoding).encode_allowing(&text, special);
    assert_eq!(tokenizer.encode(&text, SpecialTokenMode::Allow).as_ref(), Ok(&allowed));

    let first = special.iter().filter_map(|&(name, _)| text.find(name).map(|at| (at, name))).min();
    match (tokenizer.encode(&text, SpecialTokenMode::Error), first) {
        (Err(Error::SpecialToken { name, offset }), Some(first)) => {
            assert_eq!((offset, name), first)
        }
        (Ok(ids), None) => assert_eq!(ids, ordinary),
        (answer, first) => panic!("{answer:?} where the first special token is {first:?}"),
    }
});
