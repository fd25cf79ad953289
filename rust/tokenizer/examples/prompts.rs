//! Measures the cost of a prompt that differs from the one before, with processor caches full of other data.
//!
//!     cargo run --release -p sluice-tokenizer --example prompts -- FILE [MEGABYTES] [encode]
//!
//! `FILE` contains UTF-8 prompts separated by NUL bytes. Each pass counts (or encodes) all of them with o200k_base,
//! or with the encoding that `ENCODING` names in the environment, and reads `MEGABYTES` of other data before each
//! prompt. Prints the microseconds per prompt for each pass.

use std::{
    env, fs, hint,
    time::{Duration, Instant},
};

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

const PASSES: usize = 6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let texts = fs::read_to_string(arguments.next().ok_or("FILE is missing")?)?;
    let prompts: Vec<&str> = texts.split('\0').collect();
    let megabytes: usize = arguments.next().map_or(Ok(0), |number| number.parse())?;
    let encodes = arguments.next().is_some();

    let name = env::var("ENCODING").unwrap_or_else(|_| "o200k_base".into());
    let tokenizer = Tokenizer::get(Encoding::from_name(&name).ok_or("ENCODING is none")?);
    let mut ids = vec![0; texts.len()];
    let other = vec![1u64; megabytes << 17];
    for _ in 0..PASSES {
        let mut time = Duration::ZERO;
        for prompt in &prompts {
            hint::black_box(other.iter().step_by(8).sum::<u64>());
            let start = Instant::now();
            let tokens = if encodes {
                tokenizer.encode_into(prompt, SpecialTokenMode::Text, &mut ids)
            } else {
                tokenizer.count(prompt, SpecialTokenMode::Text)
            };
            time += start.elapsed();
            hint::black_box(tokens?);
        }
        print!("{:.1} ", time.as_secs_f64() * 1e6 / prompts.len() as f64);
    }
    println!();
    Ok(())
}
