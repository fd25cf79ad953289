//! The ways of merging a piece against the textbook, on UTF-8 that may begin and end within
//! a character, and on pieces that no splitter makes.

use super::{BITS, Numbers};
use crate::{
    flat::{SHORT, merge_flat},
    merge::merge_long,
    packed::Packed,
    quads::Counted,
    scrambled::merge_scrambled,
    simd::{Portable, Processor, Work, dispatch},
    tiny::{TINY, merge_tiny},
    tree::{Space, merge_tree},
    vocabulary::{Vocabulary, key},
};
use std::collections::HashMap;

/// Merges the pair of lowest rank, leftmost first, until none is left.
fn textbook(ranks: &HashMap<&[u8], u32>, piece: &[u8]) -> Vec<u32> {
    let mut edges: Vec<usize> = (0..=piece.len()).collect();
    loop {
        let rank = |i: usize| ranks.get(&piece[edges[i]..edges[i + 2]]);
        let next =
            (0..edges.len().saturating_sub(2)).filter_map(|i| rank(i).map(|rank| (rank, i))).min();
        let Some((_, i)) = next else { break };
        edges.remove(i + 1);
    }
    edges.windows(2).map(|edge| ranks[&piece[edge[0]..edge[1]]]).collect()
}

fn piece(numbers: &mut Numbers, longest: usize) -> Vec<u8> {
    let mut piece = match numbers.below(4) {
        0 => (0..=longest)
            .filter_map(|_| {
                char::from_u32({
                    let bits = 5 + numbers.below(16);
                    numbers.below(1 << bits) as u32
                })
            })
            .collect::<String>()
            .into_bytes(),
        1 => (0..=longest).map(|_| b'a' + numbers.below(26) as u8).collect(),
        2 => (0..=longest / 3)
            .filter_map(|_| char::from_u32(0x4E00 + numbers.below(0x400) as u32))
            .collect::<String>()
            .into_bytes(),
        _ => numbers.text(longest / BITS[0].len()).into_bytes(),
    };
    piece.truncate(1 + numbers.below(longest));
    // A window may begin within a character.
    let begin = numbers.below(3).min(piece.len() - 1);
    piece.split_off(begin)
}

/// The ways that are compiled for each processor.
#[derive(Clone, Copy)]
struct Ways<'a> {
    vocabulary: &'a Vocabulary,
    piece: &'a [u8],
    ranks: &'a HashMap<&'static [u8], u32>,
}

impl Work for Ways<'_> {
    fn run<C: Processor>(self, processor: C) {
        let Self { vocabulary, piece, ranks } = self;
        let expected = textbook(ranks, piece);
        let mut windows = Vec::new();
        merge_long(vocabulary, piece, &mut windows, processor);
        assert_eq!(windows, expected, "windows, {piece:?}");
        if piece.len() <= SHORT {
            let mut tokens = [0; SHORT + 1];
            let found = merge_flat(vocabulary, piece, &mut tokens, 1, processor);
            assert_eq!(tokens[..found], expected, "row, {piece:?}");
        }
        let tiny = &piece[..piece.len().min(TINY)];
        let found = merge_tiny(vocabulary, tiny, key(tiny, 0, tiny.len()), processor);
        let found: Vec<u32> = found.ids().collect();
        assert_eq!(found, textbook(ranks, tiny), "tiny, {tiny:?}");
    }
}

#[test]
fn rows_trees_and_windows_merge_as_the_textbook_does() {
    let mut numbers = Numbers(0xF1A7);
    let rounds = if cfg!(debug_assertions) { 300 } else { 10_000 };
    for (make, count) in [
        (Vocabulary::r50k as fn() -> Vocabulary, 50256),
        (Vocabulary::p50k, 50281),
        (Vocabulary::cl100k, 100256),
        (Vocabulary::o200k, 199998),
    ] {
        let vocabulary = make();
        let ranks: HashMap<&[u8], u32> =
            (0..count).filter_map(|id| Some((vocabulary.bytes(id)?, id))).collect();
        for round in 0..rounds {
            let longest = if round % 16 == 0 { 400 } else { SHORT };
            let piece = piece(&mut numbers, longest);
            let expected = textbook(&ranks, &piece);
            let places = piece.len().next_power_of_two();
            let (mut ids, mut links) = (vec![0; places], vec![[0; 2]; places]);
            let mut tree = vec![0; 2 * places];
            let space = Space { ids: &mut ids, links: &mut links, tree: &mut tree };
            let found = merge_tree(&vocabulary, &piece, space);
            assert_eq!(ids[..found], expected, "tree, {piece:?}");
            let all = Ways { vocabulary: &vocabulary, piece: &piece, ranks: &ranks };
            all.run(Portable);
            dispatch(all);
        }
    }
}

