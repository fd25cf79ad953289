//! The pre-token caches against maps of what was inserted.

use super::{Numbers, assert_same};
use crate::{
    Encoding,
    arch::Portable,
    memory::{HeapLines, Memory},
    pretoken_cache::{CacheEntry, LongTable, PackedIds, RunCache, Set, ShortCache, TokenCount},
    vocab::key::{KEY_BYTES, Key, key},
};
use std::collections::HashMap;

/// Inserts pre-tokens into one set and looks them up again. Hits are right, the last insertion is found, and one
/// insertion does not evict the last hit.
fn holds<E: CacheEntry>(is_same: impl Fn(E, &[u32]) -> bool) {
    let mut numbers = Numbers(0x11E5);
    let mut set: Set = [0; 4];
    let mut truth: HashMap<Key, Vec<u32>> = HashMap::new();
    let mut last_hit = None;
    for _ in 0..10_000 {
        // Few different bytes and lengths, so that keys are similar. NUL is one of the bytes.
        let length = 1 + numbers.below(3) * (numbers.below(KEY_BYTES - 1) / 2);
        let bytes: Vec<u8> = (0..length).map(|_| numbers.below(3) as u8).collect();
        let key = key(&bytes, 0, length);
        let found = E::find(&mut set, key);
        let is_hit = found.is_some();
        if let Some(found) = found {
            assert!(is_same(found, &truth[&key]), "{bytes:?}");
            let first = E::find_first(&set, key, Portable);
            assert!(first.is_some_and(|first| is_same(first, &truth[&key])));
        } else {
            let most = length.min(PackedIds::MAX);
            let tokens: Vec<u32> =
                (0..=numbers.below(most)).map(|_| numbers.below(1 << 18) as u32).collect();
            E::from_ids(&tokens).unwrap().insert(&mut set, key);
            assert!(E::find(&mut set.clone(), key).is_some_and(|found| is_same(found, &tokens)));
            truth.insert(key, tokens);
            if let Some(last) = last_hit {
                assert!(E::find(&mut set.clone(), last).is_some(), "{last:x} was evicted");
            }
        }
        last_hit = is_hit.then_some(key);
    }
}

#[test]
fn a_set_holds_what_was_inserted() {
    holds::<PackedIds>(|found, tokens| found.ids().eq(tokens.iter().copied()));
    holds::<TokenCount>(|TokenCount(count), tokens| count == tokens.len());
}

/// Inserts long pre-tokens into a table of two sets. A hit returns the tokens inserted for the same bytes and
/// vocabulary, and the last insertion is found.
fn finds<const KEY: usize, const WORDS: usize>() {
    let mut numbers = Numbers(0x10E6);
    let mut table = LongTable::<2, KEY, WORDS>::new();
    let most = (WORDS - KEY) * PackedIds::MAX - 1;
    let mut truth: HashMap<(u32, Vec<u8>), Vec<u32>> = HashMap::new();
    let (mut hits, mut rounds) = (0, 0);
    while hits < 2_000 {
        rounds += 1;
        // Few different pre-tokens, which differ in one byte or only in length.
        let length = [16, 17, 16 * KEY - 3, 16 * KEY - 2][numbers.below(4)];
        let mut bytes = vec![0; length];
        bytes[numbers.below(2) * (length - 1)] = numbers.below(2) as u8;
        let vocabulary = 3 + numbers.below(2) as u32;
        let text = [&bytes[..], &[1; 50][..numbers.below(51)]].concat();
        let mut found = vec![];
        let emit = |found: &mut Vec<u32>, ids: PackedIds| found.extend(ids.ids());
        let miss = table.find(vocabulary, &text, (0, length), |ids| emit(&mut found, ids));
        if let Some(vacancy) = miss {
            let count = 1 + numbers.below(most + 1);
            let tokens: Vec<u32> = (0..count).map(|_| numbers.below(1 << 18) as u32).collect();
            let is_inserted = vacancy.insert(&tokens);
            assert!(found.is_empty());
            assert_eq!(is_inserted, count <= most);
            if !is_inserted {
                continue;
            }
            truth.insert((vocabulary, bytes.clone()), tokens);
            let miss = table.find(vocabulary, &text, (0, length), |ids| emit(&mut found, ids));
            assert!(miss.is_none());
        } else {
            hits += 1;
        }
        assert_eq!(Some(&found), truth.get(&(vocabulary, bytes)), "{length}");
    }
    assert!(rounds < 20 * hits, "{rounds} rounds for {hits} hits");
}

