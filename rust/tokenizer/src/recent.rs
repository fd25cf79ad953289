//! What each thread has seen lately.
//!
//! Texts repeat their words, and gateways see the same prompts again and again, so nearly every
//! piece has been looked up before, and most of those that have to be merged have been merged.
//! Three tables remember them, of fixed size: what is new takes the place of what was there. They
//! compare the bytes themselves and not a hash of them, so a hit is as exact as a merge.
//!
//! All short pieces, tokens and merges alike, go through `front`, for a reason that is not the
//! look-up itself: one probe that nearly always hits leaves nothing to guess, where a search for
//! a token that is none, and then for a merge, misleads the processor at every fourth word of a
//! European text. Merges are kept once more in `short`, since to merge again costs ten times what
//! it costs to look a token up.
//!
//! Memory is taken on a thread's first text, about 6 MiB of which only the pages in use count, and
//! goes with the thread; where a thread is about to end and its tables are gone, empty ones serve.

use crate::{
    ahead::{Found, Row, WINDOW, window_key},
    flat::{SHORT, TINY, merge_flat, merge_tiny},
    merge::merge_long,
    packed::Packed,
    pairs::{self, Pairs},
    perfect_hash::key_hash,
    simd::Classify,
    sink::Sink,
    vocabulary::{Key, Vocabulary, first_bytes},
};
use std::cell::RefCell;

/// Pairs of places for pieces of up to 15 bytes: 4 MiB. Half as many cost prompts a quarter of their
/// speed, twice as many would give a tenth (`bench/record/2026-11-26-engine-tables.txt`).
const FRONT_PAIRS: usize = 1 << 16;
/// Pairs of places for those of them that are merged: 1 MiB.
const SHORT_PAIRS: usize = 1 << 14;
/// Places for longer pieces: 1 MiB.
const LONG_PLACES: usize = 1 << 13;
/// The longest piece that fits into such a place.
const LONG_BYTES: usize = 46;

/// Where a key has the number of the vocabulary, which is not 0.
const VOCABULARY: u32 = 124;

/// The bytes of a piece, then zeros, with its length and the number of the vocabulary in the last
/// two bytes of the first three words; then its tokens, in words of which only the last that is
/// used may hold less than six.
type Long = [u128; 8];

/// The tables of one thread.
pub(crate) struct Recent {
    front: Pairs<FRONT_PAIRS>,
    short: Pairs<SHORT_PAIRS>,
    long: Box<[Long]>,
    /// The pieces of two blocks.
    rows: Box<[Row; 2]>,
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
        // Zeros that the allocator has ready take no memory until they are used.
        Self {
            front: Pairs::new(),
            short: Pairs::new(),
            long: vec![[0; 8]; LONG_PLACES].into(),
            rows: Box::new([Row::EMPTY; 2]),
        }
    }

    /// Forgets the pieces of the text before.
    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        for row in &mut *self.rows {
            row.count = 0;
        }
    }

    /// Notes the pieces of the block at `begin`, which `window` begins with, in a row: `ends` has a
    /// bit where each of them ends.
    #[inline(always)]
    pub(crate) fn note<C: Classify>(
        &mut self,
        row: usize,
        (begin, window): (usize, &[u8; WINDOW]),
        mut ends: u64,
        classify: C,
    ) {
        let front = self.front.all();
        let row = &mut self.rows[row % 2];
        row.begin = begin;
        row.count = ends.count_ones() as usize;
        let mut start = 0;
        for place in &mut row.pieces {
            if ends == 0 {
                break;
            }
            let end = ends.trailing_zeros();
            let key = window_key(window, start, end);
            let hash = key_hash(key);
            classify.prefetch(&front[front_place(hash)]);
            *place = Found { key, hash, end };
            start = end;
            ends &= ends - 1;
        }
    }

    /// Gives the tokens of the pieces in a row, from the one with number `from` on, to `sink`; stops
    /// at one that is not known at first sight, and gives its number.
    #[inline(always)]
    pub(crate) fn give<S: Sink>(
        &self,
        row: usize,
        from: usize,
        vocabulary: &Vocabulary,
        sink: &mut S,
    ) -> Option<usize> {
        let front = self.front.all();
        let number = u128::from(vocabulary.number) << VOCABULARY;
        let unknown =
            self.rows[row % 2].from(from).iter().position(|&Found { key, hash, .. }| {
                !pairs::give_first(&front[front_place(hash)], key | number, sink)
            });
        unknown.map(|number| from + number)
    }

    /// The key of a piece of a row, and where it begins and ends in the text.
    #[inline(always)]
    pub(crate) fn noted(&self, row: usize, number: usize) -> (Key, usize, usize) {
        self.rows[row % 2].piece(number)
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
        let tagged = key | u128::from(vocabulary.number) << VOCABULARY;
        let front = &self.front.all()[front_place(key_hash(key))];
        if !pairs::give_first(front, tagged, sink) {
            self.keyed_slowly(vocabulary, piece, key, sink);
        }
    }

    /// As [`keyed`](Self::keyed), where it is not what was found last at its place.
    #[inline(never)]
    pub(crate) fn keyed_slowly<S: Sink>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        sink: &mut S,
    ) {
        let hash = key_hash(key);
        let tagged = key | u128::from(vocabulary.number) << VOCABULARY;
        let front = &mut self.front.all_mut()[front_place(hash)];
        if let Some(tokens) = pairs::find(front, tagged) {
            return sink.packed(tokens);
        }
        if piece.len() <= TINY {
            let mut tokens = [0; TINY];
            let count = merge_tiny(vocabulary, piece, &mut tokens);
            pairs::put(front, tagged, Packed::new(&tokens[..count]));
            return sink.tokens(&tokens[..count]);
        }
        if let Some(id) = vocabulary.token(key, hash) {
            pairs::put(front, tagged, Packed::new(&[id]));
            return sink.token(id);
        }
        let short = &mut self.short.all_mut()[(hash >> 32) as usize % SHORT_PAIRS];
        if let Some(tokens) = pairs::find(short, tagged) {
            pairs::put(front, tagged, tokens);
            return sink.packed(tokens);
        }
        let mut tokens = [0; SHORT + 1];
        let count = merge_flat(vocabulary, piece, &mut tokens, 2);
        if count <= Packed::MOST {
            pairs::put(front, tagged, Packed::new(&tokens[..count]));
            pairs::put(short, tagged, Packed::new(&tokens[..count]));
        }
        sink.tokens(&tokens[..count]);
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
        let (known, tokens) = self.long[long_place(key)].split_at_mut(key.len());
        if known == key {
            for packed in tokens {
                let packed = Packed(*packed);
                sink.packed(packed);
                if packed.count() < Packed::MOST {
                    break;
                }
            }
            return;
        }
        let mut found = [0; SHORT + 1];
        let count = merge_flat(vocabulary, piece, &mut found, 1);
        let found = &found[..count];
        if count < tokens.len() * Packed::MOST {
            known.copy_from_slice(&key);
            for (place, six) in tokens.iter_mut().zip(found.chunks(Packed::MOST).chain([&[][..]])) {
                *place = Packed::new(six).0;
            }
        }
        sink.tokens(found);
    }
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

/// Where a short piece belongs.
#[inline(always)]
fn front_place(hash: u64) -> usize {
    hash as usize % FRONT_PAIRS
}
