//! The fast path for high-entropy text against the array scan.

use super::Numbers;
use crate::{
    arch::{Portable, Processor, WithCpu, dispatch},
    high_entropy::{AsciiBlock, HighEntropyBlock},
    merge::{SHORT, merge_short},
    pretokenize::window::WINDOW,
    sink::{Count, Sink},
    vocab::Vocabulary,
};

/// A block of pre-tokens, by the fast path and by the array scan. Returns the number of tokens and the pre-tokens
/// that were looked up, or `None` if the block is not high-entropy text.
struct Block<'a> {
    vocabulary: &'a Vocabulary,
    pre_tokens: &'a [Vec<u8>],
}

impl WithCpu for Block<'_> {
    type Output = Option<(usize, Vec<Vec<u8>>)>;

    fn run<C: Processor>(self, cpu: C) -> Self::Output {
        let Self { vocabulary, pre_tokens } = self;
        let merge = |pre_token: &[u8]| {
            let mut ids = [0; SHORT + 1];
            let count = merge_short(vocabulary, pre_token, &mut ids, 1, cpu);
            ids[..count].to_vec()
        };
        let (mut window, mut at, mut ends, mut letters) = ([b'x'; WINDOW], 0, 0, 0);
        for pre_token in pre_tokens {
            window[at..at + pre_token.len()].copy_from_slice(pre_token);
            at += pre_token.len();
            ends |= 1 << at;
        }
        for (bit, byte) in window[..64].iter().enumerate() {
            letters |= u64::from(byte.is_ascii_alphabetic()) << bit;
        }
        let block = AsciiBlock { at: 0, window: &window, ends, letters };
        let masks = || HighEntropyBlock::new(vocabulary, block, cpu);
        let expected: Vec<u32> = pre_tokens.iter().flat_map(|bytes| merge(bytes)).collect();
        let (mut ids, mut looked_up) = (vec![], vec![]);
        masks()?.encode(&mut ids, cpu, |ids, start, end| {
            let pre_token = &window[start as usize..end as usize];
            looked_up.push(pre_token.to_vec());
            ids.tokens(&merge(pre_token));
        });
        assert_eq!(ids, expected, "{pre_tokens:?}");
        let mut counted = Count::<false> { count: 0, limit: 0 };
        masks()?.encode(&mut counted, cpu, |counted, start, end| {
            counted.tokens(&merge(&window[start as usize..end as usize]));
        });
        assert_eq!(counted.count, expected.len(), "{pre_tokens:?}");
        Some((expected.len(), looked_up))
    }
}

#[test]
fn high_entropy_text_is_merged_as_by_the_array_scan() {
    let mut numbers = Numbers(0x5C4A);
    let rounds = if cfg!(debug_assertions) { 3_000 } else { 200_000 };
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let vocabulary = make();
        let mut detected = [0; 2];
        for round in 0..rounds {
            // All letters, or so few that tokens of three letters and more are frequent.
            let first = numbers.below(26);
            let letters = if round % 4 == 0 { 1 + numbers.below(26 - first) } else { 26 };
            let cases = [b'a', b'A', b"aA"[numbers.below(2)]];
            let longest = [8, 20, 63][numbers.below(3)];
            let (mut pre_tokens, mut left) = (vec![], 1 + numbers.below(63));
            while left > 0 {
                let length = 1 + numbers.below(longest.min(left));
                let bytes = (0..length).map(|offset| {
                    let case = cases[(round % 3).min(1) * numbers.below(3)];
                    let letter = case + (first + numbers.below(letters)) as u8 % 26;
                    let is_other = offset == 0 && numbers.below(3) == 0;
                    if is_other { b" +/_-.(\"'<=:\x001"[numbers.below(14)] } else { letter }
                });
                pre_tokens.push(bytes.collect::<Vec<u8>>());
                left -= length;
            }
            let block = || Block { vocabulary: &vocabulary, pre_tokens: &pre_tokens };
            detected[0] += usize::from(dispatch(block()).is_some());
            detected[1] += usize::from(block().run(Portable).is_some());
        }
        assert!(detected[0] > rounds / 2 && detected[0] == detected[1], "{detected:?} of {rounds}");
    }
}

#[test]
fn pre_tokens_with_other_bytes_than_letters_are_looked_up() {
    let vocabulary = Vocabulary::cl100k();
    let looked_up = |pre_token: &[u8]| {
        let pre_tokens = [b"/QxZvQ".to_vec(), pre_token.to_vec(), b"7".to_vec(), b"ZvQxZ".to_vec()];
        let block = Block { vocabulary: &vocabulary, pre_tokens: &pre_tokens };
        block.run(Portable).map(|(_, looked_up)| looked_up)
    };
    let letters = b"qXvZqXvZqXvZqXvZqXvZ";
    assert_eq!(looked_up(letters), Some(vec![]));
    for byte in (0..=255u8).filter(|byte| !byte.is_ascii_alphabetic()) {
        for offset in 1..20 {
            let mut pre_token = *letters;
            pre_token[offset] = byte;
            let expected = Some(vec![pre_token.to_vec()]);
            assert_eq!(looked_up(&pre_token), expected, "{byte:#x} at {offset}");
        }
    }
}

#[test]
fn natural_language_is_not_high_entropy_text() {
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let words = ["The", " quick", " brown", " fox", " jumps", " over", " the", " lazy", " dog"];
        let pre_tokens = words.map(|word| word.as_bytes().to_vec());
        let block = Block { vocabulary: &make(), pre_tokens: &pre_tokens };
        assert_eq!(block.run(Portable), None);
    }
}
