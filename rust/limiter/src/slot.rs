//! One key: a header word that is also its lock, and the words that it guards.
//!
//! Everything is an atomic word, so no code here is unsafe; behind the lock they are read and written
//! `Relaxed`, which costs what plain words cost. The lock is held for tens of nanoseconds and never across
//! a call, an allocation or a wait for anything but other slots; who finds it taken waits as `backoff.rs`
//! says.
//!
//! Who locks several slots locks them in the order of (limiter, index), and locks no slot twice.

use std::ops::{Deref, DerefMut};

use crate::backoff::Backoff;
use crate::limit::{Cell, Level};
use crate::sync::{AtomicU64, Ordering};

/// Words before the cells: header, time of the last charge, hash.
pub(crate) const HEAD: usize = 4;
/// Words of a cell.
pub(crate) const CELL: usize = 3;

const LOCKED: u64 = 1;
const LIVE: u64 = 2;
const GENERATION: (u32, u64) = (2, (1 << 21) - 1);
const PLAN: (u32, u64) = (23, (1 << 16) - 1);
const OPEN: (u32, u64) = (39, (1 << 24) - 1);

/// The words of a slot.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) head: &'a [AtomicU64; HEAD],
    /// [`CELL`] for each limit, and perhaps one more.
    cells: &'a [AtomicU64],
}

impl<'a> Words<'a> {
    /// From [`HEAD`] words and [`CELL`] for each limit.
    #[inline]
    pub(crate) fn new(words: &'a [AtomicU64]) -> Option<Self> {
        let (head, cells) = words.split_first_chunk()?;
        Some(Self { head, cells })
    }

    /// What stands there, for tests.
    #[cfg(feature = "oracle")]
    pub(crate) fn read(self) -> Vec<u64> {
        let words = self.head.iter().chain(self.cells);
        words.map(|word| word.load(Ordering::Relaxed)).collect()
    }

    /// The words of a cell. Panics if there is none.
    #[inline(always)]
    fn cell(self, index: usize) -> &'a [AtomicU64; CELL] {
        match self.cells[CELL * index..].first_chunk() {
            Some(cell) => cell,
            None => panic!("a slot has no cell {index}"),
        }
    }
}

/// A slot that nobody else looks at now.
pub(crate) struct Slot<'a> {
    words: Words<'a>,
    /// Without `LOCKED`; [`Guard`] writes it back.
    header: u64,
}

/// The lock of a slot; given up when it is dropped.
pub(crate) struct Guard<'a>(Slot<'a>);

impl<'a> Guard<'a> {
    /// Waits for the lock of `words`.
    ///
    /// `SeqCst`, which costs nothing more where it matters: see `alone.rs`.
    #[inline]
    pub(crate) fn lock(words: Words<'a>) -> Self {
        let word = &words.head[0];
        let mut header = word.load(Ordering::Relaxed) & !LOCKED;
        let mut backoff = Backoff::default();
        loop {
            match word.compare_exchange_weak(
                header,
                header | LOCKED,
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Self(Slot { words, header }),
                Err(seen) if seen & LOCKED == 0 => header = seen,
                Err(seen) => {
                    header = seen & !LOCKED;
                    backoff.pause();
                }
            }
        }
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.words.head[0].store(self.0.header, Ordering::Release);
    }
}

impl<'a> Deref for Guard<'a> {
    type Target = Slot<'a>;

    #[inline]
    fn deref(&self) -> &Slot<'a> {
        &self.0
    }
}

impl DerefMut for Guard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> Slot<'a> {
    /// The slot of `words` without its lock, unless somebody has that; for who is alone (`alone.rs`).
    #[inline]
    pub(crate) fn unlocked(words: Words<'a>) -> Option<Self> {
        let header = words.head[0].load(Ordering::SeqCst);
        (header & LOCKED == 0).then_some(Self { words, header })
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

    /// [`Slot::is`], and it has the limiter's own limits.
    #[inline(always)]
    pub(crate) fn is_plain(&self, generation: u32) -> bool {
        let looked_at = LIVE | GENERATION.1 << GENERATION.0 | PLAN.1 << PLAN.0;
        self.header & looked_at == LIVE | u64::from(generation) << GENERATION.0
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
        cell(self.words.cell(index))
    }

    /// The cells, in order; there may be one more than there are limits.
    #[inline(always)]
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell> + use<'a> {
        self.words.cells.as_chunks().0.iter().map(cell)
    }

    /// Sets what is consumed in the first cells.
    #[inline(always)]
    pub(crate) fn set_levels(&mut self, levels: &[Level]) {
        let cells: &[[AtomicU64; CELL]] = self.words.cells.as_chunks().0;
        for (cell, &Level { level, phase }) in cells.iter().zip(levels) {
            cell[0].store(level, Ordering::Relaxed);
            cell[1].store(phase, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn set_cell(&mut self, index: usize, cell: Cell) {
        let Cell { level, phase, held } = cell;
        self.set_level(index, Level { level, phase });
        self.words.cell(index)[2].store(held, Ordering::Relaxed);
    }

    /// All of a cell but what is held.
    #[inline]
    pub(crate) fn set_level(&mut self, index: usize, Level { level, phase }: Level) {
        let cell = self.words.cell(index);
        cell[0].store(level, Ordering::Relaxed);
        cell[1].store(phase, Ordering::Relaxed);
    }

    /// Makes it the slot of `hash`, with nothing consumed. For `places.rs`, as the next.
    pub(crate) fn occupy(&mut self, hash: u128) {
        self.set_seen(0);
        for index in 0..self.words.cells.len() / CELL {
            self.set_cell(index, Cell::default());
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
        self.words.head[index].load(Ordering::Relaxed)
    }

    #[inline]
    fn set_word(&mut self, index: usize, value: u64) {
        self.words.head[index].store(value, Ordering::Relaxed);
    }
}

#[inline(always)]
fn cell([level, phase, held]: &[AtomicU64; CELL]) -> Cell {
    let [level, phase, held] = [level, phase, held].map(|word| word.load(Ordering::Relaxed));
    Cell { level, phase, held }
}
