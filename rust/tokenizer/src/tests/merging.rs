//! The ways of merging a piece against the textbook, on UTF-8 that may begin and end within
//! a character, and on pieces that no splitter makes.

use super::{BITS, Numbers};
use crate::{
    ahead::WINDOW,
    flat::{SHORT, merge_flat},
    merge::merge_long,
    scrambled::{Block, Scrambled},
    simd::{Portable, Processor, Work, dispatch},
    sink::{Count, Sink},
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

/// A block of pieces, by both ways; counts the tokens and the pieces that were to be looked up.
struct Blocks<'a> {
    vocabulary: &'a Vocabulary,
    pieces: &'a [Vec<u8>],
    told: &'a mut Option<(usize, Vec<Vec<u8>>)>,
}

impl Work for Blocks<'_> {
    fn run<C: Processor>(self, processor: C) {
        let Self { vocabulary, pieces, told: found } = self;
        let row = |piece: &[u8]| {
            let mut tokens = [0; SHORT + 1];
            let count = merge_flat(vocabulary, piece, &mut tokens, 1, processor);
            tokens[..count].to_vec()
        };
        let (mut window, mut at, mut ends, mut letters) = ([b'x'; WINDOW], 0, 0, 0);
        for piece in pieces {
            window[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
            ends |= 1 << at;
        }
        for (place, byte) in window[..64].iter().enumerate() {
            letters |= u64::from(byte.is_ascii_alphabetic()) << place;
        }
        let block = Block { at: 0, window: &window, ends, letters };
        let told = || Scrambled::new(vocabulary, block, processor);
        let (Some(block), Some(again)) = (told(), told()) else { return };
        let expected: Vec<u32> = pieces.iter().flat_map(|piece| row(piece)).collect();
        let (mut tokens, mut looked_up) = (vec![], vec![]);
        block.give(&mut tokens, processor, |tokens, start, end| {
            let piece = &window[start as usize..end as usize];
            looked_up.push(piece.to_vec());
            tokens.tokens(&row(piece));
        });
        assert_eq!(tokens, expected, "{pieces:?}");
        let mut counted = Count::<false> { count: 0, limit: 0 };
        again.give(&mut counted, processor, |counted, start, end| {
            counted.tokens(&row(&window[start as usize..end as usize]));
        });
        assert_eq!(counted.count, expected.len(), "{pieces:?}");
        *found = Some((expected.len(), looked_up));
    }
}

#[test]
fn letters_in_no_order_merge_as_a_row_does() {
    let mut numbers = Numbers(0x5C4A);
    let rounds = if cfg!(debug_assertions) { 3_000 } else { 200_000 };
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let vocabulary = make();
        let mut told = [0; 2];
        for round in 0..rounds {
            // All letters, or so few that tokens of three and more are frequent.
            let first = numbers.below(26);
            let letters = if round % 4 == 0 { 1 + numbers.below(26 - first) } else { 26 };
            let cases = [b'a', b'A', b"aA"[numbers.below(2)]];
            let longest = [8, 20, 63][numbers.below(3)];
            let (mut pieces, mut left) = (vec![], 1 + numbers.below(63));
            while left > 0 {
                let length = 1 + numbers.below(longest.min(left));
                let piece = (0..length).map(|place| {
                    let case = cases[(round % 3).min(1) * numbers.below(3)];
                    let letter = case + (first + numbers.below(letters)) as u8 % 26;
                    let is_other = place == 0 && numbers.below(3) == 0;
                    if is_other { b" +/_-.(\"'<=:\x001"[numbers.below(14)] } else { letter }
                });
                pieces.push(piece.collect::<Vec<u8>>());
                left -= length;
            }
            for (is_portable, told) in told.iter_mut().enumerate() {
                let mut found = None;
                let block = Blocks { vocabulary: &vocabulary, pieces: &pieces, told: &mut found };
                if is_portable == 0 {
                    dispatch(block)
                } else {
                    block.run(Portable)
                }
                *told += usize::from(found.is_some());
            }
        }
        assert!(told[0] > rounds / 2 && told[0] == told[1], "{told:?} of {rounds} were told");
    }
}

#[test]
fn what_is_no_word_of_letters_is_looked_up() {
    let vocabulary = Vocabulary::cl100k();
    let looked_up = |piece: &[u8]| {
        let pieces = [b"/QxZvQ".to_vec(), piece.to_vec(), b"7".to_vec(), b"ZvQxZ".to_vec()];
        let mut told = None;
        Blocks { vocabulary: &vocabulary, pieces: &pieces, told: &mut told }.run(Portable);
        told.map(|(_, looked_up)| looked_up)
    };
    let letters = b"qXvZqXvZqXvZqXvZqXvZ";
    assert_eq!(looked_up(letters), Some(vec![]));
    for byte in (0..=255u8).filter(|byte| !byte.is_ascii_alphabetic()) {
        for place in 1..20 {
            let mut piece = *letters;
            piece[place] = byte;
            assert_eq!(looked_up(&piece), Some(vec![piece.to_vec()]), "{byte:#x} at {place}");
        }
    }
}

#[test]
fn letters_in_some_order_are_not_told() {
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let pieces =
            ["The", " quick", " brown", " fox", " jumps", " over", " the", " lazy", " dog"];
        let pieces = pieces.map(|piece| piece.as_bytes().to_vec());
        let mut told = None;
        Blocks { vocabulary: &make(), pieces: &pieces, told: &mut told }.run(Portable);
        assert_eq!(told, None);
    }
}
