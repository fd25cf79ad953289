//! Dispatch by the length of a pre-token: where it is looked up, and how it is merged on a miss.
//!
//! | bytes | looked up in | merged by |
//! |---|---|---|
//! | 1 to 6 | short cache | branchless rounds |
//! | 7 to 15 | short cache, vocabulary, cache of merges | array scan |
//! | 16 to 46 | long cache | array scan |
//! | 47 to 512 | run cache | windows |
//! | 513 and more | – | windows |
//!
//! Pre-tokens of 16 bytes or more that consist of wide characters are first split where no merge crosses. All short
//! pre-tokens, tokens and merges alike, go through the short cache, for a reason that is not the cost of the
//! vocabulary lookup: one probe that nearly always hits leaves nothing to predict, while a failed lookup of a token
//! before a merge mispredicts at every fourth word of a European text.

use super::Engine;
use crate::{
    arch::{Processor, WithCpu},
    high_entropy::{AsciiBlock, EntropyHeuristic, HighEntropyBlock},
    merge::{SHORT, TINY, merge_long, merge_short, merge_tiny},
    pretoken_cache::{CacheEntry, LONG_BYTES, PackedIds, RUN_BYTES},
    sink::{Sink, Write},
    vocab::{
        is_splittable,
        key::{KEY_BYTES, Key, key},
        perfect_hash::key_hash,
    },
};
use std::ops::Range;

impl<C: Processor, S: Sink> Engine<'_, C, S> {
    /// Emits the tokens of the pre-token `all[start..end]`.
    #[inline(always)]
    pub(super) fn pre_token(&mut self, start: usize, end: usize) {
        if end - start <= KEY_BYTES {
            self.short(start, end);
        } else {
            self.long(start, end);
        }
    }

    /// Emits the tokens of a pre-token that no block contains, and returns its end.
    #[inline(always)]
    pub(super) fn single_pre_token(&mut self, start: usize, end: usize) -> usize {
        self.cpu.run_outlined(SinglePreToken { engine: self, range: start..end });
        end
    }

    /// A pre-token of 1 to 15 bytes.
    #[inline(always)]
    fn short(&mut self, start: usize, end: usize) {
        let key = key(self.all, start, end - start);
        let cache = self.tables.short[S::Entry::CACHE].view(self.vocabulary.number);
        let set = cache.index(self.cpu.cache_hash(key));
        match S::Entry::find_first(cache.set(set), key, self.cpu) {
            Some(entry) => self.sink.entry(entry),
            None => self.short_miss(start..end, key, set),
        }
    }

    /// A pre-token of 1 to 15 bytes that is not in way 0 of its set.
    #[inline(never)]
    pub(super) fn short_miss(&mut self, range: Range<usize>, key: Key, set: usize) {
        let Self { vocabulary, tables, sink, cpu, .. } = self;
        let pre_token = &self.all[range];
        let cache = &mut tables.short[S::Entry::CACHE];
        let keeps_merges = !S::Entry::IS_COUNT && cache.is_full_size();
        let ways = cache.set_mut(set);
        if let Some(entry) = S::Entry::find(ways, key) {
            return sink.entry(entry);
        }
        let entry = if pre_token.len() <= TINY {
            let packed = merge_tiny(vocabulary, pre_token, key, *cpu);
            tables.entropy.observe(pre_token.len(), packed.count());
            S::Entry::from_packed(packed)
        } else if let Some(id) = vocabulary.token(key, key_hash(key)) {
            tables.entropy.observe(pre_token.len(), 1);
            S::Entry::from_packed(PackedIds::new(&[id]))
        } else {
            let mut merged =
                keeps_merges.then(|| tables.merged.set_mut(key_hash(key), vocabulary.number));
            if let Some(packed) = merged.as_mut().and_then(|set| PackedIds::find(set, key)) {
                S::Entry::from_packed(packed)
            } else {
                let mut ids = [0; SHORT + 1];
                let count = merge_short(vocabulary, pre_token, &mut ids, 2, *cpu);
                tables.entropy.observe(pre_token.len(), count);
                let ids = &ids[..count];
                if let (Some(set), Some(packed)) = (merged, PackedIds::from_ids(ids)) {
                    packed.insert(set, key);
                }
                let Some(entry) = S::Entry::from_ids(ids) else { return sink.tokens(ids) };
                entry
            }
        };
        entry.insert(ways, key);
        sink.entry(entry);
        if cache.should_grow() {
            tables.grow::<S::Entry, C>(vocabulary, *cpu);
        }
    }

    /// A pre-token of 16 bytes or more.
    #[inline(always)]
    pub(super) fn long(&mut self, start: usize, end: usize) {
        // A symbol or a space may come first.
        let at = start + usize::from(self.all[start].is_ascii());
        let (first, second) = (self.all[at], self.all[at + 1]);
        if is_splittable(first, second) {
            self.cpu.run_outlined(SplitPreToken { engine: self, range: start..end });
        } else {
            self.long_unsplit(start, end);
        }
    }

    /// A pre-token, or a part of one, that is not split any further.
    #[inline(always)]
    fn unsplit(&mut self, start: usize, end: usize) {
        if end - start <= KEY_BYTES {
            self.short(start, end);
        } else {
            self.long_unsplit(start, end);
        }
    }

    /// As [`unsplit`](Self::unsplit), for 16 bytes or more.
    #[inline(never)]
    fn long_unsplit(&mut self, start: usize, end: usize) {
        let Self { vocabulary, all, tables, sink, cpu } = self;
        let (number, pre_token) = (vocabulary.number, &all[start..end]);
        if pre_token.len() <= LONG_BYTES {
            let emit = |ids| sink.entry(S::Entry::from_packed(ids));
            if let Some(miss) = tables.long.find(number, all, (start, end), emit) {
                let mut ids = [0; SHORT + 1];
                let count = merge_short(vocabulary, pre_token, &mut ids, 1, *cpu);
                tables.entropy.observe(pre_token.len(), count);
                miss.insert(&ids[..count]);
                sink.tokens(&ids[..count]);
            }
        } else if pre_token.len() <= RUN_BYTES {
            if let Some(miss) = tables.runs.find(number, pre_token, |ids| sink.tokens(ids)) {
                let mut ids = Write::<true> { count: 0, out: &mut [0; RUN_BYTES] };
                merge_long(vocabulary, pre_token, &mut ids, *cpu);
                let ids = &ids.out[..ids.count];
                miss.insert(ids);
                sink.tokens(ids);
            }
        } else {
            merge_long(vocabulary, pre_token, *sink, *cpu);
        }
    }

    /// Emits the tokens of the pre-tokens of a block by the fast path for high-entropy text. Returns false, without
    /// any token, if the block is not such text.
    #[inline(always)]
    pub(super) fn high_entropy_block(&mut self, block: AsciiBlock<'_>) -> bool {
        self.cpu.run_outlined(TryHighEntropy { engine: self, block })
    }
}

