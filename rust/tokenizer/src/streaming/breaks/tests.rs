//! The machine against the splitters.

use super::*;
use crate::pretokenize::{Cl100k, O200k, R50k, Splitter};

const ATOMS: [&str; 17] = [
    "a", "s", "R", "E", "l", "中", "\u{301}", "1", " ", "\t", "\u{a0}", "\n", "/", "'", "!", "ſ",
    "Ll",
];

/// The ends of the pre-tokens of `text`.
fn ends<P: Splitter>(text: &str) -> Vec<usize> {
    let mut ends = vec![];
    while ends.last().copied().unwrap_or(0) < text.len() {
        ends.push(P::end(text.as_bytes(), ends.last().copied().unwrap_or(0)));
    }
    ends
}

/// After every character, the pre-tokens that have ended and the open part, split by [`Breaks::split`], are the
/// pre-tokens of the text up to there.
fn check<P: Splitter>(encoding: Encoding, text: &str) {
    let mut breaks = Breaks::new(encoding);
    let mut ended = vec![];
    for (at, char) in text.char_indices() {
        let mut end = ended.last().copied().unwrap_or(0);
        breaks.take(char, |length| {
            end += length;
            ended.push(end);
        });
        let all = at + char.len_utf8();
        let mut now = ended.clone();
        if let Some(split) = breaks.split() {
            now.push(all - breaks.open + split);
        } else if P::end(&text.as_bytes()[..all], end) == end + 1 && breaks.open == 2 {
            // An apostrophe and a letter in `r50k`: `split` need not cover parts as short as this.
            assert_eq!(breaks.pattern, Pattern::R50k);
            now.push(end + 1);
        }
        now.push(all);
        assert_eq!(now, ends::<P>(&text[..all]), "{} {:?}", encoding.name(), &text[..all]);
    }
    assert!(ends::<P>(text).starts_with(&ended));
}

#[test]
fn breaks_of_all_short_texts_are_those_of_the_splitters() {
    for number in 0..ATOMS.len().pow(4) {
        let mut text = String::new();
        let mut left = number;
        for _ in 0..4 {
            text.push_str(ATOMS[left % ATOMS.len()]);
            left /= ATOMS.len();
        }
        check::<R50k>(Encoding::R50kBase, &text);
        check::<Cl100k>(Encoding::Cl100kBase, &text);
        check::<O200k>(Encoding::O200kBase, &text);
    }
}

#[test]
fn breaks_of_long_texts_are_those_of_the_splitters() {
    let mut state = 1u32;
    for _ in 0..4_000 {
        let mut text = String::new();
        for _ in 0..24 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(ATOMS[(state >> 8) as usize % ATOMS.len()]);
        }
        check::<R50k>(Encoding::R50kBase, &text);
        check::<Cl100k>(Encoding::Cl100kBase, &text);
        check::<O200k>(Encoding::O200kBase, &text);
    }
}