#[test]
fn a_table_of_long_pre_tokens_finds_what_was_inserted() {
    finds::<2, 4>();
    finds::<3, 8>();
}

#[test]
fn a_set_of_long_pre_tokens_evicts_the_least_recently_used() {
    let mut table = LongTable::<1, 2, 4>::new();
    let mut is_hit = |bytes: &[u8]| match table.find(4, bytes, (0, 20), |_| ()) {
        None => true,
        Some(vacancy) => !vacancy.insert(&[1]),
    };
    let [a, b, c] = [b"a", b"b", b"c"].map(|letter| letter.repeat(20));
    assert!(!is_hit(&a) && !is_hit(&b));
    assert!(is_hit(&b) && is_hit(&a));
    assert!(!is_hit(&c) && is_hit(&a));
    assert!(!is_hit(&b));
}

/// Hits of a cache of runs have the bytes, the length and the vocabulary of the insertion.
#[test]
fn a_cache_of_runs_finds_what_was_inserted() {
    let mut numbers = Numbers(0x2055);
    let mut cache = RunCache::new();
    let mut truth: HashMap<(u32, Vec<u8>), Vec<u32>> = HashMap::new();
    let mut hits = 0;
    for _ in 0..20_000 {
        let length = [47, 48, 63, 64, 511, 512][numbers.below(6)];
        let bytes = vec![b"-= "[numbers.below(3)]; length];
        let vocabulary = 1 + numbers.below(4) as u32;
        let mut found = None;
        let miss = cache.find(vocabulary, &bytes, |ids| found = Some(ids.to_vec()));
        if let Some(miss) = miss {
            let count = 1 + numbers.below(70);
            let tokens: Vec<u32> = (0..count).map(|_| numbers.below(1 << 18) as u32).collect();
            miss.insert(&tokens);
            assert_eq!(found, None);
            if count < 64 {
                truth.insert((vocabulary, bytes.clone()), tokens);
                let mut again = None;
                assert!(cache.find(vocabulary, &bytes, |ids| again = Some(ids.to_vec())).is_none());
                assert_eq!(again.as_ref(), truth.get(&(vocabulary, bytes)));
            }
        } else {
            hits += 1;
            assert_eq!(found.as_ref(), truth.get(&(vocabulary, bytes)), "{length}");
        }
    }
    assert!(hits > 1_000, "{hits} hits");
}

#[test]
fn vocabularies_map_a_pre_token_to_different_sets() {
    let mut numbers = Numbers(4);
    let cache = ShortCache::fixed(Memory::Heap(HeapLines::new(1024)));
    for _ in 0..1_000 {
        let hash = numbers.below(usize::MAX) as u64;
        let mut sets = [1, 2, 3, 4].map(|number| cache.view(number).index(hash));
        sets.sort_unstable();
        assert!(sets.windows(2).all(|two| two[0] != two[1]), "{hash:x}");
    }
}

/// Runs of every length that has a cache of its own, and of some that have none; in all encodings in turn, so that
/// each finds the entries of the others.
#[test]
fn repeated_runs_have_the_ids_of_tiktoken() {
    let most = if cfg!(debug_assertions) { 70 } else { 300 };
    for length in (1..=most).chain([256, 257, 511, 512, 513]) {
        for unit in ["-", " ", "=*", "─", "xY", "ß", "🎉"] {
            let run: String = unit.chars().cycle().take(length).collect();
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
fn tables_of_ended_threads_are_right() {
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