struct SinglePreToken<'a, 'b, C, S> {
    engine: &'a mut Engine<'b, C, S>,
    range: Range<usize>,
}

impl<C: Processor, S: Sink> WithCpu for SinglePreToken<'_, '_, C, S> {
    type Output = ();

    #[inline(always)]
    fn run<D: Processor>(self, _: D) {
        self.engine.pre_token(self.range.start, self.range.end);
    }
}

/// A pre-token that is split where no merge crosses.
struct SplitPreToken<'a, 'b, C, S> {
    engine: &'a mut Engine<'b, C, S>,
    range: Range<usize>,
}

impl<C: Processor, S: Sink> WithCpu for SplitPreToken<'_, '_, C, S> {
    type Output = ();

    #[inline(always)]
    fn run<D: Processor>(self, _: D) {
        let Self { engine, range } = self;
        let boundaries = engine.vocabulary.merge_boundaries();
        boundaries.split(engine.all, (range.start, range.end), |start, end| {
            engine.unsplit(start, end);
            !engine.sink.is_satisfied()
        });
    }
}

struct TryHighEntropy<'a, 'b, C, S> {
    engine: &'a mut Engine<'b, C, S>,
    block: AsciiBlock<'a>,
}

impl<C: Processor, S: Sink> WithCpu for TryHighEntropy<'_, '_, C, S> {
    type Output = bool;

    #[inline(always)]
    fn run<D: Processor>(self, cpu: D) -> bool {
        let Self { engine: Engine { vocabulary, all, tables, sink, .. }, block } = self;
        let Some(masks) = HighEntropyBlock::new(vocabulary, block, cpu) else {
            tables.entropy = EntropyHeuristic::NO;
            return false;
        };
        masks.encode(*sink, cpu, |sink, start, end| {
            let mut engine = Engine { vocabulary, all, tables, sink, cpu };
            engine.unsplit(block.at + start as usize, block.at + end as usize);
        });
        true
    }
}
