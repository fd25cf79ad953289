//! Measures the cost of a push of a counter: `cargo run --release -p sluice-tokenizer --example streamed`.

use std::time::Instant;

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

#[path = "../tests/support/mod.rs"]
mod support;
use support::pathological::{MAKERS, prose};

const SIZE: usize = 1 << 20;

/// The milliseconds for pushing `text` in parts of `most` characters, and the number of pushes.
fn time(encoding: Encoding, text: &str, most: usize) -> (f64, usize) {
    let mut counter = Tokenizer::get(encoding).counter(SpecialTokenMode::Text);
    let start = Instant::now();
    let (mut count, mut pushes, mut rest) = (Ok(0), 0, text);
    while !rest.is_empty() {
        let length = rest.char_indices().nth(most).map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at(length);
        count = counter.push(part);
        pushes += 1;
        rest = after;
    }
    let elapsed = start.elapsed().as_secs_f64() * 1e3;
    assert_eq!(count, Tokenizer::get(encoding).count(text, SpecialTokenMode::Text));
    (elapsed, pushes)
}

fn main() {
    for encoding in [Encoding::R50kBase, Encoding::Cl100kBase, Encoding::O200kBase] {
        println!("{}, 1 MiB: ms by 1, by 4, at once; ns a push of 4", encoding.name());
        let texts = MAKERS.iter().map(|(name, make)| (*name, make(SIZE)));
        for (name, text) in std::iter::once(("prose", prose(SIZE))).chain(texts) {
            let (single, _) = time(encoding, &text, 1);
            let (four, pushes) = time(encoding, &text, 4);
            let (all, _) = time(encoding, &text, usize::MAX - 1);
            let each = four * 1e6 / pushes as f64;
            println!("{name:24} {single:8.1} {four:8.1} {all:8.1} {each:6.0}");
        }
    }
}