/// Short pieces of ASCII by both ways.
struct Short<'a>(&'a Vocabulary, &'a [u8]);

impl Work for Short<'_> {
    fn run<C: Processor>(self, processor: C) {
        let Self(vocabulary, alphabet) = self;
        let check = |piece: &[u8]| {
            let mut tokens = [0; SHORT + 1];
            let found = merge_flat(vocabulary, piece, &mut tokens, 1, processor);
            let tiny = merge_tiny(vocabulary, piece, key(piece, 0, piece.len()), processor);
            assert!(tiny.ids().eq(tokens[..found].iter().copied()), "{piece:?}");
        };
        for &a in alphabet {
            check(&[a]);
            for &b in alphabet {
                check(&[a, b]);
                for &c in alphabet {
                    check(&[a, b, c]);
                }
            }
        }
    }
}

#[test]
fn all_pieces_of_three_ascii_characters_merge_alike() {
    let all: Vec<u8> = (0..128).collect();
    let some: Vec<u8> = all.iter().copied().step_by(5).collect();
    let alphabet = if cfg!(debug_assertions) { some } else { all };
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let vocabulary = make();
        Short(&vocabulary, &alphabet).run(Portable);
        dispatch(Short(&vocabulary, &alphabet));
    }
}

/// Letters in no order, by both ways; counts those that came apart.
struct Letters<'a>(&'a Vocabulary, &'a [u8], &'a mut usize);

impl Work for Letters<'_> {
    fn run<C: Processor>(self, processor: C) {
        let Self(vocabulary, piece, apart) = self;
        let (mut row, mut tokens) = ([0; SHORT + 1], [0; SHORT + 1]);
        let found = merge_flat(vocabulary, piece, &mut row, 1, processor);
        let count = merge_scrambled::<Packed, C>(vocabulary, piece, &mut tokens, processor);
        let only_counted =
            merge_scrambled::<Counted, C>(vocabulary, piece, &mut [0; 64], processor);
        assert_eq!(count, only_counted, "{piece:?}");
        if let Some(count) = count {
            assert_eq!(tokens[..count], row[..found], "{piece:?}");
            *apart += 1;
        }
    }
}

#[test]
fn letters_in_no_order_merge_as_a_row_does() {
    let mut numbers = Numbers(0x5C4A);
    let rounds = if cfg!(debug_assertions) { 3_000 } else { 200_000 };
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let vocabulary = make();
        let mut apart = [0; 2];
        for round in 0..rounds {
            // All letters, or so few that tokens of three and more are frequent.
            let first = numbers.below(26);
            let letters = if round % 4 == 0 { 1 + numbers.below(26 - first) } else { 26 };
            let cases = [b'a', b'A', b"aA"[numbers.below(2)]];
            let piece = (0..4 + numbers.below(SHORT - 3)).map(|place| {
                let case = cases[(round % 3).min(1) * numbers.below(3)];
                let letter = case + (first + numbers.below(letters)) as u8 % 26;
                if place == 0 && numbers.below(3) == 0 {
                    b" +/_-.(\"'<=:\x001"[numbers.below(14)]
                } else {
                    letter
                }
            });
            let piece: Vec<u8> = piece.collect();
            Letters(&vocabulary, &piece, &mut apart[0]).run(Portable);
            dispatch(Letters(&vocabulary, &piece, &mut apart[1]));
        }
        assert!(apart[0] > rounds / 4 && apart[0] == apart[1], "{apart:?} of {rounds} came apart");
    }
}

#[test]
fn what_is_no_word_of_letters_is_left_to_others() {
    let vocabulary = Vocabulary::cl100k();
    let alone = |piece: &[u8]| {
        let mut tokens = [0; SHORT + 1];
        merge_scrambled::<Packed, Portable>(&vocabulary, piece, &mut tokens, Portable)
    };
    assert!(alone(b"qXvZqXvZqXvZqXvZqXvZ").is_some());
    for byte in (0..=255u8).filter(|byte| !byte.is_ascii_alphabetic()) {
        for place in 1..20 {
            let mut piece = *b"qXvZqXvZqXvZqXvZqXvZ";
            piece[place] = byte;
            assert_eq!(alone(&piece), None, "{byte:#x} at {place}");
        }
    }
}
