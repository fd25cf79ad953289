//! A segmented array of slots: chunks double in size and never move, so a slot's address is stable.
//!
//! Chunks are allocated as zeroed memory, which the system provides page by page as it is touched:
//! a chunk that is half used takes half its memory.

use std::sync::OnceLock;

use crate::slots::exclusive_mode::ExclusiveMode;
use crate::slots::slot::{Guard, HEADER_WORDS, STATE_WORDS, SlotWords};
use crate::sync::{AtomicU64, FIRST_CHUNK, zeroed};

/// 64 * (2^25 - 1) slots: more than a limiter may have keys.
const CHUNKS: usize = 25;
/// Words in a cache line.
const CACHE_LINE_WORDS: usize = 8;

pub(crate) struct SlotArray {
    /// Words from slot to slot, an even number. With one limit this is one cache line, and with
    /// four limits two. Padding to whole lines in between would cost up to half as much memory
    /// again.
    stride: usize,
    exclusive_mode: ExclusiveMode,
    chunks: [OnceLock<Chunk>; CHUNKS],
}

struct Chunk {
    words: Box<[AtomicU64]>,
    /// Words before the first cache line boundary.
    skip: usize,
}

impl SlotArray {
    pub(crate) fn new(limits: usize) -> Self {
        let stride = (HEADER_WORDS + STATE_WORDS * limits).next_multiple_of(2);
        Self {
            stride,
            exclusive_mode: ExclusiveMode::new(),
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }

    /// The words of slot `index`, if its chunk is allocated. O(1).
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<SlotWords<'_>> {
        let (chunk, at) = locate(index);
        self.chunks.get(chunk)?.get()?.slot(at, self.stride)
    }

    /// Locks slot `index`, if its chunk is allocated. O(1).
    #[inline]
    pub(crate) fn lock(&self, index: u32) -> Option<Guard<'_>> {
        let words = self.get(index)?;
        loop {
            let guard = Guard::lock(words);
            if !self.exclusive_mode.is_active() {
                return Some(guard);
            }
            drop(guard);
            self.exclusive_mode.wait_for_exit();
        }
    }

    /// The exclusive mode of all slots.
    pub(crate) fn exclusive_mode(&self) -> &ExclusiveMode {
        &self.exclusive_mode
    }

    /// The words of slot `index`, whose chunk is allocated if necessary; none if the allocation
    /// fails.
    pub(crate) fn ensure(&self, index: u32) -> Option<SlotWords<'_>> {
        let (chunk, at) = locate(index);
        let chunk_cell = self.chunks.get(chunk)?;
        if chunk_cell.get().is_none() {
            // Another thread may be first; its chunk is equivalent.
            let _ = chunk_cell.set(Chunk::new((FIRST_CHUNK << chunk) * self.stride)?);
        }
        chunk_cell.get()?.slot(at, self.stride)
    }
}

impl Chunk {
    fn new(words: usize) -> Option<Self> {
        let words = zeroed(words + CACHE_LINE_WORDS)?;
        let skip = (words.as_ptr() as usize / size_of::<u64>()).wrapping_neg() % CACHE_LINE_WORDS;
        Some(Self { words, skip })
    }

    #[inline]
    fn slot(&self, at: usize, stride: usize) -> Option<SlotWords<'_>> {
        let start = self.skip + at * stride;
        SlotWords::new(self.words.get(start..start + stride)?)
    }
}

/// The chunk of a slot, and its position there.
#[inline]
fn locate(index: u32) -> (usize, usize) {
    let at = index as usize + FIRST_CHUNK;
    let chunk = (at / FIRST_CHUNK).ilog2() as usize;
    (chunk, at - (FIRST_CHUNK << chunk))
}
