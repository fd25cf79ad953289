//! What each thread has seen lately.
//!
//! Texts repeat their words, and gateways see the same prompts again and again, so nearly every
//! piece has been looked up before, and most of those that have to be merged have been merged.
//! A few tables remember them, of fixed size: what is new takes the place of what was there. They
//! compare the bytes themselves and not a hash of them, so a hit is as exact as a merge.
//!
//! All short pieces, tokens and merges alike, go through `front`, for a reason that is not the
//! look-up itself: one probe that nearly always hits leaves nothing to guess, where a search for
//! a token that is none, and then for a merge, misleads the processor at every fourth word of a
//! European text. There is one for those who want ids and one for those who only count. Merges are
//! kept once more in `short`, since to merge again costs ten times what it costs to look a token up; not so
//! [letters in no order](crate::scrambled), which cost little.
//!
//! Memory is taken on a thread's first text, about 11 MiB of which only the pages in use count; a thread
//! that ends leaves its tables to the next one. Where a thread is about to end and its tables are gone,
//! empty ones serve.

use crate::{
    ahead::{Found, Row, WINDOW, window_key},
    flat::{SHORT, merge_flat},
    known::Known,
    lines::{self, Lines},
    long::{LONG_BYTES, Long},
    longer::{LONGER_BYTES, Longer},
    merge::merge_long,
    packed::Packed,
    perfect_hash::key_hash,
    scrambled::{Guess, merge_scrambled},
    simd::Processor,
    sink::Sink,
    tiny::{TINY, merge_tiny},
    vocabulary::{Key, Vocabulary},
};
use std::{cell::RefCell, sync::Mutex};

/// Lines for pieces of up to 15 bytes, in each of the two tables: 4 MiB. Half as many cost prompts a
/// fifth to a third of their speed; what twice as many give is lost again where caches are cold
/// (`bench/record/2026-11-26-engine-tables.txt`).
const FRONT_LINES: usize = 1 << 16;
/// Lines for those of them that are merged and longer than [`TINY`]: 1 MiB.
const SHORT_LINES: usize = 1 << 14;

/// The tables of one thread.
pub(crate) struct Recent {
    /// By [`Known::TABLE`].
    front: [Lines<FRONT_LINES>; 2],
    short: Lines<SHORT_LINES>,
    long: Long,
    longer: Longer,
    guess: Guess,
    /// The pieces of two blocks.
    rows: Box<[Row; 2]>,
}

/// Tables of so many threads that have ended wait for the next ones: helpers of a batch live as long as
/// the batch, and to learn words anew costs each as much as some megabytes of text.
const KEPT: usize = 4;

static LEFT: Mutex<Vec<Recent>> = Mutex::new(Vec::new());

/// The tables that a thread has, if it has any yet.
struct Own(Option<Recent>);

impl Drop for Own {
    fn drop(&mut self) {
        if let (Some(recent), Ok(mut left)) = (self.0.take(), LEFT.lock())
            && left.len() < KEPT
        {
            left.push(recent);
        }
    }
}

thread_local! {
    static RECENT: RefCell<Own> = const { RefCell::new(Own(None)) };
}

/// Calls `work` with this thread's tables, or with empty ones where they are gone.
#[inline(always)]
pub(crate) fn with<R>(work: impl FnOnce(&mut Recent) -> R) -> R {
    let mut work = Some(work);
    let done = RECENT.try_with(|recent| {
        let mut recent = recent.try_borrow_mut().ok()?;
        Some(work.take()?(recent.0.get_or_insert_with(Recent::take)))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut Recent::new()),
        // Not reached: `work` is taken only for a result.
        (_, None) => unreachable!(),
    }
}

impl Recent {
    /// The tables of a thread that has ended, or empty ones.
    #[cold]
    fn take() -> Self {
        let left = LEFT.lock().ok().and_then(|mut left| left.pop());
        left.unwrap_or_else(Self::new)
    }

