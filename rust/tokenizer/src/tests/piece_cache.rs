//! The piece cache before, while and after it grows; and the engine with tables of its own, on the processor at
//! hand and on any.

use super::{Numbers, oracle};
use crate::{
    Encoding, Tokenizer,
    known::Known,
    memory::{Memory, Plain},
    packed::Packed,
    piece_cache::PieceCache,
    pieces::each,
    quads::Counted,
    recent::Recent,
    simd::{Portable, Work, dispatch},
    sink::{Count, Sink},
    split::{Cl100k, O200k, R50k},
    vocabulary::{Key, Vocabulary, key},
};
use std::{collections::HashMap, slice::from_ref, time::Duration};

/// Both kinds of memory.
const KINDS: [fn(usize) -> Memory; 2] =
    [|count| Memory::Plain(Plain::new(count)), |count| Memory::try_new(count).unwrap()];

fn hash(key: Key) -> u64 {
    ((key ^ key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

/// Puts pieces of some vocabularies into a cache of 2 to the power of `from` lines and lets it grow. What is found is
/// right, before and after; all that was there still is, if all are of one vocabulary, and else nearly all.
fn grows<K: Known>(from: u32, grown: Memory, vocabularies: usize, same: fn(K, &[u32]) -> bool) {
    let mut numbers = Numbers(0x6120);
    let mut cache = PieceCache::of(Memory::Plain(Plain::new(1 << from)));
    let mut truth: HashMap<(u32, Key), Vec<u32>> = HashMap::new();
    for _ in 0..2 << from {
        let number = 1 + numbers.below(vocabularies) as u32;
        let piece: Vec<u8> = (0..=numbers.below(15)).map(|_| numbers.below(9) as u8).collect();
        let key = key(&piece, 0, piece.len());
        let place = cache.view(number).place(hash(key));
        if K::find(cache.line_mut(place), key).is_none() {
            let count = 1 + numbers.below(Packed::MOST);
            let tokens: Vec<u32> = (0..count).map(|_| numbers.below(1 << 18) as u32).collect();
            K::of(&tokens).unwrap().put(cache.line_mut(place), key);
            truth.insert((number, key), tokens);
        }
    }
    let found = |cache: &PieceCache| {
        let known = truth.iter().filter(|&(&(number, key), tokens)| {
            let cache = cache.view(number);
            let mut line = *cache.line(cache.place(hash(key)));
            let known = K::find(&mut line, key);
            assert!(known.is_none_or(|known| same(known, tokens)), "{number} {key:x}");
            known.is_some()
        });
        known.count()
    };
    let before = found(&cache);
    assert!(before > 1 << from);
    cache.grow::<K>(grown, hash);
    let after = found(&cache);
    assert!(after <= before && after * 20 >= before * 19, "{after} of {before}");
    assert!(vocabularies > 1 || after == before, "{after} of {before}");
}

#[test]
fn what_was_known_before_it_grew_is_known_after() {
    for (from, to) in [(10, 15), (15, 16), (15, 17)] {
        for memory in KINDS {
            for vocabularies in [1, 4] {
                let ids = |known: Packed, tokens: &[u32]| known.ids().eq(tokens.iter().copied());
                grows::<Packed>(from, memory(1 << to), vocabularies, ids);
                let count = |Counted(count), tokens: &[u32]| count == tokens.len();
                grows::<Counted>(from, memory(1 << to), vocabularies, count);
            }
        }
    }
}

fn on(portable: bool, work: impl Work) {
    if portable { work.run(Portable) } else { dispatch(work) }
}

/// Gives the tokens of `text` to `sink`, with these tables.
fn run(recent: &mut Recent, encoding: Encoding, text: &str, sink: &mut impl Sink, portable: bool) {
    let (vocabulary, all, range) =
        (Tokenizer::get(encoding).vocabulary, text.as_bytes(), 0..text.len());
    let ranges = from_ref(&range);
    match encoding {
        Encoding::R50kBase | Encoding::P50kBase | Encoding::P50kEdit => {
            on(portable, each::<R50k, _>(vocabulary, all, ranges, sink, recent));
        }
        Encoding::Cl100kBase => {
            on(portable, each::<Cl100k, _>(vocabulary, all, ranges, sink, recent))
        }
        Encoding::O200kBase | Encoding::O200kHarmony => {
            on(portable, each::<O200k, _>(vocabulary, all, ranges, sink, recent));
        }
    }
}

fn encode(recent: &mut Recent, encoding: Encoding, text: &str, portable: bool) -> Vec<u32> {
    let mut ids = vec![];
    run(recent, encoding, text, &mut ids, portable);
    ids
}

fn count(recent: &mut Recent, encoding: Encoding, text: &str, portable: bool) -> usize {
    let mut sink = Count::<false> { count: 0, limit: 0 };
    run(recent, encoding, text, &mut sink, portable);
    sink.count
}

/// What is the same for ids and counts.
type Feed = fn(&mut Recent, Encoding, &str, bool) -> Vec<u32>;

const FEEDS: [(usize, Feed); 2] = [
    (Packed::TABLE, encode),
    (Counted::TABLE, |recent, encoding, text, portable| {
        vec![count(recent, encoding, text, portable) as u32]
    }),
];

/// Words of letters in no order, each a piece.
fn words(numbers: &mut Numbers, count: usize) -> Vec<String> {
    let mut word = || {
        let letters = (0..4 + numbers.below(4)).map(|_| char::from(b'a' + numbers.below(26) as u8));
        std::iter::once(' ').chain(letters).collect()
    };
    (0..count).map(|_| word()).collect()
}

/// Brings a piece cache to where it grows at the next new piece.
fn prepare(
    recent: &mut Recent,
    (table, feed): (usize, Feed),
    numbers: &mut Numbers,
    portable: bool,
) {
    while !recent.cache(table).is_prepared() {
        match recent.cache(table).until_growth().min(100) {
            0 => std::thread::sleep(Duration::from_millis(1)),
            count => {
                drop(feed(recent, Encoding::R50kBase, &words(numbers, count).concat(), portable))
            }
        }
    }
}

/// Pieces that wait are looked up where they belong after it has grown, and not where others' may be now.
#[test]
fn it_grows_while_pieces_of_another_vocabulary_wait() {
    for portable in [false, true] {
        for (table, feed) in FEEDS {
            let mut numbers = Numbers(0x3A17);
            let mut recent = Recent::new();
            let mut sizes = vec![recent.cache(table).len()];
            for _ in 0..2 {
                let text = words(&mut numbers, 60).concat();
                feed(&mut recent, Encoding::R50kBase, &text, portable);
                prepare(&mut recent, (table, feed), &mut numbers, portable);
                let found = feed(&mut recent, Encoding::O200kBase, &text, portable);
                let expected = feed(&mut Recent::new(), Encoding::O200kBase, &text, portable);
                assert_eq!(found, expected, "table {table}, portable {portable}: {text:?}");
                sizes.push(recent.cache(table).len());
            }
            assert_eq!(sizes, [1 << 10, 1 << 15, 1 << if table == 0 { 17 } else { 16 }]);
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
fn any_processor_has_the_ids_of_tiktoken_while_it_grows() {
    let mut numbers = Numbers(0x907);
    let mut recent = Recent::new();
    let rounds = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    for round in 0..rounds {
        let text = if round % 2 == 0 { numbers.text(60) } else { words(&mut numbers, 40).concat() };
        for encoding in Encoding::ALL {
            let expected = oracle(encoding).encode_ordinary(&text);
            let ids = encode(&mut recent, encoding, &text, true);
            assert_eq!(ids, expected, "{} on {text:?}", encoding.name());
            assert_eq!(count(&mut recent, encoding, &text, true), ids.len(), "{text:?}");
        }
    }
    let sizes = [Packed::TABLE, Counted::TABLE].map(|table| recent.cache(table).len());
    assert_eq!(sizes, [1 << 17, 1 << 16]);
}
