//! The pipeline from text to tokens: split a block, queue its pre-tokens, and look up those of the block before.
//!
//! [`Engine`] is the context that all steps share. This file drives the blocks; [`pre_token`] looks up and merges one
//! pre-token by its length; [`tables`] is the state that stays with a thread. What each mechanism is worth, by class
//! of text, is in `bench/record/2026-11-29-ablation.txt`.

mod pre_token;
mod tables;

pub(crate) use tables::Tables;

use crate::{
    arch::{Processor, WithCpu, dispatch},
    high_entropy::AsciiBlock,
    pretoken_cache::{CacheEntry, NO_KEY, Pending, ShortView},
    pretokenize::{
        Splitter,
        block::below,
        block_starts,
        window::{WINDOW, zero_padded, zero_padded_words},
    },
    sink::Sink,
    vocab::Vocabulary,
};
use std::{marker::PhantomData, ops::Range};

/// A single text shorter than this has no work to overlap its lookups with, and the queues cost it more than they
/// gain (`bench/record/2026-11-26-engine-tables.txt`, 20).
const TINY_TEXT: usize = 24;
const _: () = assert!(TINY_TEXT <= 32, "a tiny text is padded in registers");

/// Passes the tokens of the texts `all[range]`, for each of `ranges` in ascending order, to `sink` until it is
/// satisfied. Marks the end of each text.
pub(crate) fn tokenize<P: Splitter, S: Sink>(
    vocabulary: &Vocabulary,
    all: &[u8],
    ranges: &[Range<usize>],
    sink: &mut S,
) {
    tables::with_tables(|tables| {
        dispatch(Tokenize::<P, S> { vocabulary, all, ranges, sink, tables, splitter: PhantomData });
    });
}

/// [`tokenize`] with these tables, as work for a processor.
pub(crate) struct Tokenize<'a, P, S> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) all: &'a [u8],
    pub(crate) ranges: &'a [Range<usize>],
    pub(crate) sink: &'a mut S,
    pub(crate) tables: &'a mut Tables,
    pub(crate) splitter: PhantomData<P>,
}

impl<P: Splitter, S: Sink> WithCpu for Tokenize<'_, P, S> {
    type Output = ();

    #[inline(always)]
    fn run<C: Processor>(self, cpu: C) {
        let Self { vocabulary, all, ranges, sink, tables, .. } = self;
        let mut engine = Engine { vocabulary, all, tables, sink, cpu };
        match ranges {
            [single] if single.len() < TINY_TEXT => engine.tiny_text::<P>(single.clone()),
            _ => engine.texts::<P>(ranges),
        }
    }
}

/// The context of all steps from text to tokens.
struct Engine<'a, C, S> {
    vocabulary: &'a Vocabulary,
    /// The string that contains the texts.
    all: &'a [u8],
    tables: &'a mut Tables,
    sink: &'a mut S,
    cpu: C,
}

