//! Bit-parallel splitting against the scalar splitters.

use super::Numbers;
use crate::{
    Encoding, Tokenizer,
    arch::{Portable, Processor, WithCpu, dispatch},
    pretokenize::{Cl100k, O200k, R50k, Splitter, block::below, block_starts, window::zero_padded},
    unicode::utf8::is_wide,
    vocab::MergeBoundaries,
};
use std::marker::PhantomData;

/// Characters of every class and width, and strings that the patterns treat specially.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "a", "é", "я", "ა", "𐐨", "A", "É", "Я", "Ა", "𐐀", "中", "か", "ー", "ª", "𠀀", "ไ", "한",
    "\u{301}", "\u{903}", "\u{3099}", "\u{fe0f}", "\u{1e8d0}", "1", "²", "３", "🄀",
    " ", "\t", "\n", "\r", "\u{a0}", "\u{3000}", ".", "/", "'", "'s", "'LL", "§", "。", "！", "…", "👍", "\u{200d}",
];

/// The splits of all blocks of a text, up to its end.
struct BlockSplits<'a, P>(&'a [u8], &'a MergeBoundaries, PhantomData<P>);

impl<P: Splitter> WithCpu for BlockSplits<'_, P> {
    type Output = Vec<usize>;

    fn run<C: Processor>(self, cpu: C) -> Vec<usize> {
        let Self(text, boundaries, _) = self;
        let (mut at, mut splits) = (0, Vec::new());
        while at < text.len() {
            let rest = &text[at..];
            let window = zero_padded(rest);
            let classes = cpu.classify(window.first_chunk().unwrap());
            let classes = classes.within(below(rest.len().min(64) as u32));
            let (mut starts, is_last) = block_starts::<P>(text, at, classes, boundaries);
            let block = at;
            while starts != 0 {
                at = block + starts.trailing_zeros() as usize;
                splits.push(at);
                starts &= starts - 1;
            }
            if is_last {
                break;
            }
            if at == block {
                at = P::end(text, at);
                splits.push(at);
            }
        }
        splits.push(text.len());
        splits.dedup();
        splits
    }
}

/// Blocks are split at the ends of pre-tokens and, apart from that, only at wide characters whose boundary no merge
/// crosses.
fn assert_splits<P: Splitter>(encoding: Encoding, text: &str) {
    let boundaries = Tokenizer::get(encoding).vocabulary.merge_boundaries();
    let splits = || BlockSplits::<P>(text.as_bytes(), boundaries, PhantomData);
    let found = splits().run(Portable);
    assert_eq!(dispatch(splits()), found, "{text:?}");
    let mut splits = found.iter().copied().peekable();
    let mut end = 0;
    while end < text.len() {
        end = P::end(text.as_bytes(), end);
        while let Some(split) = splits.next_if(|split| *split < end) {
            let left = text[..split].chars().next_back().expect("a split is after the beginning");
            let right = text[split..].chars().next().expect("a split is before the end");
            let [left, right] = [left, right].map(|char| {
                let mut four = [0; 4];
                char.encode_utf8(&mut four);
                u32::from_le_bytes(four)
            });
            assert!(is_wide(left as u8) || is_wide(right as u8), "{text:?} is split at {split}");
            assert!(!boundaries.may_merge(left, right), "{text:?} is split at {split}");
        }
        assert_eq!(splits.next(), Some(end), "{text:?}");
    }
}

#[test]
fn blocks_are_split_where_pre_tokens_end() {
    let mut numbers = Numbers(0xB10C);
    for _ in 0..100_000 {
        let units: Vec<&str> =
            (0..=numbers.below(5)).map(|_| UNITS[numbers.below(UNITS.len())]).collect();
        let text: String =
            (0..=numbers.below(120)).map(|_| units[numbers.below(units.len())]).collect();
        assert_splits::<R50k>(Encoding::P50kBase, &text);
        assert_splits::<Cl100k>(Encoding::Cl100kBase, &text);
        assert_splits::<O200k>(Encoding::O200kBase, &text);
    }
}
