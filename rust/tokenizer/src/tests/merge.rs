//! All merge algorithms against the definition, on UTF-8 that may begin and end within a character, and on pre-tokens
//! that no splitter makes.

use super::{ATOMS, Numbers};
use crate::{
    arch::{Portable, Processor, WithCpu, dispatch},
    merge::{SHORT, Space, TINY, merge_long, merge_short, merge_tiny, merge_tree},
    vocab::{Vocabulary, key::key},
};
use std::collections::HashMap;

/// Merges the pair of lowest rank, leftmost first, until none is left.
fn textbook(ranks: &HashMap<&[u8], u32>, bytes: &[u8]) -> Vec<u32> {
    let mut edges: Vec<usize> = (0..=bytes.len()).collect();
    loop {
        let rank = |i: usize| ranks.get(&bytes[edges[i]..edges[i + 2]]);
        let next =
            (0..edges.len().saturating_sub(2)).filter_map(|i| rank(i).map(|rank| (rank, i))).min();
        let Some((_, i)) = next else { break };
        edges.remove(i + 1);
    }
    edges.windows(2).map(|edge| ranks[&bytes[edge[0]..edge[1]]]).collect()
}

fn random_bytes(numbers: &mut Numbers, longest: usize) -> Vec<u8> {
    let mut bytes = match numbers.below(4) {
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
        _ => numbers.text(longest / ATOMS[0].len()).into_bytes(),
    };
    bytes.truncate(1 + numbers.below(longest));
    // A window may begin within a character.
    let begin = numbers.below(3).min(bytes.len() - 1);
    bytes.split_off(begin)
}

/// The algorithms that are compiled for each processor.
#[derive(Clone, Copy)]
struct Algorithms<'a> {
    vocabulary: &'a Vocabulary,
    pre_token: &'a [u8],
    ranks: &'a HashMap<&'static [u8], u32>,
}

impl WithCpu for Algorithms<'_> {
    type Output = ();

    fn run<C: Processor>(self, cpu: C) {
        let Self { vocabulary, pre_token, ranks } = self;
        let expected = textbook(ranks, pre_token);
        let mut windows = Vec::new();
        merge_long(vocabulary, pre_token, &mut windows, cpu);
        assert_eq!(windows, expected, "windows, {pre_token:?}");
        if pre_token.len() <= SHORT {
            let mut ids = [0; SHORT + 1];
            let found = merge_short(vocabulary, pre_token, &mut ids, 1, cpu);
            assert_eq!(ids[..found], expected, "array scan, {pre_token:?}");
        }
        let tiny = &pre_token[..pre_token.len().min(TINY)];
        let found = merge_tiny(vocabulary, tiny, key(tiny, 0, tiny.len()), cpu);
        let found: Vec<u32> = found.ids().collect();
        assert_eq!(found, textbook(ranks, tiny), "branchless, {tiny:?}");
    }
}

#[test]
fn all_algorithms_merge_as_the_definition_says() {
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
            let pre_token = random_bytes(&mut numbers, longest);
            let expected = textbook(&ranks, &pre_token);
            let leaves = pre_token.len().next_power_of_two();
            let (mut ids, mut links) = (vec![0; leaves], vec![[0; 2]; leaves]);
            let mut tree = vec![0; 2 * leaves];
            let space = Space { ids: &mut ids, links: &mut links, tree: &mut tree };
            let found = merge_tree(&vocabulary, &pre_token, space);
            assert_eq!(ids[..found], expected, "tournament tree, {pre_token:?}");
            let algorithms =
                Algorithms { vocabulary: &vocabulary, pre_token: &pre_token, ranks: &ranks };
            algorithms.run(Portable);
            dispatch(algorithms);
        }
    }
}

/// Runs of one character, whose short windows do not join, at the lengths where the algorithm changes.
#[test]
fn runs_merge_as_the_definition_says_at_every_length_of_windows() {
    for (make, count) in
        [(Vocabulary::cl100k as fn() -> Vocabulary, 100256), (Vocabulary::o200k, 199998)]
    {
        let vocabulary = make();
        let ranks: HashMap<&[u8], u32> =
            (0..count).filter_map(|id| Some((vocabulary.bytes(id)?, id))).collect();
        for byte in *b"-=_*~ #" {
            for length in (40..140).chain([255, 256, 257, 511, 512, 513, 514, 2047, 2048, 2049]) {
                let pre_token = vec![byte; length];
                let algorithms =
                    Algorithms { vocabulary: &vocabulary, pre_token: &pre_token, ranks: &ranks };
                dispatch(algorithms);
            }
        }
    }
}

/// All pre-tokens of up to three bytes of an alphabet, by two algorithms.
struct UpToThree<'a>(&'a Vocabulary, &'a [u8]);

impl WithCpu for UpToThree<'_> {
    type Output = ();

    fn run<C: Processor>(self, cpu: C) {
        let Self(vocabulary, alphabet) = self;
        let check = |pre_token: &[u8]| {
            let mut ids = [0; SHORT + 1];
            let found = merge_short(vocabulary, pre_token, &mut ids, 1, cpu);
            let tiny = merge_tiny(vocabulary, pre_token, key(pre_token, 0, pre_token.len()), cpu);
            assert!(tiny.ids().eq(ids[..found].iter().copied()), "{pre_token:?}");
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
fn all_pre_tokens_of_three_ascii_characters_merge_alike() {
    let all: Vec<u8> = (0..128).collect();
    let some: Vec<u8> = all.iter().copied().step_by(5).collect();
    let alphabet = if cfg!(debug_assertions) { some } else { all };
    for make in [Vocabulary::r50k, Vocabulary::p50k, Vocabulary::cl100k, Vocabulary::o200k] {
        let vocabulary = make();
        UpToThree(&vocabulary, &alphabet).run(Portable);
        dispatch(UpToThree(&vocabulary, &alphabet));
    }
}
