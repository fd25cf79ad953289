//! Encodes texts in memory one after the other, on one thread, into one buffer that is used again: the engine alone.
//!
//! ```text
//! cargo run --release -p sluice-tokenizer --example corpus -- TEXTS LENGTHS
//! ```
//!
//! `TEXTS` holds the UTF-8 of all texts, `LENGTHS` the bytes of each on a line. Prints the seconds of the one pass and the
//! number of tokens as JSON. `bench/corpus.ts` compares whole commands with it.

use std::{env, fs, time::Instant};

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = |name: &str| arguments.next().ok_or_else(|| format!("{name} is missing"));
    let all = fs::read_to_string(next("TEXTS")?)?;
    let lengths = fs::read_to_string(next("LENGTHS")?)?;

    let mut texts = Vec::new();
    let mut rest = all.as_str();
    for line in lengths.lines() {
        let (text, after) =
            rest.split_at_checked(line.parse()?).ok_or("a length is not that of a text")?;
        texts.push(text);
        rest = after;
    }
    let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
    // Not zeros, so that the pass pays for no pages.
    let mut ids = vec![1; longest];
    let tokenizer = Tokenizer::get(Encoding::O200kBase);

    let start = Instant::now();
    let mut tokens = 0;
    for text in &texts {
        tokens += tokenizer.encode_into(text, SpecialTokenMode::Text, &mut ids)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{{\"seconds\":{seconds},\"tokens\":{tokens}}}");
    Ok(())
}
