//! What each thread has seen lately.
//!
//! Texts repeat their words, and gateways see the same prompts again and again, so nearly every
//! piece has been looked up before, and most of those that have to be merged have been merged.
//! Three tables remember them, of fixed size: what is new takes the place of what was there, or, of
//! two places for short pieces, of what was used longer ago. They compare the bytes themselves and
//! not a hash of them, so a hit is as exact as a merge.
//!
//! All short pieces, tokens and merges alike, go through `front`, for a reason that is not the
//! look-up itself: one probe that nearly always hits leaves nothing to guess, where a search for
//! a token that is none, and then for a merge, misleads the processor at every fourth word of a
//! European text. Merges are kept once more in `short`, since to merge again costs ten times what
//! it costs to look a token up.
//!
//! Memory is taken on a thread's first text, about 4 MiB of which only the pages in use count, and
//! goes with the thread; where a thread is about to end and its tables are gone, empty ones serve.

use crate::{
    flat::{SHORT, TINY, merge_flat, merge_tiny},
    merge::merge_long,
    perfect_hash::{ID_BITS, key_hash},
    sink::Sink,
    vocabulary::{ID_MASK, Key, Vocabulary, first_bytes},
};
use std::cell::RefCell;

/// Pairs of places for pieces of up to 15 bytes: 2 MiB.
const FRONT_PAIRS: usize = 1 << 15;
/// Pairs of places for those of them that are merged: 1 MiB.
const SHORT_PAIRS: usize = 1 << 14;
/// Places for longer pieces: 1 MiB.
const LONG_PLACES: usize = 1 << 13;
/// The longest piece that fits into such a place.
const LONG_BYTES: usize = 46;

/// Up to this many tokens are packed into one word: ids of 18 bits, the first in the lowest, and
/// how many they are from bit 108 on.
pub(crate) const PACKED: usize = 6;
const COUNT: u32 = PACKED as u32 * ID_BITS;
/// Where a key has the number of the vocabulary, which is not 0.
const VOCABULARY: u32 = 124;

/// A key with the number of its vocabulary, and its tokens.
type Short = [u128; 2];
/// Two of those in one cache line, the one used last first.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Pair([Short; 2]);
/// The bytes of a piece, then zeros, with its length and the number of the vocabulary in the last
/// two bytes of the first three words; then its tokens, in words of which only the last that is
/// used may hold less than six.
type Long = [u128; 8];

/// The tables of one thread.
pub(crate) struct Recent {
    front: Box<[Pair; FRONT_PAIRS]>,
    /// The newer one of a pair is the first.
    short: Box<[[Short; 2]; SHORT_PAIRS]>,
    long: Box<[Long; LONG_PLACES]>,
}

thread_local! {
    static RECENT: RefCell<Option<Recent>> = const { RefCell::new(None) };
}

/// Calls `work` with this thread's tables, or with empty ones where they are gone.
#[inline(always)]
pub(crate) fn with<R>(work: impl FnOnce(&mut Recent) -> R) -> R {
    let mut work = Some(work);
    let done = RECENT.try_with(|recent| {
        let mut recent = recent.try_borrow_mut().ok()?;
        Some(work.take()?(recent.get_or_insert_with(Recent::new)))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut Recent::new()),
        // Not reached: `work` is taken only for a result.
        (_, None) => unreachable!(),
    }
}

impl Recent {
    #[cold]
    fn new() -> Self {
        // What is made of zeros is not written until it is used.
        Self {
            front: places(vec![Pair([[0; 2]; 2]); FRONT_PAIRS]),
            short: places(vec![[[0; 2]; 2]; SHORT_PAIRS]),
            long: places(vec![[0; 8]; LONG_PLACES]),
        }
    }

