//! What each thread has merged lately.
//!
//! Texts repeat their names, and gateways see the same prompts again and again, so most pieces
//! that have to be merged have been merged before. Two tables remember them, of fixed size: what
//! is new replaces what was in its place, or, of the two places for a short piece, moves on what
//! was in the first. They compare the bytes themselves and not a hash of them, so a hit is as
//! exact as a merge. Memory is taken on a thread's first merge, about 2 MiB of which only
//! the pages in use count, and goes with the thread; where a thread is about to end and its
//! tables are gone, pieces are merged without them.

use crate::{
    flat::{SHORT, merge_flat},
    merge::merge_long,
    pair_hash::ID_BITS,
    sink::Sink,
    vocabulary::{ID_MASK, Key, Vocabulary},
};
use std::cell::RefCell;

/// Pairs of places for pieces of up to 15 bytes: 1 MiB.
const KEYED_PAIRS: usize = 1 << 14;
/// The tokens that fit into such a place.
const KEYED_TOKENS: usize = 6;
const KEYED_COUNT: u32 = 108;
const KEYED_VOCABULARY: u32 = 112;

/// Places for longer pieces: 1 MiB.
const LONG_PLACES: usize = 1 << 13;
/// The longest piece that fits into such a place.
const LONG_BYTES: usize = 47;
/// The tokens that fit into such a place.
const LONG_TOKENS: usize = 19;
const LONG_HEADER: usize = 12;

/// The tables of one thread.
pub(crate) struct Recent {
    /// A key, and its tokens: six ids of 18 bits, four bits that count them, and the number of
    /// the vocabulary, which is not 0. The newer one of a pair is the first.
    keyed: Box<[[[u128; 2]; 2]]>,
    /// The bytes of a piece, then zeros, with the length in the last of the first 48 bytes; the
    /// number of tokens and, above eight bits, that of the vocabulary; the tokens.
    long: Box<[[u32; 32]]>,
}

thread_local! {
    static RECENT: RefCell<Option<Recent>> = const { RefCell::new(None) };
}

/// Calls `work` with this thread's tables, or without where they are gone.
#[inline(always)]
fn with<R>(work: impl FnOnce(Option<&mut Recent>) -> R) -> R {
    let mut work = Some(work);
    let done = RECENT.try_with(|recent| {
        let mut recent = recent.try_borrow_mut().ok()?;
        Some(work.take()?(Some(recent.get_or_insert_with(Recent::new))))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(None),
        // Not reached: `work` is taken only for a result.
        (_, None) => unreachable!(),
    }
}

impl Recent {
    #[cold]
    fn new() -> Self {
        Self {
            keyed: vec![[[0; 2]; 2]; KEYED_PAIRS].into(),
            long: vec![[0; 32]; LONG_PLACES].into(),
        }
    }
}

/// Gives the tokens of `piece`, of at most 15 bytes and no token, to `sink`.
#[inline(never)]
pub(crate) fn merge_keyed<S: Sink>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    key: Key,
    hash: u64,
    sink: &mut S,
) {
    with(|recent| {
        let Some(recent) = recent else {
            return merge_unremembered(vocabulary, piece, sink);
        };
        let places = &mut recent.keyed[(hash >> 32) as usize & (KEYED_PAIRS - 1)];
        for [known, packed] in *places {
            if known == key && (packed >> KEYED_VOCABULARY) as u32 == vocabulary.number {
                return sink.packed(packed, (packed >> KEYED_COUNT) as usize & 15);
            }
        }
        let mut tokens = [0; SHORT + 1];
        let found = merge_flat(vocabulary, piece, &mut tokens, 2);
        if found <= KEYED_TOKENS {
            let packed = tokens[..found]
                .iter()
                .rev()
                .fold(0, |packed, &id| packed << ID_BITS | u128::from(id))
                | (found as u128) << KEYED_COUNT
                | u128::from(vocabulary.number) << KEYED_VOCABULARY;
            *places = [[key, packed], places[0]];
        }
        sink.tokens(&tokens[..found]);
    });
}

/// Gives the tokens of `piece`, of 16 bytes or more, to `sink`.
#[inline(never)]
pub(crate) fn merge_unkeyed<S: Sink>(vocabulary: &Vocabulary, piece: &[u8], sink: &mut S) {
    with(|recent| {
        let Some(recent) = recent else {
            return merge_unremembered(vocabulary, piece, sink);
        };
        if piece.len() > LONG_BYTES {
            return merge_unremembered(vocabulary, piece, sink);
        }
        let mut padded = [0; LONG_BYTES + 1];
        padded[..piece.len()].copy_from_slice(piece);
        padded[LONG_BYTES] = piece.len() as u8;
        let place = &mut recent.long[place(&padded)];
        let words = padded.as_chunks::<4>().0;
        let is_known = place.iter().zip(words).all(|(a, b)| *a == u32::from_le_bytes(*b));
        let header = place[LONG_HEADER];
        if is_known && header >> 8 == vocabulary.number {
            let count = (header as usize & 255).min(LONG_TOKENS);
            return sink.tokens(&place[LONG_HEADER + 1..][..count]);
        }
        let mut tokens = [0; SHORT + 1];
        let found = merge_flat(vocabulary, piece, &mut tokens, 1);
        if found <= LONG_TOKENS {
            for (word, bytes) in place.iter_mut().zip(words) {
                *word = u32::from_le_bytes(*bytes);
            }
            place[LONG_HEADER] = vocabulary.number << 8 | found as u32;
            place[LONG_HEADER + 1..].copy_from_slice(&tokens[..LONG_TOKENS]);
        }
        sink.tokens(&tokens[..found]);
    });
}

fn merge_unremembered<S: Sink>(vocabulary: &Vocabulary, piece: &[u8], sink: &mut S) {
    if piece.len() > SHORT {
        return merge_long(vocabulary, piece, sink);
    }
    let mut tokens = [0; SHORT + 1];
    let found = merge_flat(vocabulary, piece, &mut tokens, 1);
    sink.tokens(&tokens[..found]);
}

/// Where a padded piece belongs.
fn place(padded: &[u8; LONG_BYTES + 1]) -> usize {
    let mut mixed = 0u64;
    for eight in padded.as_chunks::<8>().0 {
        mixed = (mixed.rotate_left(23) ^ u64::from_le_bytes(*eight))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (mixed >> 40) as usize & (LONG_PLACES - 1)
}

/// The ids in `packed`, the first in the lowest bits.
#[inline(always)]
pub(crate) fn unpack(packed: u128, count: usize) -> impl Iterator<Item = u32> {
    (0..count as u32).map(move |i| (packed >> (ID_BITS * i)) as u32 & ID_MASK as u32)
}
