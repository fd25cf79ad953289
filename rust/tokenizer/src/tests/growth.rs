//! The cache of short pre-tokens before, during and after its growth; and the engine with empty tables, on the
//! processor at hand and with portable kernels.

use super::{Numbers, oracle};
use crate::{
    Encoding, Tokenizer,
    arch::{Portable, WithCpu, dispatch},
    engine::{Tables, Tokenize},
    memory::{HeapLines, Memory},
    pretoken_cache::{CacheEntry, PackedIds, ShortCache, TokenCount},
    pretokenize::{Cl100k, O200k, R50k, Splitter},
    sink::{Count, Sink},
    vocab::{
        Vocabulary,
        key::{Key, key},
    },
};
use std::{collections::HashMap, marker::PhantomData, slice::from_ref, time::Duration};

/// Both kinds of memory.
const KINDS: [fn(usize) -> Memory; 2] =
    [|count| Memory::Heap(HeapLines::new(count)), |count| Memory::try_new(count).unwrap()];

fn hash(key: Key) -> u64 {
    ((key ^ key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

/// Inserts pre-tokens of some vocabularies into a cache of 2 to the power of `from` sets, and grows it. Hits are
/// right before and after. Growth keeps all entries of one vocabulary, and nearly all of several.
fn grows<E: CacheEntry>(
    from: u32,
    grown: Memory,
    vocabularies: usize,
    is_same: fn(E, &[u32]) -> bool,
) {
    let mut numbers = Numbers(0x6120);
    let mut cache = ShortCache::fixed(Memory::Heap(HeapLines::new(1 << from)));
    let mut truth: HashMap<(u32, Key), Vec<u32>> = HashMap::new();
    for _ in 0..2 << from {
        let number = 1 + numbers.below(vocabularies) as u32;
        let bytes: Vec<u8> = (0..=numbers.below(15)).map(|_| numbers.below(9) as u8).collect();
        let key = key(&bytes, 0, bytes.len());
        let set = cache.view(number).index(hash(key));
        if E::find(cache.set_mut(set), key).is_none() {
            let count = 1 + numbers.below(PackedIds::MAX);
            let tokens: Vec<u32> = (0..count).map(|_| numbers.below(1 << 18) as u32).collect();
            E::from_ids(&tokens).unwrap().insert(cache.set_mut(set), key);
            truth.insert((number, key), tokens);
        }
    }
    let found = |cache: &ShortCache| {
        let hits = truth.iter().filter(|&(&(number, key), tokens)| {
            let cache = cache.view(number);
            let mut set = *cache.set(cache.index(hash(key)));
            let entry = E::find(&mut set, key);
            assert!(entry.is_none_or(|entry| is_same(entry, tokens)), "{number} {key:x}");
            entry.is_some()
        });
        hits.count()
    };
    let before = found(&cache);
    assert!(before > 1 << from);
    cache.grow::<E>(grown, hash);
    let after = found(&cache);
    assert!(after <= before && after * 20 >= before * 19, "{after} of {before}");
    assert!(vocabularies > 1 || after == before, "{after} of {before}");
}

#[test]
fn growth_keeps_the_entries() {
    for (from, to) in [(10, 15), (15, 16), (15, 17)] {
        for memory in KINDS {
            for vocabularies in [1, 4] {
                let ids = |ids: PackedIds, tokens: &[u32]| ids.ids().eq(tokens.iter().copied());
                grows::<PackedIds>(from, memory(1 << to), vocabularies, ids);
                let count = |TokenCount(count), tokens: &[u32]| count == tokens.len();
                grows::<TokenCount>(from, memory(1 << to), vocabularies, count);
            }
        }
    }
}

/// Passes the tokens of `text` to `sink`, with these tables.
fn feed<P: Splitter>(
    tables: &mut Tables,
    vocabulary: &Vocabulary,
    text: &str,
    sink: &mut impl Sink,
    portable: bool,
) {
    let (all, range) = (text.as_bytes(), 0..text.len());
    let ranges = from_ref(&range);
    let work = Tokenize::<P, _> { vocabulary, all, ranges, sink, tables, splitter: PhantomData };
    if portable { work.run(Portable) } else { dispatch(work) }
}

fn run(tables: &mut Tables, encoding: Encoding, text: &str, sink: &mut impl Sink, portable: bool) {
    let vocabulary = Tokenizer::get(encoding).vocabulary;
    match encoding {
        Encoding::R50kBase | Encoding::P50kBase | Encoding::P50kEdit => {
            feed::<R50k>(tables, vocabulary, text, sink, portable);
        }
        Encoding::Cl100kBase => feed::<Cl100k>(tables, vocabulary, text, sink, portable),
        Encoding::O200kBase | Encoding::O200kHarmony => {
            feed::<O200k>(tables, vocabulary, text, sink, portable);
        }
    }
}

fn encode(tables: &mut Tables, encoding: Encoding, text: &str, portable: bool) -> Vec<u32> {
    let mut ids = vec![];
    run(tables, encoding, text, &mut ids, portable);
    ids
}

fn count(tables: &mut Tables, encoding: Encoding, text: &str, portable: bool) -> usize {
    let mut sink = Count::<false> { count: 0, limit: 0 };
    run(tables, encoding, text, &mut sink, portable);
    sink.count
}

/// Encodes or counts.
type Operation = fn(&mut Tables, Encoding, &str, bool) -> Vec<u32>;

/// The operations with the indices of their caches.
const OPERATIONS: [(usize, Operation); 2] = [
    (PackedIds::CACHE, encode),
    (TokenCount::CACHE, |tables, encoding, text, portable| {
        vec![count(tables, encoding, text, portable) as u32]
    }),
];

/// Words of random letters, each a pre-token.
fn words(numbers: &mut Numbers, count: usize) -> Vec<String> {
    let mut word = || {
        let letters = (0..4 + numbers.below(4)).map(|_| char::from(b'a' + numbers.below(26) as u8));
        std::iter::once(' ').chain(letters).collect()
    };
    (0..count).map(|_| word()).collect()
}

/// Fills a cache until it grows with the next insertion.
fn prepare(
    tables: &mut Tables,
    (cache, operation): (usize, Operation),
    numbers: &mut Numbers,
    portable: bool,
) {
    while !tables.cache(cache).is_prepared() {
        match tables.cache(cache).until_growth().min(100) {
            0 => std::thread::sleep(Duration::from_millis(1)),
            count => {
                let text = words(numbers, count).concat();
                drop(operation(tables, Encoding::R50kBase, &text, portable))
            }
        }
    }
}

/// After the growth, pre-tokens that wait are looked up in their new sets, and not where entries of other
/// vocabularies may be now.
#[test]
fn it_grows_while_pre_tokens_of_another_vocabulary_wait() {
    for portable in [false, true] {
        for (cache, operation) in OPERATIONS {
            let mut numbers = Numbers(0x3A17);
            let mut tables = Tables::new();
            let mut sizes = vec![tables.cache(cache).len()];
            for _ in 0..2 {
                let text = words(&mut numbers, 60).concat();
                operation(&mut tables, Encoding::R50kBase, &text, portable);
                prepare(&mut tables, (cache, operation), &mut numbers, portable);
                let found = operation(&mut tables, Encoding::O200kBase, &text, portable);
                let expected = operation(&mut Tables::new(), Encoding::O200kBase, &text, portable);
                assert_eq!(found, expected, "cache {cache}, portable {portable}: {text:?}");
                sizes.push(tables.cache(cache).len());
            }
            assert_eq!(sizes, [1 << 10, 1 << 15, 1 << if cache == 0 { 17 } else { 16 }]);
        }
    }
}

#[test]
fn tables_are_read_ahead_once() {
    let vocabulary = Vocabulary::cl100k();
    vocabulary.read_ahead().unwrap().read();
    assert!(vocabulary.read_ahead().is_none());
}

#[test]
fn portable_kernels_have_the_ids_of_tiktoken_while_it_grows() {
    let mut numbers = Numbers(0x907);
    let mut tables = Tables::new();
    let rounds = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    for round in 0..rounds {
        let text = if round % 2 == 0 { numbers.text(60) } else { words(&mut numbers, 40).concat() };
        for encoding in Encoding::ALL {
            let expected = oracle(encoding).encode_ordinary(&text);
            let ids = encode(&mut tables, encoding, &text, true);
            assert_eq!(ids, expected, "{} on {text:?}", encoding.name());
            assert_eq!(count(&mut tables, encoding, &text, true), ids.len(), "{text:?}");
        }
    }
    let sizes = [PackedIds::CACHE, TokenCount::CACHE].map(|cache| tables.cache(cache).len());
    assert_eq!(sizes, [1 << 17, 1 << 16]);
}
