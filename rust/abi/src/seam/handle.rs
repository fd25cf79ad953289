//! Handles: a generational index of 31-bit integers that name live objects and can be sent to another Worker.
//!
//! A handle is `generation << 20 | slot`. Closing increments the slot's generation, so a stale, forged or
//! twice-closed handle has another generation and fails with a status. Closed slots wait in a queue of at least
//! [`QUARANTINE`] before they are used again, so a stale handle can match its slot's generation again only after
//! 1,024 times that many closes.
//!
//! There are a million slots, because a program that leaves closing to the garbage collector may open very many
//! objects before it runs. Slots are allocated as they are needed, in chunks that double in size, so that a slot
//! is found without another table.
//!
//! A slot is one atomic word (`generation << 32 | value`). So [`Handles::get`] is a single load without a lock,
//! and a reader sees generation and value of the same moment.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::seam::failure::Failure;
use crate::seam::owner::Table;
use crate::seam::status::SluiceStatus;

/// How many slots the first chunk has. Each further chunk has twice as many.
const CHUNK: usize = 1 << 10;
/// How many chunks there are.
pub(crate) const CHUNKS: usize = 10;
/// How many slots there are.
const SLOTS: usize = CHUNK * ((1 << CHUNKS) - 1);
const SLOT_BITS: u32 = 20;
const GENERATIONS: u32 = 1 << (31 - SLOT_BITS);
const QUARANTINE: usize = 1 << 12;

/// A table of handles of one kind, each naming a `u32`.
pub struct Handles {
    kind: &'static str,
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
    free: Mutex<Free>,
}

struct Free {
    closed: VecDeque<u32>,
    next: u32,
}

impl Handles {
    /// An empty table; `kind` is the noun in error messages.
    pub const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::new(Free { closed: VecDeque::new(), next: 0 }),
        }
    }

    /// Opens a handle that names `value`. Amortised O(1); one lock.
    pub(crate) fn open(&self, value: u32) -> Result<i32, Failure> {
        let slot = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let exhausted = free.next as usize == SLOTS;
            if free.closed.len() > QUARANTINE || (exhausted && !free.closed.is_empty()) {
                free.closed.pop_front().unwrap_or_default()
            } else if !exhausted {
                free.next += 1;
                free.next - 1
            } else {
                return Err(Failure::new(
                    SluiceStatus::TooManyHandles,
                    format!("{SLOTS} {}s are open; close some", self.kind),
                ));
            }
        };
        let (chunk, at) = chunk_of(slot as usize);
        let chunk = self.chunks[chunk]
            .get_or_init(|| (0..size_of(chunk)).map(|_| AtomicU64::new(0)).collect());
        let word = &chunk[at];
        // The slot came out of `free`, so no other thread opens it. Even generations are closed, odd ones open.
        let generation = (generation_of(word.load(Ordering::Relaxed)) + 1) % GENERATIONS;
        word.store(u64::from(generation) << 32 | u64::from(value), Ordering::Release);
        Ok((generation << SLOT_BITS | slot).cast_signed())
    }

    /// The value that `handle` names. O(1), lock-free.
    #[inline]
    pub(crate) fn get(&self, handle: u32) -> Result<u32, Failure> {
        let word = self.word(handle).map_or(0, |word| word.load(Ordering::Acquire));
        if is_open_as(word, handle) { Ok(word as u32) } else { Err(self.invalid(handle)) }
    }

    /// Closes `handle` and returns its value. Of two concurrent closes one fails.
    pub(crate) fn close(&self, handle: u32) -> Result<u32, Failure> {
        let value = self.invalidate(handle)?;
        self.recycle(handle);
        Ok(value)
    }

    /// The first half of [`Handles::close`]: makes `handle` stale.
    pub(crate) fn invalidate(&self, handle: u32) -> Result<u32, Failure> {
        let word = self.word(handle).ok_or_else(|| self.invalid(handle))?;
        let seen = word.load(Ordering::Acquire);
        let closed = u64::from((generation_of(seen) + 1) % GENERATIONS) << 32;
        if !is_open_as(seen, handle)
            || word.compare_exchange(seen, closed, Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            return Err(self.invalid(handle));
        }
        Ok(seen as u32)
    }

    /// The second half of [`Handles::close`]: lets the slot of an invalidated handle be used again.
    pub(crate) fn recycle(&self, handle: u32) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.closed.push_back(slot_of(handle) as u32);
    }

    #[inline]
    fn word(&self, handle: u32) -> Option<&AtomicU64> {
        let (chunk, at) = chunk_of(slot_of(handle));
        self.chunks.get(chunk)?.get()?.get(at)
    }

    /// The failure for a handle that is not live.
    #[cold]
    pub(crate) fn invalid(&self, handle: u32) -> Failure {
        Failure::new(
            SluiceStatus::InvalidHandle,
            format!("{} handle {handle:#x} was never opened or is closed", self.kind),
        )
    }
}

