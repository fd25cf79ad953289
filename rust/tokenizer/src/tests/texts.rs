//! Many texts in one pass against the same texts one by one.

use super::Numbers;
use crate::{BatchError, Encoding, EndToken, Error, SpecialTokenMode, Texts, Tokenizer};
use std::ops::Range;

/// Joins `parts` by `separator`, and returns their ranges.
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

fn with_end_token(ids: &[u32], end_token: EndToken) -> Vec<u32> {
    match end_token {
        EndToken::None => ids.to_vec(),
        EndToken::After(id) => [ids, &[id]].concat(),
        EndToken::Before(id) => [&[id], ids].concat(),
    }
}

#[test]
fn texts_in_one_pass_equal_the_texts_one_by_one() {
    let mut numbers = Numbers(0x7E87);
    let rounds = if cfg!(debug_assertions) { 300 } else { 4_000 };
    for round in 0..rounds {
        let longest = [3, 12, 60, 200][round % 4];
        let parts: Vec<String> = (0..numbers.below(40))
            .map(|_| if numbers.below(9) == 0 { String::new() } else { numbers.text(longest) })
            .collect();
        // The bytes between texts must not matter, even if they could merge with a text or end one.
        let (all, ranges) = joined(&parts, ["", "\n", " ", "s", "'", "é", "字", "1"][round % 8]);
        let texts = texts(&all, &ranges);
        let end_token = [EndToken::None, EndToken::After(7), EndToken::Before(9)][round % 3];
        for encoding in Encoding::ALL {
            let tokenizer = Tokenizer::get(encoding);
            for special in [SpecialTokenMode::Text, SpecialTokenMode::Allow] {
                let single: Vec<Vec<u32>> =
                    parts.iter().map(|part| tokenizer.encode(part, special).unwrap()).collect();
                let mut counts = vec![u32::MAX; parts.len() + 1];
                tokenizer.count_each(&texts, special, &mut counts).unwrap();
                assert_eq!(
                    counts.pop(),
                    Some(u32::MAX),
                    "elements after the last text are unchanged"
                );
                assert!(
                    single.iter().map(Vec::len).eq(counts.iter().map(|&n| n as usize)),
                    "{} on {parts:?}",
                    encoding.name()
                );
                let marked: Vec<Vec<u32>> =
                    single.iter().map(|ids| with_end_token(ids, end_token)).collect();
                let mut ends = vec![0; parts.len()];
                let mut ids = vec![0; all.len() + parts.len() + 2];
                let total =
                    tokenizer.encode_each(&texts, special, end_token, &mut ends, &mut ids).unwrap();
                assert_eq!(ids[..total], marked.concat(), "{} on {parts:?}", encoding.name());
                let mut sum = 0;
                for (ids, end) in marked.iter().zip(&ends) {
                    sum += ids.len();
                    assert_eq!(*end as usize, sum);
                }
                // Too little room does not change the result.
                let mut few = vec![0; total / 2];
                let mut first = vec![0; parts.len() / 2];
                let needed =
                    tokenizer.encode_each(&texts, special, end_token, &mut first, &mut few);
                assert_eq!(needed, Ok(total));
                assert_eq!((&few[..], &first[..]), (&ids[..few.len()], &ends[..first.len()]));
            }
        }
    }
}

#[test]
fn the_error_has_the_index_of_the_first_forbidden_text() {
    let tokenizer = Tokenizer::get(Encoding::O200kBase);
    let parts = ["fine", "a<|endofprompt|>", "<|endoftext|>"].map(String::from);
    let (all, ranges) = joined(&parts, "<|endoftext|>");
    let mut counts = [0; 3];
    let error = Error::SpecialToken { name: "<|endofprompt|>", offset: 1 };
    assert_eq!(
        tokenizer.count_each(&texts(&all, &ranges), SpecialTokenMode::Error, &mut counts),
        Err(BatchError::Text { index: 1, error })
    );
    let allowed = texts(&all, &ranges[..1]);
    assert_eq!(tokenizer.count_each(&allowed, SpecialTokenMode::Error, &mut counts), Ok(()));
    assert_eq!(counts[0], 1);
}

#[test]
fn invalid_ranges_are_refused() {
    let mut texts = Texts::with_capacity("aé字", 4).expect("room");
    assert!(!texts.push(0..2), "splits a character");
    assert!(!texts.push(0..7), "is beyond the end");
    assert!(texts.push(1..3) && texts.push(3..3));
    assert!(!texts.push(2..6), "begins before the end of the last one");
    #[expect(clippy::reversed_empty_ranges, reason = "an invalid range on purpose")]
    let reversed = 6..3;
    assert!(!texts.push(reversed));
    assert!(texts.push(3..6));
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["é", "", "字"]);
    assert_eq!(texts.at([0, 2]).expect("room").iter().collect::<Vec<_>>(), ["é", "字"]);
    assert_eq!((texts.len(), texts.is_empty()), (3, false));
}
