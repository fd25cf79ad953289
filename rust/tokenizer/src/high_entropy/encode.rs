//! Passes the tokens of a block of high-entropy text to a sink.

use super::{
    block::{HighEntropyBlock, bits},
    trigrams::LongerTokens,
};
use crate::{
    arch::Processor,
    merge::{SHORT, merge_short},
    pretoken_cache::CacheEntry,
    sink::Sink,
};

impl HighEntropyBlock<'_> {
    /// Passes the tokens to `sink`. Calls `look_up` with the start and end in the block of each pre-token that does
    /// not consist of letters.
    #[inline(always)]
    pub(crate) fn encode<S: Sink, C: Processor>(
        mut self,
        sink: &mut S,
        cpu: C,
        mut look_up: impl FnMut(&mut S, u32, u32),
    ) {
        let mut unclear = self.unclear | self.others;
        let mut from = 0;
        while unclear != 0 {
            let at = unclear.trailing_zeros();
            let (mut start, mut end) = (last(self.starts, at), next(self.starts, at + 1));
            if self.others & bits(start, end) != 0 {
                self.encode_bigrams((from, start), sink);
                look_up(sink, start, end);
                from = end;
            } else {
                // The letters around it that merges can reach.
                let uncrossed = !(self.masks.is_crossed & self.inside);
                (start, end) = (last(uncrossed << 1 | 1, at), next(uncrossed, at) + 1);
                match self.longer_tokens(self.unclear & bits(start, end), (start, end)) {
                    LongerTokens::None => (),
                    LongerTokens::Trigram { token, at, merged } => {
                        self.merged = self.merged & !bits(start, end) | merged;
                        self.encode_bigrams((from, at), sink);
                        sink.token(token);
                        from = at + 3;
                    }
                    LongerTokens::Undecided => {
                        self.encode_bigrams((from, start), sink);
                        let letters = self.window.get(start as usize..end as usize).unwrap_or(&[]);
                        let mut ids = [0; SHORT + 1];
                        let count = merge_short(self.vocabulary, letters, &mut ids, 1, cpu);
                        sink.tokens(&ids[..count]);
                        from = end;
                    }
                }
            }
            unclear &= u64::MAX << (end % 64);
        }
        self.encode_bigrams((from, last(self.starts, 63)), sink);
    }

    /// Passes the letters and bigrams from `start` to `end` to `sink`.
    #[inline(always)]
    fn encode_bigrams<S: Sink>(&self, (start, end): (u32, u32), sink: &mut S) {
        let mut starts = !(self.merged << 1) & bits(start, end);
        let count = starts.count_ones() as usize;
        // A counting sink does not read the ids.
        let mut ids = [0; 64];
        if !S::Entry::IS_COUNT {
            for id in &mut ids[..count] {
                let at = starts.trailing_zeros() % 64;
                *id = if self.is_merged(at) { self.bigram(at) } else { self.letter(at) };
                starts &= starts.wrapping_sub(1);
            }
        }
        sink.tokens(&ids[..count]);
    }
}

/// The last of `bits` up to `at`, which exists.
#[inline(always)]
fn last(bits: u64, at: u32) -> u32 {
    at - (bits << (63 - at)).leading_zeros()
}

/// The first of `bits` from `at` on, which exists.
#[inline(always)]
fn next(bits: u64, at: u32) -> u32 {
    (bits & u64::MAX << at).trailing_zeros()
}
