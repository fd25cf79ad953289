//! The slots of a limiter: chunks that double in size and never move.
//!
//! Chunks come from the allocator as zeroed memory, which the system hands out page by page as it is
//! touched: a chunk that is half used takes half its memory.

use std::sync::OnceLock;

use crate::alone::Alone;
use crate::slot::{CELL, Guard, HEAD, Words};
use crate::sync::{AtomicU64, FIRST, zeroed};

/// 64 * (2^25 - 1) slots: more than a limiter may have keys.
const CHUNKS: usize = 25;
/// Words of a cache line.
const LINE: usize = 8;

pub(crate) struct Slots {
    /// Words from slot to slot: an even number. With one limit that is a cache line and with four two;
    /// to fill lines in between would cost up to half as much memory again.
    stride: usize,
    alone: Alone,
    chunks: [OnceLock<Chunk>; CHUNKS],
}

struct Chunk {
    words: Box<[AtomicU64]>,
    /// Words before the first cache line begins.
    skip: usize,
}

impl Slots {
    pub(crate) fn new(limits: usize) -> Self {
        let stride = (HEAD + CELL * limits).next_multiple_of(2);
        Self { stride, alone: Alone::new(), chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// The words of slot `index`, if its chunk is there. O(1).
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<Words<'_>> {
        let (chunk, at) = place(index);
        self.chunks.get(chunk)?.get()?.slot(at, self.stride)
    }

    /// Slot `index`, locked, if its chunk is there. O(1).
    #[inline]
    pub(crate) fn lock(&self, index: u32) -> Option<Guard<'_>> {
        let words = self.get(index)?;
        loop {
            let guard = Guard::lock(words);
            if !self.alone.is_taken() {
                return Some(guard);
            }
            drop(guard);
            self.alone.wait();
        }
    }

    /// Who is alone with all slots, if anybody.
    pub(crate) fn alone(&self) -> &Alone {
        &self.alone
    }

    /// The words of slot `index`, whose chunk is made if need be; none if there is no memory for it.
    pub(crate) fn make(&self, index: u32) -> Option<Words<'_>> {
        let (chunk, at) = place(index);
        let made = self.chunks.get(chunk)?;
        if made.get().is_none() {
            // Another thread may be first, and its chunk is as good.
            let _ = made.set(Chunk::new((FIRST << chunk) * self.stride)?);
        }
        made.get()?.slot(at, self.stride)
    }
}

impl Chunk {
    fn new(words: usize) -> Option<Self> {
        let words = zeroed(words + LINE)?;
        let skip = (words.as_ptr() as usize / size_of::<u64>()).wrapping_neg() % LINE;
        Some(Self { words, skip })
    }

    #[inline]
    fn slot(&self, at: usize, stride: usize) -> Option<Words<'_>> {
        let start = self.skip + at * stride;
        Words::new(self.words.get(start..start + stride)?)
    }
}

/// Which chunk a slot is in, and where.
#[inline]
fn place(index: u32) -> (usize, usize) {
    let at = index as usize + FIRST;
    let chunk = (at / FIRST).ilog2() as usize;
    (chunk, at - (FIRST << chunk))
}