    #[cold]
    fn new() -> Self {
        // Zeros that the allocator has ready take no memory until they are used.
        Self {
            front: [Lines::new(), Lines::new()],
            short: Lines::new(),
            long: Long::new(),
            longer: Longer::new(),
            guess: Guess::NO,
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
    pub(crate) fn note<K: Known, C: Processor>(
        &mut self,
        row: usize,
        (begin, window): (usize, &[u8; WINDOW]),
        mut ends: u64,
        vocabulary: &Vocabulary,
        processor: C,
    ) {
        let front = self.front[K::TABLE].all();
        let row = &mut self.rows[row % 2];
        row.begin = begin;
        row.count = ends.count_ones() as usize;
        let mut start = 0;
        for piece in &mut row.pieces {
            if ends == 0 {
                break;
            }
            let end = ends.trailing_zeros();
            let key = window_key(window, start, end);
            let place = front_place(key_hash(key), vocabulary);
            processor.prefetch(&front[place]);
            *piece = Found { key, place, end };
            start = end;
            ends &= ends - 1;
        }
    }

    /// Gives the tokens of the pieces in a row, from the one with number `from` on, to `sink`; stops
    /// at one that is not known at first sight, and gives its number.
    #[inline(always)]
    pub(crate) fn give<S: Sink>(&self, row: usize, from: usize, sink: &mut S) -> Option<usize> {
        let front = self.front[S::Known::TABLE].all();
        let unknown =
            self.rows[row % 2].from(from).iter().position(|&Found { key, place, .. }| {
                let known = S::Known::in_first(&front[place % FRONT_LINES], key);
                known.map(|known| sink.known(known)).is_none()
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
    pub(crate) fn keyed<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        sink: &mut S,
        processor: C,
    ) {
        let place = front_place(key_hash(key), vocabulary);
        match S::Known::in_first(&self.front[S::Known::TABLE].all()[place], key) {
            Some(known) => sink.known(known),
            None => self.keyed_slowly(vocabulary, piece, key, sink, processor),
        }
    }

    /// As [`keyed`](Self::keyed), where it is not what was found last in its line.
    #[inline(never)]
    pub(crate) fn keyed_slowly<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        key: Key,
        sink: &mut S,
        processor: C,
    ) {
        let hash = key_hash(key);
        let front = &mut self.front[S::Known::TABLE].all_mut()[front_place(hash, vocabulary)];
        if let Some(known) = S::Known::find(front, key) {
            return sink.known(known);
        }
        let mut tokens = [0; SHORT + 1];
        if self.guess.is_likely(piece.len()) {
            let merged = merge_scrambled::<S::Known, C>(vocabulary, piece, &mut tokens, processor);
            if let Some(count) = merged {
                self.guess.learn(piece.len(), count);
                if let Some(known) = S::Known::of(&tokens[..count]) {
                    known.put(front, key);
                }
                return sink.tokens(&tokens[..count]);
            }
            // As bad a guess as for a token.
            self.guess.learn(piece.len(), 1);
        }
        if piece.len() <= TINY {
            let packed = merge_tiny(vocabulary, piece, key, processor);
            self.guess.learn(piece.len(), packed.count());
            let known = S::Known::of_packed(packed);
            known.put(front, key);
            return sink.known(known);
        }
        if let Some(id) = vocabulary.token(key, hash) {
            self.guess.learn(piece.len(), 1);
            let known = S::Known::of_packed(Packed::new(&[id]));
            known.put(front, key);
            return sink.known(known);
        }
        let short = &mut self.short.all_mut()[short_place(hash, vocabulary)];
        if let Some(tokens) = Packed::find(short, key) {
            let known = S::Known::of_packed(tokens);
            known.put(front, key);
            return sink.known(known);
        }
        let count = merge_flat(vocabulary, piece, &mut tokens, 2, processor);
        self.guess.learn(piece.len(), count);
        let tokens = &tokens[..count];
        if let Some(known) = S::Known::of(tokens) {
            known.put(front, key);
        }
        if let Some(packed) = Packed::of(tokens) {
            packed.put(short, key);
        }
        sink.tokens(tokens);
    }

    /// Gives the tokens of the piece `text[start..end]`, of 16 bytes or more, to `sink`.
    #[inline(never)]
    pub(crate) fn unkeyed<S: Sink, C: Processor>(
        &mut self,
        vocabulary: &Vocabulary,
        text: &[u8],
        (start, end): (usize, usize),
        sink: &mut S,
        processor: C,
    ) {
        let piece = &text[start..end];
        if piece.len() <= LONG_BYTES {
            let guess = &mut self.guess;
            self.long.give(vocabulary, text, (start, end), sink, guess, processor);
        } else if piece.len() <= LONGER_BYTES {
            self.longer.give(vocabulary, piece, sink, processor);
        } else {
            merge_long(vocabulary, piece, sink, processor);
        }
    }
}

/// Where a short piece belongs.
#[inline(always)]
fn front_place(hash: u64, vocabulary: &Vocabulary) -> usize {
    lines::place::<FRONT_LINES>(hash, vocabulary.number)
}

/// Where a short piece that is merged belongs. What shares a line there does not do so in front.
#[inline(always)]
fn short_place(hash: u64, vocabulary: &Vocabulary) -> usize {
    lines::place::<SHORT_LINES>(hash >> 32, vocabulary.number)
}
