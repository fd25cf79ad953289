//! What is remembered of pieces, against what was put there.

use super::{Numbers, assert_same};
use crate::{
    Encoding,
    known::Known,
    lines::{self, Line},
    long::Table,
    packed::Packed,
    quads::Counted,
    simd::Portable,
    vocabulary::{KEY_BYTES, Key, Vocabulary, key},
};
use std::collections::HashMap;

/// Puts pieces into one line and asks for them again. What is found is right, what was put last is
/// there, and so is what was found last, when one more has been put.
fn holds<K: Known>(same: impl Fn(K, &[u32]) -> bool) {
    let mut numbers = Numbers(0x11E5);
    let mut line: Line = [0; 4];
    let mut truth: HashMap<Key, Vec<u32>> = HashMap::new();
    let mut last_found = None;
    for _ in 0..10_000 {
        // Few different bytes and lengths, so that keys differ in little; and NUL is a byte too.
        let length = 1 + numbers.below(3) * (numbers.below(KEY_BYTES - 1) / 2);
        let piece: Vec<u8> = (0..length).map(|_| numbers.below(3) as u8).collect();
        let key = key(&piece, 0, length);
        let found = K::find(&mut line, key);
        let is_known = found.is_some();
        if let Some(found) = found {
            assert!(same(found, &truth[&key]), "{piece:?}");
            assert!(
                K::in_first(&line, key, Portable).is_some_and(|first| same(first, &truth[&key]))
            );
        } else {
            let most = length.min(Packed::MOST);
            let tokens: Vec<u32> =
                (0..=numbers.below(most)).map(|_| numbers.below(1 << 18) as u32).collect();
            K::of(&tokens).unwrap().put(&mut line, key);
            assert!(K::find(&mut line.clone(), key).is_some_and(|put| same(put, &tokens)));
            truth.insert(key, tokens);
            if let Some(last) = last_found {
                assert!(K::find(&mut line.clone(), last).is_some(), "{last:x} was pushed out");
            }
        }
        last_found = is_known.then_some(key);
    }
}

#[test]
fn a_line_holds_what_was_put_there() {
    holds::<Packed>(|found, tokens| found.ids().eq(tokens.iter().copied()));
    holds::<Counted>(|Counted(count), tokens| count == tokens.len());
}

/// Puts long pieces into a table of two pairs of places. What is found is what was kept of the same bytes
/// with the same vocabulary, and what was kept last is found.
fn finds<const KEY: usize, const WORDS: usize>() {
    let mut numbers = Numbers(0x10E6);
    let mut table = Table::<2, KEY, WORDS>::new();
    let vocabularies = [Vocabulary::cl100k(), Vocabulary::o200k()];
    let most = (WORDS - KEY) * Packed::MOST - 1;
    let mut truth: HashMap<(usize, Vec<u8>), Vec<u32>> = HashMap::new();
    let (mut hits, mut rounds) = (0, 0);
    while hits < 2_000 {
        rounds += 1;
        // Few different pieces, which differ in a byte or in their length alone.
        let length = [16, 17, 16 * KEY - 3, 16 * KEY - 2][numbers.below(4)];
        let mut piece = vec![0; length];
        piece[numbers.below(2) * (length - 1)] = numbers.below(2) as u8;
        let number = numbers.below(2);
        let text = [&piece[..], &[1; 50][..numbers.below(51)]].concat();
        let vocabulary = &vocabularies[number];
        let mut sink = vec![];
        if let Some(place) = table.give(vocabulary, &text, (0, length), &mut sink) {
            assert!(sink.is_empty());
            let count = 1 + numbers.below(most + 1);
            let tokens: Vec<u32> = (0..count).map(|_| numbers.below(1 << 18) as u32).collect();
            if place.keep(&tokens) {
                truth.insert((number, piece.clone()), tokens);
                assert!(count <= most);
                assert!(table.give(vocabulary, &text, (0, length), &mut sink).is_none());
            } else {
                assert!(count > most);
                continue;
            }
        } else {
            hits += 1;
        }
        assert_eq!(Some(&sink), truth.get(&(number, piece)), "{length}");
    }
    assert!(rounds < 20 * hits, "{rounds} rounds for {hits} hits");
}

#[test]
fn a_table_of_long_pieces_finds_what_was_kept() {
    finds::<2, 4>();
    finds::<3, 8>();
}

#[test]
fn two_long_pieces_share_a_hash_and_the_older_one_goes() {
    let vocabulary = Vocabulary::o200k();
    let mut table = Table::<1, 2, 4>::new();
    let mut sink = vec![];
    let mut is_known = |piece: &[u8]| match table.give(&vocabulary, piece, (0, 20), &mut sink) {
        None => true,
        Some(place) => !place.keep(&[1]),
    };
    let [a, b, c] = [b"a", b"b", b"c"].map(|letter| letter.repeat(20));
    assert!(!is_known(&a) && !is_known(&b));
    assert!(is_known(&b) && is_known(&a));
    assert!(!is_known(&c) && is_known(&a));
    assert!(!is_known(&b));
}

#[test]
fn vocabularies_send_a_piece_to_different_lines() {
    let mut numbers = Numbers(4);
    for _ in 0..1_000 {
        let hash = numbers.below(usize::MAX) as u64;
        let mut places = [1, 2, 3, 4].map(|number| lines::place::<1024>(hash, number));
        places.sort_unstable();
        assert!(places.windows(2).all(|two| two[0] != two[1]), "{hash:x}");
    }
}

/// Of each length that is remembered in its own way, and of some that are not; in all encodings in
/// turn, so that each finds what the others have left.
#[test]
fn runs_have_the_ids_of_tiktoken_when_they_come_again() {
    let most = if cfg!(debug_assertions) { 70 } else { 300 };
    for length in (1..=most).chain([256, 257, 511, 512, 513]) {
        for bit in ["-", " ", "=*", "─", "xY", "ß", "🎉"] {
            let run: String = bit.chars().cycle().take(length).collect();
            let text = format!(
                "{run}\n\nOnce {run} more{run}, and a text that is longer than a block\n{run}"
            );
            for encoding in Encoding::ALL {
                assert_same(encoding, &text);
            }
        }
    }
}

#[test]
fn what_threads_leave_to_others_is_right() {
    for round in 0..8 {
        std::thread::scope(|scope| {
            for thread in 0..6 {
                scope.spawn(move || {
                    let mut numbers = Numbers(0x7AB1E + round * 8 + thread);
                    for _ in 0..50 {
                        let text = numbers.text(60);
                        for encoding in Encoding::ALL {
                            assert_same(encoding, &text);
                        }
                    }
                });
            }
        });
    }
}
