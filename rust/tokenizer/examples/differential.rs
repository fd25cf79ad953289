//! A differential test of millions of generated texts: the engine against `tiktoken-rs`, with a summary at the end.
//!
//! ```text
//! cargo run --release --example differential -- [MILLIONS_PER_FAMILY] [SEED]
//! ```
//!
//! The texts are dense in boundaries of character classes (`tests/support/texts.rs`). Every case compares the ids;
//! every eighth case also compares `count`, `count_within`, `decode` and both parts of a `cut`. The first difference
//! is printed as a smaller text that still differs, and ends the run with exit code 1. The same seed generates the
//! same texts.

use std::process::ExitCode;
use std::time::Instant;

use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer, UNICODE_VERSION};
use support::oracle::{naive, reference};
use support::texts::{Rng, fill};

#[path = "../tests/support/mod.rs"]
mod support;

/// The vocabularies of each pattern family.
const FAMILIES: [(&str, &[Encoding]); 3] = [
    ("r50k", &[Encoding::R50kBase, Encoding::P50kBase]),
    ("cl100k", &[Encoding::Cl100kBase]),
    ("o200k", &[Encoding::O200kBase]),
];

/// Totals of one family.
#[derive(Default)]
struct Tally {
    cases: u64,
    bytes: u64,
    tokens: u64,
    longest: usize,
    cut: u64,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let mut next = |otherwise| arguments.next().unwrap_or(Ok(otherwise));
    let (Ok(millions), Ok(seed)) = (next(1), next(20_261_124)) else {
        eprintln!("usage: differential [MILLIONS_PER_FAMILY] [SEED]");
        return ExitCode::from(2);
    };
    println!("{}", machine());
    println!("seed {seed}, {millions} million cases a family, Unicode {UNICODE_VERSION:?}");
    println!(
        "family      cases        bytes       tokens  longest text      cuts  seconds  differing"
    );
    for (family, encodings) in FAMILIES {
        let start = Instant::now();
        match run(encodings, millions * 1_000_000, seed) {
            Ok(tally) => println!(
                "{family:7}{:10} {:12} {:12} {:13} {:9} {:8.0} {:10}",
                tally.cases,
                tally.bytes,
                tally.tokens,
                tally.longest,
                tally.cut,
                start.elapsed().as_secs_f64(),
                0
            ),
            Err(difference) => {
                println!("{family}: {difference}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Runs `cases` texts through every one of `encodings`.
fn run(encodings: &[Encoding], cases: u64, seed: u64) -> Result<Tally, String> {
    let (mut rng, mut text, mut tally) = (Rng(seed), String::new(), Tally::default());
    let mut buffer = Vec::new();
    for case in 0..cases {
        fill(&mut rng, &mut text);
        for &encoding in encodings {
            check(encoding, &text, case % 8 == 0, &mut buffer, &mut tally)
                .map_err(|what| difference(encoding, &text, &what))?;
        }
        tally.cases += 1;
        tally.longest = tally.longest.max(text.len());
    }
    Ok(tally)
}

/// Compares the engine with the reference on one text and, if `thoroughly`, its other functions with its ids.
fn check(
    encoding: Encoding,
    text: &str,
    thoroughly: bool,
    buffer: &mut Vec<u32>,
    tally: &mut Tally,
) -> Result<(), String> {
    let tokenizer = Tokenizer::get(encoding);
    let expected = reference(encoding).encode_ordinary(text);
    buffer.resize(text.len(), 0);
    let count = tokenizer
        .encode_into(text, SpecialTokenMode::Text, buffer)
        .map_err(|e| format!("{e:?}"))?;
    let ids = &buffer[..count];
    require(ids == expected, "encode_into")?;
    tally.bytes += text.len() as u64;
    tally.tokens += count as u64;
    if thoroughly {
        let within = |limit| tokenizer.count_within(text, SpecialTokenMode::Text, limit);
        require(tokenizer.count(text, SpecialTokenMode::Text) == Ok(count), "count")?;
        require(within(count) == Ok(Some(count)), "count_within the count")?;
        require(count == 0 || within(count - 1) == Ok(None), "count_within one less")?;
        require(tokenizer.decode(ids).as_deref() == Ok(text.as_bytes()), "decode")?;
        if let Some(at) = tokenizer.cut(text, text.len() / 2) {
            let halves = [&text[..at], &text[at..]]
                .map(|half| tokenizer.encode(half, SpecialTokenMode::Text));
            require(halves.into_iter().flatten().flatten().eq(expected), "cut")?;
            tally.cut += 1;
        }
    }
    Ok(())
}

fn require(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// Describes a difference with a smaller text that still differs.
fn difference(encoding: Encoding, text: &str, what: &str) -> String {
    let differs =
        |text: &str| check(encoding, text, true, &mut Vec::new(), &mut Tally::default()).is_err();
    let mut small: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < small.len() {
        let mut without = small.clone();
        without.remove(at);
        if differs(&without.iter().collect::<String>()) {
            small = without;
        } else {
            at += 1;
        }
    }
    let small: String = small.into_iter().collect();
    format!(
        "{what} differs under {}: {small:?} (from {text:?})\n  engine    {:?}\n  reference {:?}\n  naive     {:?}",
        encoding.name(),
        Tokenizer::get(encoding).encode(&small, SpecialTokenMode::Text),
        reference(encoding).encode_ordinary(&small),
        naive(encoding).encode(&small),
    )
}

/// A description of the machine for a record, without anything that identifies it.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "CPU: {}, {threads} threads; OS: {} {}",
        model.unwrap_or("unknown"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
