//! Criterion benchmarks of the engine and its rivals: `tiktoken-rs` (the reference), `bpe-openai`, and `tiktoken`
//! (goliajp). All of them process the same text in the same run, so that ratios are meaningful.
//!
//! | group | question |
//! |---|---|
//! | `count`, `encode` | How fast is a text of 64 kB that is processed repeatedly? |
//! | `in turn` | How fast are different texts? Each iteration gets the next 4 kB of a megabyte, in a cycle. |
//! | `tiny` | What does a message of 10 or 40 bytes cost? The texts vary. |
//! | `worst case` | What does hostile input cost, per megabyte? Rivals that hang or panic are omitted. |
//!
//! `cargo bench -- --test` runs each benchmark once. The ids of a rival are compared before it is timed, and wrong
//! ids are reported on stderr.
#![allow(missing_docs, reason = "the macros of criterion define undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark without its data fails")]

use std::hint::black_box;
use std::time::Duration;

use corpora::{boundary, load};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};
use support::oracle::reference;
use support::pathological::MAKERS;

mod corpora;
#[path = "../../tests/support/mod.rs"]
mod support;

const ENCODINGS: [Encoding; 2] = [Encoding::Cl100kBase, Encoding::O200kBase];

/// Encodes a text with one contestant.
type Encode = Box<dyn Fn(&str) -> Vec<u32>>;

/// One contestant under one encoding.
struct Engine {
    name: &'static str,
    count: Box<dyn Fn(&str) -> usize>,
    encode: Encode,
}

fn engine(
    name: &'static str,
    count: impl Fn(&str) -> usize + 'static,
    encode: impl Fn(&str) -> Vec<u32> + 'static,
) -> Engine {
    Engine { name, count: Box::new(count), encode: Box::new(encode) }
}

/// All contestants, ours first.
fn engines(encoding: Encoding) -> [Engine; 4] {
    let ours = Tokenizer::get(encoding);
    let reference = reference(encoding);
    let bpe = match encoding {
        Encoding::Cl100kBase => bpe_openai::cl100k_base(),
        _ => bpe_openai::o200k_base(),
    };
    let golia = tiktoken::get_encoding(encoding.name()).expect("an encoding that it has");
    [
        engine(
            "sluice",
            move |text| ours.count(text, SpecialTokenMode::Text).expect("no error in this mode"),
            move |text| ours.encode(text, SpecialTokenMode::Text).expect("no error in this mode"),
        ),
        engine(
            "tiktoken-rs",
            move |text| reference.count_ordinary(text),
            move |text| reference.encode_ordinary(text),
        ),
        engine("bpe-openai", move |text| bpe.count(text), move |text| bpe.encode(text)),
        engine("tiktoken", move |text| golia.count(text), move |text| golia.encode(text)),
    ]
}

/// Reports a contestant whose ids are not those of the reference.
fn check(engine: &Engine, encoding: Encoding, name: &str, text: &str) {
    if (engine.encode)(text) != reference(encoding).encode_ordinary(text) {
        eprintln!("{} is wrong on {name} under {}", engine.name, encoding.name());
    }
}

fn seen_often(criterion: &mut Criterion) {
    for encoding in ENCODINGS {
        for corpus in load(1 << 16) {
            let (name, text) = (corpus.name, corpus.text.as_str());
            for operation in ["count", "encode"] {
                let mut group =
                    criterion.benchmark_group(format!("{operation}/{}", encoding.name()));
                group.throughput(Throughput::Bytes(text.len() as u64));
                for engine in engines(encoding) {
                    check(&engine, encoding, name, text);
                    group.bench_function(BenchmarkId::new(name, engine.name), |bench| {
                        match operation {
                            "count" => bench.iter(|| (engine.count)(black_box(text))),
                            _ => bench.iter(|| (engine.encode)(black_box(text)).len()),
                        }
                    });
                }
                group.finish();
            }
        }
    }
}

fn in_turn(criterion: &mut Criterion) {
    const CHUNK: usize = 4_096;
    for encoding in ENCODINGS {
        let mut group = criterion.benchmark_group(format!("in turn/{}", encoding.name()));
        for corpus in load(1 << 20) {
            let chunks = parts(&corpus.text, CHUNK);
            group.throughput(Throughput::Bytes((corpus.text.len() / chunks.len()) as u64));
            for engine in engines(encoding) {
                let mut next = chunks.iter().cycle();
                group.bench_function(BenchmarkId::new(corpus.name, engine.name), |bench| {
                    bench.iter(|| (engine.count)(next.next().expect("an endless cycle")));
                });
            }
        }
        group.finish();
    }
}

fn tiny(criterion: &mut Criterion) {
    for encoding in ENCODINGS {
        let mut group = criterion.benchmark_group(format!("tiny/{}", encoding.name()));
        for corpus in load(1 << 16).into_iter().filter(|corpus| corpus.name != "base64") {
            for size in [10, 40] {
                let messages = parts(&corpus.text, size);
                group.throughput(Throughput::Elements(1));
                for engine in engines(encoding) {
                    let mut next = messages.iter().cycle();
                    let id = BenchmarkId::new(format!("{} {size} B", corpus.name), engine.name);
                    group.bench_function(id, |bench| {
                        bench.iter(|| (engine.count)(next.next().expect("an endless cycle")));
                    });
                }
            }
        }
        group.finish();
    }
}

fn worst_case(criterion: &mut Criterion) {
    for encoding in ENCODINGS {
        let mut group = criterion.benchmark_group(format!("worst case/{}", encoding.name()));
        for (name, make) in MAKERS {
            let text = make(1 << 18);
            group.throughput(Throughput::Bytes(text.len() as u64));
            // `tiktoken-rs` panics on some of these, and `tiktoken` is not linear.
            let linear = |engine: &Engine| ["sluice", "bpe-openai"].contains(&engine.name);
            for engine in engines(encoding).into_iter().filter(linear) {
                group.bench_function(BenchmarkId::new(*name, engine.name), |bench| {
                    bench.iter(|| (engine.count)(black_box(&text)));
                });
            }
        }
        group.finish();
    }
}

/// `text` in non-empty parts of approximately `size` bytes.
fn parts(text: &str, size: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = boundary(text, start + size);
        parts.push(&text[start..end]);
        start = end;
    }
    parts
}

fn quick() -> Criterion {
    // There are about 400 benchmarks, and half a second each is precise enough for ratios of 4 and more.
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
}

criterion_group! {
    name = benches;
    config = quick();
    targets = seen_often, in_turn, tiny, worst_case
}
criterion_main!(benches);
