//! Blocks against the splitter itself, piece by piece.

use super::Numbers;
use crate::{
    Encoding, Tokenizer,
    ahead::padded,
    joints::Joints,
    simd::{Portable, Processor, Work, dispatch},
    split::{Cl100k, O200k, R50k, Splitter, block},
    utf8::is_wide,
};
use std::marker::PhantomData;

/// Of every class and width, and what patterns treat specially.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "a", "é", "я", "ა", "𐐨", "A", "É", "Я", "Ა", "𐐀", "中", "か", "ー", "ª", "𠀀", "ไ", "한",
    "\u{301}", "\u{903}", "\u{3099}", "\u{fe0f}", "\u{1e8d0}", "1", "²", "３", "🄀",
    " ", "\t", "\n", "\r", "\u{a0}", "\u{3000}", ".", "/", "'", "'s", "'LL", "§", "。", "！", "…", "👍", "\u{200d}",
];

/// All places where blocks cut a text, up to its end.
struct Cuts<'a, P>(&'a [u8], &'a Joints, &'a mut Vec<usize>, PhantomData<P>);

impl<P: Splitter> Work for Cuts<'_, P> {
    fn run<C: Processor>(self, processor: C) {
        let Self(text, joints, cuts, _) = self;
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let window = padded(rest);
            let classes = processor.classify(window.first_chunk().unwrap());
            let classes = classes.within(block::below(rest.len().min(64) as u32));
            let (mut starts, is_last) = block::starts::<P>(text, at, classes, joints);
            let block = at;
            while starts != 0 {
                at = block + starts.trailing_zeros() as usize;
                cuts.push(at);
                starts &= starts - 1;
            }
            if is_last {
                break;
            }
            if at == block {
                at = P::end(text, at);
                cuts.push(at);
            }
        }
        cuts.push(text.len());
        cuts.dedup();
    }
}

/// Blocks cut where pieces end and, but for that, only at wide characters that nothing joins.
fn assert_cuts<P: Splitter>(encoding: Encoding, text: &str) {
    let joints = Tokenizer::get(encoding).vocabulary.joints();
    let mut cuts = [Vec::new(), Vec::new()];
    Cuts::<P>(text.as_bytes(), joints, &mut cuts[0], PhantomData).run(Portable);
    dispatch(Cuts::<P>(text.as_bytes(), joints, &mut cuts[1], PhantomData));
    assert_eq!(cuts[0], cuts[1], "{text:?}");
    let mut cuts = cuts[0].iter().copied().peekable();
    let mut end = 0;
    while end < text.len() {
        end = P::end(text.as_bytes(), end);
        while let Some(cut) = cuts.next_if(|cut| *cut < end) {
            let left = text[..cut].chars().next_back().expect("a cut is not at the beginning");
            let right = text[cut..].chars().next().expect("a cut is not at the end");
            let [left, right] = [left, right].map(|char| {
                let mut four = [0; 4];
                char.encode_utf8(&mut four);
                u32::from_le_bytes(four)
            });
            assert!(is_wide(left as u8) || is_wide(right as u8), "{text:?} is cut at {cut}");
            assert!(!joints.join(left, right), "{text:?} is cut at {cut}");
        }
        assert_eq!(cuts.next(), Some(end), "{text:?}");
    }
}

#[test]
fn blocks_cut_where_pieces_end() {
    let mut numbers = Numbers(0xB10C);
    for _ in 0..100_000 {
        let units: Vec<&str> =
            (0..=numbers.below(5)).map(|_| UNITS[numbers.below(UNITS.len())]).collect();
        let text: String =
            (0..=numbers.below(120)).map(|_| units[numbers.below(units.len())]).collect();
        assert_cuts::<R50k>(Encoding::P50kBase, &text);
        assert_cuts::<Cl100k>(Encoding::Cl100kBase, &text);
        assert_cuts::<O200k>(Encoding::O200kBase, &text);
    }
}
