//! Encodes lines of `{"text": …}` from standard input to lines of `{"ids": […]}`.
//!
//! ```text
//! cargo run --release --example encode_lines -- o200k_base < texts.jsonl
//! ```
//!
//! `tests/conformance/check.py` compares its output with PyPI tiktoken.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use serde::{Deserialize, Serialize};
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};

#[derive(Deserialize)]
struct Line {
    text: String,
}

#[derive(Serialize)]
struct Answer {
    ids: Vec<u32>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: encode_lines ENCODING")?;
    let encoding = Encoding::from_name(&name).ok_or("no such encoding")?;
    let tokenizer = Tokenizer::get(encoding);
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let Line { text } = serde_json::from_str(&line?)?;
        let ids = tokenizer
            .encode(&text, SpecialTokenMode::Text)
            .map_err(|error| format!("{error:?}"))?;
        serde_json::to_writer(&mut out, &Answer { ids })?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
