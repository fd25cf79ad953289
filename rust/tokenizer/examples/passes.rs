//! Measures one operation on a text that is new to the process, and on the same text again.
//!
//!     cargo run --release -p sluice-tokenizer --example passes -- FILE count|encode LENGTH PASSES
//!
//! `FILE` holds UTF-8, which is cut into texts of about `LENGTH` bytes (0: one text). Prints the nanoseconds a byte
//! of the first pass, those of the fastest of `PASSES` later ones, and the number of tokens. The encoding is
//! o200k_base, or the one that `ENCODING` names in the environment.

use std::{env, fs, time::Instant};

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = |name: &str| arguments.next().ok_or_else(|| format!("{name} is missing"));
    let all = fs::read_to_string(next("FILE")?)?;
    let encodes = next("count or encode")? == "encode";
    let length: usize = next("LENGTH")?.parse()?;
    let passes: usize = next("PASSES")?.parse()?;

    let texts = cut(&all, length);
    let name = env::var("ENCODING").unwrap_or_else(|_| "o200k_base".into());
    let tokenizer = Tokenizer::get(Encoding::from_name(&name).ok_or("ENCODING is none")?);
    // Not zeros, so that no pass pays for the pages.
    let mut ids = vec![1; all.len()];
    let mut pass = || {
        let start = Instant::now();
        let mut tokens = 0;
        for text in &texts {
            tokens += if encodes {
                tokenizer.encode_into(text, SpecialTokenMode::Text, &mut ids)?
            } else {
                tokenizer.count(text, SpecialTokenMode::Text)?
            };
        }
        Ok::<_, sluice_tokenizer::Error>((start.elapsed().as_secs_f64(), tokens))
    };
    let (first, tokens) = pass()?;
    let mut warm = f64::INFINITY;
    for _ in 0..passes {
        warm = warm.min(pass()?.0);
    }
    let a_byte = 1e9 / all.len() as f64;
    println!("{:.4} {:.4} {tokens}", first * a_byte, warm * a_byte);
    Ok(())
}

/// Splits a text after the first character that ends at or after each multiple of `length`.
fn cut(mut rest: &str, length: usize) -> Vec<&str> {
    if length == 0 {
        return vec![rest];
    }
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let near = length.min(rest.len());
        let end = (near..rest.len()).find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        texts.push(text);
        rest = after;
    }
    texts
}