impl Table for Handles {
    fn abandon(&self, handle: u32) {
        // If another thread has closed it meanwhile, there is nothing left to do.
        let _ = self.close(handle);
    }
}

/// A handle's slot.
#[inline]
pub(crate) fn slot_of(handle: u32) -> usize {
    handle as usize & ((1 << SLOT_BITS) - 1)
}

/// The chunk of a slot, and its index in that chunk.
#[inline]
pub(crate) fn chunk_of(slot: usize) -> (usize, usize) {
    let at = slot + CHUNK;
    let chunk = (at / CHUNK).ilog2() as usize;
    (chunk, at - (CHUNK << chunk))
}

/// How many slots a chunk has.
pub(crate) fn size_of(chunk: usize) -> usize {
    CHUNK << chunk
}

#[inline]
fn generation_of(word: u64) -> u32 {
    (word >> 32) as u32
}

/// Whether a slot's word is open, which is an odd generation, and has the generation of `handle`.
#[inline]
fn is_open_as(word: u64, handle: u32) -> bool {
    let generation = generation_of(word);
    generation & 1 == 1 && generation == handle >> SLOT_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_forged_and_double_use_are_statuses() {
        let table = Handles::new("tokenizer");
        let a = table.open(5).expect("open").cast_unsigned();
        assert_eq!(table.get(a).expect("live"), 5);
        assert_eq!(table.close(a).expect("close"), 5);
        for bad in [a, a ^ 1, 0, 0xF_FFFF, u32::MAX, 0x7FF0_0000] {
            assert_eq!(table.get(bad).expect_err("bad").status, SluiceStatus::InvalidHandle);
            assert_eq!(table.close(bad).expect_err("bad").status, SluiceStatus::InvalidHandle);
        }
    }

    #[test]
    fn a_reused_slot_has_another_generation() {
        let table = Handles::new("tokenizer");
        let first = table.open(1).expect("open").cast_unsigned();
        table.close(first).expect("close");
        for _ in 0..(4 * QUARANTINE) {
            let handle = table.open(2).expect("open").cast_unsigned();
            assert_ne!(handle, first);
            table.close(handle).expect("close");
        }
        assert!(table.get(first).is_err());
    }

    #[test]
    fn the_table_is_bounded_and_says_so() {
        let table = Handles::new("tokenizer");
        let all: Vec<u32> =
            (0..SLOTS).map(|_| table.open(0).expect("room").cast_unsigned()).collect();
        let full = table.open(0).expect_err("full");
        assert_eq!(full.status, SluiceStatus::TooManyHandles);
        assert_eq!(full.message, "1047552 tokenizers are open; close some");
        assert!(all.iter().all(|&handle| table.get(handle).is_ok()));
        table.close(all[7]).expect("close");
        table.open(0).expect("room again");
    }

    #[test]
    fn every_slot_has_an_index_of_its_own() {
        let mut expected = (0, 0);
        for slot in 0..SLOTS {
            assert_eq!(chunk_of(slot), expected);
            expected.1 += 1;
            if expected.1 == size_of(expected.0) {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(expected, (CHUNKS, 0));
        const { assert!(SLOTS < 1 << SLOT_BITS) };
    }

    #[test]
    fn concurrent_closes_succeed_once() {
        let table = Handles::new("tokenizer");
        for _ in 0..200 {
            let handle = table.open(3).expect("open").cast_unsigned();
            let closed = std::thread::scope(|s| {
                let racers = [(); 4].map(|()| s.spawn(|| table.close(handle).is_ok()));
                racers.into_iter().map(|r| r.join().expect("join")).filter(|&ok| ok).count()
            });
            assert_eq!(closed, 1);
        }
    }
}