    /// Gives the tokens of `piece`, of at most 15 bytes and with this key, to `sink`.
    #[inline(always)]
    pub(crate) fn keyed<S: Sink>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        sink: &mut S,
    ) {
        let hash = key_hash(key);
        let Pair([[known, packed], _]) = self.front[(hash >> 32) as usize % FRONT_PAIRS];
        if known == key | u128::from(vocabulary.number) << VOCABULARY {
            sink.packed(packed, count(packed));
        } else {
            self.keyed_slowly(vocabulary, piece, key, hash, sink);
        }
    }

    #[inline(never)]
    fn keyed_slowly<S: Sink>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        hash: u64,
        sink: &mut S,
    ) {
        let tagged = key | u128::from(vocabulary.number) << VOCABULARY;
        let Pair([front, second]) = &mut self.front[(hash >> 32) as usize % FRONT_PAIRS];
        std::mem::swap(front, second);
        let [known, packed] = *front;
        if known == tagged {
            return sink.packed(packed, count(packed));
        }
        if piece.len() <= TINY {
            let mut tokens = [0; TINY];
            let found = merge_tiny(vocabulary, piece, &mut tokens);
            *front = [tagged, pack(&tokens[..found])];
            return sink.tokens(&tokens[..found]);
        }
        if let Some(id) = vocabulary.token(key, hash) {
            *front = [tagged, pack(&[id])];
            return sink.token(id);
        }
        let pair = &mut self.short[(hash >> 32) as usize % SHORT_PAIRS];
        for [known, packed] in *pair {
            if known == tagged {
                *front = [tagged, packed];
                return sink.packed(packed, count(packed));
            }
        }
        let mut tokens = [0; SHORT + 1];
        let found = merge_flat(vocabulary, piece, &mut tokens, 2);
        if found <= PACKED {
            *front = [tagged, pack(&tokens[..found])];
            *pair = [*front, pair[0]];
        }
        sink.tokens(&tokens[..found]);
    }

    /// Gives the tokens of the piece `text[start..end]`, of 16 bytes or more, to `sink`.
    #[inline(never)]
    pub(crate) fn unkeyed<S: Sink>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        (start, end): (usize, usize),
        sink: &mut S,
    ) {
        let piece = &text[start..end];
        if piece.len() > LONG_BYTES {
            return merge_unremembered(vocabulary, piece, sink);
        }
        let [first, second, third] = words(text, start, piece.len());
        let tag = (piece.len() as u128) << 112 | u128::from(vocabulary.number) << 120;
        let key = [first, second, third | tag];
        let place = &mut self.long[long_place(key)];
        let (known, tokens) = place.split_at_mut(3);
        if known == key {
            for packed in tokens {
                let count = count(*packed);
                sink.packed(*packed, count);
                if count < PACKED {
                    break;
                }
            }
            return;
        }
        let mut found = [0; SHORT + 1];
        let count = merge_flat(vocabulary, piece, &mut found, 1);
        let found = &found[..count];
        if count < tokens.len() * PACKED {
            known.copy_from_slice(&key);
            for (place, six) in tokens.iter_mut().zip(found.chunks(PACKED).chain([&[][..]])) {
                *place = pack(six);
            }
        }
        sink.tokens(found);
    }
}

fn places<T, const N: usize>(places: Vec<T>) -> Box<[T; N]> {
    let Ok(places) = places.into_boxed_slice().try_into() else { unreachable!() };
    places
}

fn merge_unremembered<S: Sink>(vocabulary: &Vocabulary, piece: &[u8], sink: &mut S) {
    if piece.len() > SHORT {
        return merge_long(vocabulary, piece, sink);
    }
    let mut tokens = [0; SHORT + 1];
    let found = merge_flat(vocabulary, piece, &mut tokens, 1);
    sink.tokens(&tokens[..found]);
}

/// The `length` bytes of `text` from `start` on, 16 to 48 of them, then zeros.
#[inline(always)]
fn words(text: &[u8], start: usize, length: usize) -> [u128; 3] {
    let load = |bytes: &[u8; 48]| {
        let mut words = [0; 3];
        for (word, sixteen) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u128::from_le_bytes(*sixteen);
        }
        words
    };
    let [first, second, third] = match text[start..].first_chunk() {
        Some(bytes) => load(bytes),
        None => {
            let mut bytes = [0; 48];
            bytes[..length].copy_from_slice(&text[start..start + length]);
            load(&bytes)
        }
    };
    [first, first_bytes(second, length - 16), first_bytes(third, length.saturating_sub(32))]
}

/// Where a longer piece belongs.
#[inline(always)]
fn long_place(key: [u128; 3]) -> usize {
    let mixed = key.into_iter().fold(0u64, |mixed, word| mixed.rotate_left(23) ^ key_hash(word));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % LONG_PLACES
}

/// Up to six tokens in one word.
fn pack(tokens: &[u32]) -> u128 {
    let ids = tokens.iter().rev().fold(0, |packed, &id| packed << ID_BITS | u128::from(id));
    ids | (tokens.len() as u128) << COUNT
}

#[inline(always)]
fn count(packed: u128) -> usize {
    (packed >> COUNT) as usize
}

/// The first `count` ids in `packed`.
#[inline(always)]
pub(crate) fn unpack(packed: u128, count: usize) -> impl Iterator<Item = u32> {
    (0..count as u32).map(move |i| (packed >> (ID_BITS * i)) as u32 & ID_MASK as u32)
}

/// How many ids lie in the lower half of a word.
pub(crate) const FEW: usize = (u64::BITS / ID_BITS) as usize;

/// The first ids in `packed`, there or not.
#[inline(always)]
pub(crate) fn unpack_few(packed: u128) -> [u32; FEW] {
    let few = packed as u64;
    std::array::from_fn(|i| (few >> (ID_BITS * i as u32)) as u32 & ID_MASK as u32)
}
