//! Texts one after the other against the same texts one by one.

use super::Numbers;
use crate::{BatchError, Encoding, Error, Special, Texts, Tokenizer};
use std::ops::Range;

/// Joins `parts` by `separator`, and says where they are.
fn joined(parts: &[String], separator: &str) -> (String, Vec<Range<usize>>) {
    let mut all = String::new();
    let ranges = parts.iter().map(|part| {
        let start = all.len();
        all.push_str(part);
        let end = all.len();
        all.push_str(separator);
        start..end
    });
    let ranges = ranges.collect();
    (all, ranges)
}

fn texts<'a>(all: &'a str, ranges: &[Range<usize>]) -> Texts<'a> {
    let mut texts = Texts::with_capacity(all, ranges.len()).expect("room");
    assert!(ranges.iter().all(|range| texts.push(range.clone())));
    texts
}

#[test]
fn texts_in_a_row_are_those_texts_one_by_one() {
    let mut numbers = Numbers(0x7E87);
    let rounds = if cfg!(debug_assertions) { 300 } else { 4_000 };
    for round in 0..rounds {
        let longest = [3, 12, 60, 200][round % 4];
        let parts: Vec<String> = (0..numbers.below(40))
            .map(|_| if numbers.below(9) == 0 { String::new() } else { numbers.text(longest) })
            .collect();
        // What stands between texts must not matter: what merges with a text, what ends one, nothing.
        let (all, ranges) = joined(&parts, ["", "\n", " ", "s", "'", "é", "字", "1"][round % 8]);
        let texts = texts(&all, &ranges);
        for encoding in Encoding::ALL {
            let tokenizer = Tokenizer::get(encoding);
            for special in [Special::Text, Special::Allow] {
                let single: Vec<Vec<u32>> =
                    parts.iter().map(|part| tokenizer.encode(part, special).unwrap()).collect();
                let mut counts = vec![u32::MAX; parts.len() + 1];
                tokenizer.count_each(&texts, special, &mut counts).unwrap();
                assert_eq!(counts.pop(), Some(u32::MAX), "what is behind is left");
                assert!(
                    single.iter().map(Vec::len).eq(counts.iter().map(|&n| n as usize)),
                    "{} on {parts:?}",
                    encoding.name()
                );
                let mut ends = vec![0; parts.len()];
                let mut ids = vec![0; all.len() + 2];
                let total = tokenizer.encode_each(&texts, special, &mut ends, &mut ids).unwrap();
                assert_eq!(ids[..total], single.concat(), "{} on {parts:?}", encoding.name());
                assert_eq!(ends.last().map_or(0, |&end| end as usize), total);
                // Too little room changes nothing of what is returned.
                let mut few = vec![0; total / 2];
                let mut first = vec![0; parts.len() / 2];
                assert_eq!(tokenizer.encode_each(&texts, special, &mut first, &mut few), Ok(total));
                assert_eq!((&few[..], &first[..]), (&ids[..few.len()], &ends[..first.len()]));
            }
        }
    }
}

#[test]
fn the_first_forbidden_text_is_named() {
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let parts = ["fine", "a<|endofprompt|>", "<|endoftext|>"].map(String::from);
    let (all, ranges) = joined(&parts, "<|endoftext|>");
    let mut counts = [0; 3];
    let error = Error::SpecialToken { name: "<|endofprompt|>", offset: 1 };
    assert_eq!(
        tokenizer.count_each(&texts(&all, &ranges), Special::Error, &mut counts),
        Err(BatchError::Text { index: 1, error })
    );
    let allowed = texts(&all, &ranges[..1]);
    assert_eq!(tokenizer.count_each(&allowed, Special::Error, &mut counts), Ok(()));
    assert_eq!(counts[0], 1);
}

#[test]
fn what_is_no_text_is_not_taken() {
    let mut texts = Texts::with_capacity("aé字", 4).expect("room");
    assert!(!texts.push(0..2), "cuts a character");
    assert!(!texts.push(0..7), "is beyond the end");
    assert!(texts.push(1..3) && texts.push(3..3));
    assert!(!texts.push(2..6), "begins before the last one ends");
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller may get wrong")]
    let reversed = 6..3;
    assert!(!texts.push(reversed));
    assert!(texts.push(3..6));
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["é", "", "字"]);
    assert_eq!(texts.at([0, 2]).expect("room").iter().collect::<Vec<_>>(), ["é", "字"]);
    assert_eq!((texts.len(), texts.is_empty()), (3, false));
}
