//! A queue of the pre-tokens of one block, whose cache sets are prefetched while the next block is split.
//!
//! The caches do not fit into a core's own caches beside the other work of a gateway, and a cache miss takes as long
//! as all other work on a dozen pre-tokens. So the pre-tokens of a block are looked up when those of the next block
//! have been found, and by then their sets are on the way. What that is worth, and that a distance of more blocks is
//! worth no more, is in `bench/record/2026-11-26-engine-tables.txt`.

use super::short::ShortView;
use crate::{
    arch::Processor,
    pretokenize::window::WINDOW,
    vocab::key::{KEY_BYTES, Key, LENGTH_BIT, masks},
};
use std::ops::Range;

/// A pre-token that waits to be looked up.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    /// Its key, or [`NO_KEY`] if it is too long for one.
    pub(crate) key: Key,
    /// The index of its set.
    pub(crate) set: usize,
    /// Its end in the block.
    pub(crate) end: u32,
}

/// The pre-tokens of one block, which follow each other from the beginning of the block.
pub(crate) struct PendingBlock {
    /// The beginning of the block in the text.
    start: usize,
    pub(crate) count: usize,
    pub(crate) pre_tokens: [Pending; 64],
}

impl PendingBlock {
    pub(crate) const EMPTY: Self =
        Self { start: 0, count: 0, pre_tokens: [Pending { key: 0, set: 0, end: 0 }; 64] };

    /// Fills the queue with the pre-tokens of the block at `start`, with which `window` begins, and prefetches their
    /// sets. `ends` has a bit for the end of each of them.
    #[inline(always)]
    pub(crate) fn fill<C: Processor>(
        &mut self,
        (start, window): (usize, &[u8; WINDOW]),
        mut ends: u64,
        cache: ShortView<'_>,
        cpu: C,
    ) {
        self.start = start;
        self.count = ends.count_ones() as usize;
        let mut start = 0;
        for pre_token in &mut self.pre_tokens {
            if ends == 0 {
                break;
            }
            let end = ends.trailing_zeros();
            let key = window_key(window, start, end);
            let set = cache.index(cpu.cache_hash(key));
            cpu.prefetch(cache.set(set));
            *pre_token = Pending { key, set, end };
            start = end;
            ends &= ends - 1;
        }
    }

    /// The pre-tokens from the one with this index on.
    #[inline(always)]
    pub(crate) fn from(&self, index: usize) -> &[Pending] {
        self.pre_tokens.get(index..self.count).unwrap_or(&[])
    }

    /// A pre-token, and its range in the text.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> (Pending, Range<usize>) {
        let at = |index: usize| self.pre_tokens[index % 64];
        let start = index.checked_sub(1).map_or(0, |before| at(before).end);
        let pending = at(index);
        (pending, self.start + start as usize..self.start + pending.end as usize)
    }
}

/// Stands for the key of a pre-token that is too long for one: a byte without a length, which no pre-token has.
pub(crate) const NO_KEY: Key = 1;

/// By length, the mask of a load, and the length or [`NO_KEY`] to be added.
const fn shapes() -> [[Key; 2]; 64] {
    let masks = masks();
    let mut shapes = [[0, NO_KEY]; 64];
    let mut length = 0;
    while length <= KEY_BYTES {
        shapes[length] = [masks[length], (length as Key) << LENGTH_BIT];
        length += 1;
    }
    shapes
}

static SHAPES: [[Key; 2]; 64] = shapes();

/// The key of a pre-token of the block with which `window` begins.
#[inline(always)]
fn window_key(window: &[u8; WINDOW], start: u32, end: u32) -> Key {
    let Some(sixteen) = window[start as usize % 64..].first_chunk() else { return NO_KEY };
    let [mask, tag] = SHAPES[(end - start) as usize % 64];
    u128::from_le_bytes(*sixteen) & mask | tag
}
