//! Batches against their texts one by one.

use crate::{BatchError, BatchOptions, Encoding, SpecialTokenMode, Texts, Tokenizer};
use std::sync::atomic::AtomicBool;

static NEVER: AtomicBool = AtomicBool::new(false);

fn options(special: SpecialTokenMode, threads: usize) -> BatchOptions<'static> {
    BatchOptions { special, threads, stop: &NEVER }
}

/// Texts that are separated by a byte that belongs to none.
fn separated<'a>(parts: &[&str], all: &'a mut String) -> Texts<'a> {
    *all = parts.join("|");
    let mut texts = Texts::with_capacity(all, parts.len()).expect("room");
    let mut start = 0;
    for part in parts {
        assert!(texts.push(start..start + part.len()));
        start += part.len() + 1;
    }
    texts
}

/// Texts from empty to half a megabyte, some of which cannot be split.
fn strings() -> Vec<String> {
    let mut texts: Vec<String> = (0..300).map(|i| "word é中 12'll\n".repeat(i % 40)).collect();
    texts.push("Many words, one text. ".repeat(25_000));
    texts.push(String::new());
    texts.push("z".repeat(300_000));
    texts.push("a <|endoftext|> b ".repeat(20_000));
    texts
}

#[test]
fn a_batch_equals_its_texts_one_by_one() {
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let strings = strings();
    let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
    let mut all = String::new();
    let texts = separated(&strings, &mut all);
    for (special, threads) in
        [(SpecialTokenMode::Text, 1), (SpecialTokenMode::Text, 0), (SpecialTokenMode::Allow, 3)]
    {
        let single: Vec<Vec<u32>> =
            strings.iter().map(|t| tokenizer.encode(t, special).expect("encodes")).collect();
        let counts = tokenizer.count_batch(&texts, options(special, threads)).expect("counts");
        let words = tokenizer.encode_batch(&texts, options(special, threads)).expect("encodes");
        assert_eq!(counts.len(), texts.len());
        let ids = &words[texts.len() + 1..];
        for (i, expected) in single.iter().enumerate() {
            assert_eq!(counts[i] as usize, expected.len(), "text {i}");
            assert_eq!(&ids[words[i] as usize..words[i + 1] as usize], expected, "text {i}");
        }
    }
}

#[test]
fn the_error_has_the_index_of_the_first_failing_text() {
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let mut all = String::new();
    let texts = separated(&["fine", "<|endofprompt|>", "<|endoftext|>"], &mut all);
    let refused = tokenizer.count_batch(&texts, options(SpecialTokenMode::Error, 0));
    assert!(matches!(refused, Err(BatchError::Text { index: 1, .. })), "{refused:?}");
}

#[test]
fn a_stopped_batch_returns_an_error() {
    let stop = AtomicBool::new(true);
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let stopped = BatchOptions { special: SpecialTokenMode::Text, threads: 0, stop: &stop };
    let mut all = String::new();
    let texts = separated(&["a"], &mut all);
    assert_eq!(tokenizer.count_batch(&texts, stopped), Err(BatchError::Stopped));
    assert_eq!(tokenizer.encode_batch(&texts, stopped), Err(BatchError::Stopped));
}

#[test]
fn an_empty_batch_is_empty() {
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let none = Texts::with_capacity("of no text", 0).expect("room");
    assert_eq!(tokenizer.count_batch(&none, options(SpecialTokenMode::Text, 0)), Ok(vec![]));
    assert_eq!(tokenizer.encode_batch(&none, options(SpecialTokenMode::Text, 0)), Ok(vec![0]));
}
