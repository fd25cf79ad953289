//! One key: a header word that is also its lock, and the words that it guards.
//!
//! Everything is an atomic word, so no code here is unsafe; behind the lock they are read and written
//! `Relaxed`, which costs what plain words cost. The lock spins, because it is held for tens of
//! nanoseconds and never across a call, an allocation or a wait for anything but other slots; and it
//! yields, because on a machine with few cores the holder may not be running.
//!
//! Who locks several slots locks them in the order of (limiter, index), and locks no slot twice.

use crate::limit::Cell;
use crate::sync::{AtomicU64, Ordering, SPINS, spin_loop, yield_now};

/// Words before the cells: header, time of the last charge, hash.
pub(crate) const HEAD: usize = 4;
/// Words of a cell.
pub(crate) const CELL: usize = 3;

const LOCKED: u64 = 1;
const LIVE: u64 = 2;
const GENERATION: (u32, u64) = (2, (1 << 21) - 1);
const PLAN: (u32, u64) = (23, (1 << 16) - 1);
const OPEN: (u32, u64) = (39, (1 << 24) - 1);

/// A slot that this thread holds the lock of.
pub(crate) struct Slot<'a> {
    words: &'a [AtomicU64],
    /// Without `LOCKED`; written back when the lock is given up.
    header: u64,
}

impl<'a> Slot<'a> {
    /// Waits for the lock of `words`.
    #[inline]
    pub(crate) fn lock(words: &'a [AtomicU64]) -> Self {
        let word = &words[0];
        let mut header = word.load(Ordering::Relaxed) & !LOCKED;
        let mut spins = 0;
        loop {
            match word.compare_exchange_weak(
                header,
                header | LOCKED,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Self { words, header },
                Err(seen) if seen & LOCKED == 0 => header = seen,
                Err(seen) => {
                    header = seen & !LOCKED;
                    if spins == SPINS {
                        yield_now();
                    } else {
                        spins += 1;
                        spin_loop();
                    }
                }
            }
        }
    }

    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.header & LIVE != 0
    }

    /// Whether it is still the key that got this generation.
    #[inline]
    pub(crate) fn is(&self, generation: u32) -> bool {
        self.is_live() && self.generation() == generation
    }

    #[inline]
    pub(crate) fn generation(&self) -> u32 {
        self.field(GENERATION) as u32
    }

    #[inline]
    pub(crate) fn plan(&self) -> usize {
        self.field(PLAN) as usize
    }

    pub(crate) fn set_plan(&mut self, plan: usize) {
        self.set_field(PLAN, plan as u64);
    }

    /// How many reservations are open.
    pub(crate) fn open(&self) -> u64 {
        self.field(OPEN)
    }

    /// Counts one more, unless there is no room for the count.
    pub(crate) fn can_open(&self) -> bool {
        self.open() < OPEN.1
    }

    pub(crate) fn set_open(&mut self, open: u64) {
        self.set_field(OPEN, open);
    }

    #[inline]
    pub(crate) fn seen(&self) -> u64 {
        self.word(1)
    }

    #[inline]
    pub(crate) fn set_seen(&mut self, ns: u64) {
        self.set_word(1, ns);
    }

    pub(crate) fn hash(&self) -> u128 {
        u128::from(self.word(2)) << 64 | u128::from(self.word(3))
    }

    #[inline]
    pub(crate) fn cell(&self, index: usize) -> Cell {
        let at = HEAD + CELL * index;
        Cell { level: self.word(at), phase: self.word(at + 1), held: self.word(at + 2) }
    }

    #[inline]
    pub(crate) fn set_cell(&mut self, index: usize, cell: Cell) {
        let at = HEAD + CELL * index;
        self.set_word(at, cell.level);
        self.set_word(at + 1, cell.phase);
        self.set_word(at + 2, cell.held);
    }

    /// Makes it the slot of `hash`, with nothing consumed.
    pub(crate) fn occupy(&mut self, hash: u128) {
        for index in 1..self.words.len() {
            self.set_word(index, 0);
        }
        self.set_word(2, (hash >> 64) as u64);
        self.set_word(3, hash as u64);
        self.header |= LIVE;
    }

    /// Makes it nobody's: who comes with the old generation finds another.
    pub(crate) fn vacate(&mut self) {
        let generation = u64::from(self.generation()) + 1;
        self.header = 0;
        self.set_field(GENERATION, generation & GENERATION.1);
    }

    #[inline]
    fn field(&self, (shift, mask): (u32, u64)) -> u64 {
        self.header >> shift & mask
    }

    #[inline]
    fn set_field(&mut self, (shift, mask): (u32, u64), value: u64) {
        self.header = self.header & !(mask << shift) | (value & mask) << shift;
    }

    #[inline]
    fn word(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::Relaxed)
    }

    #[inline]
    fn set_word(&mut self, index: usize, value: u64) {
        self.words[index].store(value, Ordering::Relaxed);
    }
}

impl Drop for Slot<'_> {
    #[inline]
    fn drop(&mut self) {
        self.words[0].store(self.header, Ordering::Release);
    }
}