impl<C: Processor, S: Sink> Engine<'_, C, S> {
    /// Tokenizes texts block by block. The pre-tokens of a block are looked up when those of the next block have been
    /// queued, which may belong to the next text ([`Pending`]).
    #[inline(always)]
    fn texts<P: Splitter>(&mut self, ranges: &[Range<usize>]) {
        let all = self.all;
        let (mut queue, mut ended) = (0, 0);
        self.clear_queues();
        for &Range { start, end } in ranges {
            let text = &all[..end];
            let mut at = start;
            while at < end && !self.sink.is_satisfied() {
                let copy;
                let window = match all[at..].first_chunk::<WINDOW>() {
                    Some(window) => window,
                    None => {
                        copy = zero_padded(&all[at..]);
                        &copy
                    }
                };
                let (ends, letters) = self.block_ends::<P>(text, at, window);
                if let Some(last) = ends.checked_ilog2() {
                    if letters != 0 && self.tables.entropy.is_likely() {
                        self.look_up_queue(queue ^ 1, &mut ended);
                        self.clear_queues();
                        if self.high_entropy_block(AsciiBlock { at, window, ends, letters }) {
                            at += last as usize;
                            continue;
                        }
                    }
                    let cache = self.tables.short[S::Entry::CACHE].view(self.vocabulary.number);
                    self.tables.queues[queue % 2].fill((at, window), ends, cache, self.cpu);
                    queue ^= 1;
                    self.look_up_queue(queue, &mut ended);
                    at += last as usize;
                } else {
                    self.look_up_queue(queue ^ 1, &mut ended);
                    self.clear_queues();
                    at = self.single_pre_token(at, P::end(text, at));
                }
            }
            ended += 1;
        }
        self.look_up_queue(queue ^ 1, &mut ended);
    }

    /// Drops the pre-tokens of earlier blocks.
    #[inline(always)]
    fn clear_queues(&mut self) {
        for queue in &mut *self.tables.queues {
            queue.count = 0;
        }
    }

    /// A bit for the end of each pre-token that lies within the block at `at`, with which `window` begins; and a bit
    /// for each letter, if the block is ASCII.
    #[inline(always)]
    fn block_ends<P: Splitter>(&self, text: &[u8], at: usize, window: &[u8; WINDOW]) -> (u64, u64) {
        let rest = text.len() - at;
        let classes = match window.first_chunk() {
            Some(block) => self.cpu.classify(block).within(below(rest.min(64) as u32)),
            None => return (0, 0),
        };
        let is_ascii = classes.inner | classes.high == 0;
        let letters = if is_ascii { classes.upper | classes.lower } else { 0 };
        let boundaries = self.vocabulary.merge_boundaries();
        let (starts, is_last) = block_starts::<P>(text, at, classes, boundaries);
        (if is_last { starts | 1 << (rest % 64) } else { starts }, letters)
    }

    /// Looks up the pre-tokens of a queue, and marks the end of `ended` texts after them.
    #[inline(always)]
    fn look_up_queue(&mut self, queue: usize, ended: &mut usize) {
        let mut next = 0;
        loop {
            let pending = &self.tables.queues[queue % 2];
            let cache = self.tables.short[S::Entry::CACHE].view(self.vocabulary.number);
            let Some(hits) = emit_hits(pending.from(next), cache, self.sink, self.cpu) else {
                break;
            };
            let (Pending { key, set, .. }, range) = pending.get(next + hits);
            if key == NO_KEY {
                self.long(range.start, range.end);
            } else {
                self.short_miss(range, key, set);
            }
            next += hits + 1;
        }
        for _ in 0..std::mem::take(ended) {
            self.sink.end_of_text();
        }
    }

    /// Tokenizes one tiny text without queues, pre-token by pre-token.
    #[inline(always)]
    fn tiny_text<P: Splitter>(&mut self, Range { start, end }: Range<usize>) {
        let text = &self.all[..end];
        let mut at = start;
        while at < end && !self.sink.is_satisfied() {
            let block = at;
            let classes = self.cpu.classify_words(zero_padded_words(&text[at..]));
            let boundaries = self.vocabulary.merge_boundaries();
            let (mut starts, is_last) = block_starts::<P>(text, at, classes, boundaries);
            while starts != 0 {
                let end = block + starts.trailing_zeros() as usize;
                self.pre_token(at, end);
                at = end;
                starts &= starts - 1;
            }
            if is_last {
                at = self.single_pre_token(at, end);
            } else if at == block {
                at = self.single_pre_token(at, P::end(text, at));
            }
        }
        self.sink.end_of_text();
    }
}

/// Passes the tokens of the pre-tokens that hit way 0 of their set to `sink`, up to the first one that does not, and
/// returns its index.
///
/// A function of its own arguments, so that the compiler knows that the sink and the cache do not overlap.
#[inline(always)]
fn emit_hits<S: Sink, C: Processor>(
    pending: &[Pending],
    cache: ShortView<'_>,
    sink: &mut S,
    cpu: C,
) -> Option<usize> {
    pending.iter().position(|&Pending { key, set, .. }| {
        let entry = S::Entry::find_first(cache.set(set), key, cpu);
        entry.map(|entry| sink.entry(entry)).is_none()
    })
}
