//! The slot of one key: a header word that is also a spin lock, and the words that it guards.
//!
//! Everything is an atomic word, so no code here is unsafe. Behind the lock, words are read and
//! written `Relaxed`, which costs as much as plain memory. The lock is held for tens of
//! nanoseconds, and never across a call, an allocation or a wait for anything but other slots.
//! Waiting threads back off (`backoff.rs`).
//!
//! Lock order: a thread that locks several slots locks them in the order of (limiter, index), each
//! once.

use std::ops::{Deref, DerefMut};

use crate::limits::state::{Level, LimitState};
use crate::slots::backoff::Backoff;
use crate::sync::{AtomicU64, Ordering};

/// Words before the limit states: header, time of the last change, name hash (2).
pub(crate) const HEADER_WORDS: usize = 4;
/// Words of a limit state.
pub(crate) const STATE_WORDS: usize = 3;

const LOCKED: u64 = 1;
const LIVE: u64 = 2;
const GENERATION: (u32, u64) = (2, (1 << 21) - 1);
const LIMIT_SET: (u32, u64) = (23, (1 << 16) - 1);
const OPEN_RESERVATIONS: (u32, u64) = (39, (1 << 24) - 1);
const PINNED: u64 = 1 << 63;

/// The words of a slot.
#[derive(Clone, Copy)]
pub(crate) struct SlotWords<'a> {
    pub(crate) head: &'a [AtomicU64; HEADER_WORDS],
    /// [`STATE_WORDS`] for each limit, and perhaps one more word.
    states: &'a [AtomicU64],
}

impl<'a> SlotWords<'a> {
    /// From [`HEADER_WORDS`] words and [`STATE_WORDS`] for each limit.
    #[inline]
    pub(crate) fn new(words: &'a [AtomicU64]) -> Option<Self> {
        let (head, states) = words.split_first_chunk()?;
        Some(Self { head, states })
    }

    /// All words, for tests.
    #[cfg(feature = "oracle")]
    pub(crate) fn read(self) -> Vec<u64> {
        let words = self.head.iter().chain(self.states);
        words.map(|word| word.load(Ordering::Relaxed)).collect()
    }

    /// The words of a limit state. Panics if there is none.
    #[inline(always)]
    fn state(self, index: usize) -> &'a [AtomicU64; STATE_WORDS] {
        match self.states[STATE_WORDS * index..].first_chunk() {
            Some(state) => state,
            None => panic!("a slot has no state {index}"),
        }
    }
}

/// A slot that the current thread has to itself, by its lock or by exclusive mode.
pub(crate) struct Slot<'a> {
    words: SlotWords<'a>,
    /// The header without `LOCKED`; [`Guard`] writes it back.
    header: u64,
}

/// Guard of a locked slot; unlocks it when dropped.
pub(crate) struct Guard<'a>(Slot<'a>);

impl<'a> Guard<'a> {
    /// Locks the slot of `words`, waiting if necessary.
    ///
    /// `SeqCst` is required by exclusive mode (`exclusive_mode.rs`). On the processors that matter
    /// it costs no more than `Acquire` here.
    #[inline]
    pub(crate) fn lock(words: SlotWords<'a>) -> Self {
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
    /// The slot of `words` without locking it, unless it is locked; for a thread in exclusive mode.
    #[inline]
    pub(crate) fn unlocked(words: SlotWords<'a>) -> Option<Self> {
        let header = words.head[0].load(Ordering::SeqCst);
        (header & LOCKED == 0).then_some(Self { words, header })
    }

    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.header & LIVE != 0
    }

    /// Whether the slot still belongs to the key of this generation.
    #[inline]
    pub(crate) fn is_current(&self, generation: u32) -> bool {
        self.is_live() && self.generation() == generation
    }

    /// [`Slot::is_current`], and the key has the limiter's default limits.
    #[inline(always)]
    pub(crate) fn has_default_limits(&self, generation: u32) -> bool {
        let compared = LIVE | GENERATION.1 << GENERATION.0 | LIMIT_SET.1 << LIMIT_SET.0;
        self.header & compared == LIVE | u64::from(generation) << GENERATION.0
    }

    #[inline]
    pub(crate) fn generation(&self) -> u32 {
        self.field(GENERATION) as u32
    }

    #[inline]
    pub(crate) fn limit_set(&self) -> usize {
        self.field(LIMIT_SET) as usize
    }

    pub(crate) fn set_limit_set(&mut self, limit_set: usize) {
        self.set_field(LIMIT_SET, limit_set as u64);
    }

    /// The number of open reservations of the key.
    pub(crate) fn open_reservations(&self) -> u64 {
        self.field(OPEN_RESERVATIONS)
    }

    /// Whether the header has room to count one more reservation.
    pub(crate) fn can_reserve(&self) -> bool {
        self.open_reservations() < OPEN_RESERVATIONS.1
    }

    pub(crate) fn set_open_reservations(&mut self, count: u64) {
        self.set_field(OPEN_RESERVATIONS, count);
    }

    /// Whether the key must not be evicted, although nothing is consumed or held.
    pub(crate) fn is_pinned(&self) -> bool {
        self.header & PINNED != 0
    }

    pub(crate) fn set_pinned(&mut self, is_pinned: bool) {
        self.header = if is_pinned { self.header | PINNED } else { self.header & !PINNED };
    }

    #[inline]
    pub(crate) fn last_change(&self) -> u64 {
        self.word(1)
    }

    #[inline]
    pub(crate) fn set_last_change(&mut self, ns: u64) {
        self.set_word(1, ns);
    }

    pub(crate) fn hash(&self) -> u128 {
        u128::from(self.word(2)) << 64 | u128::from(self.word(3))
    }

    #[inline]
    pub(crate) fn state(&self, index: usize) -> LimitState {
        state(self.words.state(index))
    }

    /// The limit states in order; there may be one more than there are limits.
    #[inline(always)]
    pub(crate) fn states(&self) -> impl Iterator<Item = LimitState> + use<'a> {
        self.words.states.as_chunks().0.iter().map(state)
    }

    /// Sets what is consumed of the first limits.
    #[inline(always)]
    pub(crate) fn set_levels(&mut self, levels: &[Level]) {
        let states: &[[AtomicU64; STATE_WORDS]] = self.words.states.as_chunks().0;
        for (state, &Level { level, phase }) in states.iter().zip(levels) {
            state[0].store(level, Ordering::Relaxed);
            state[1].store(phase, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn set_state(&mut self, index: usize, state: LimitState) {
        let LimitState { level, phase, held } = state;
        self.set_level(index, Level { level, phase });
        self.words.state(index)[2].store(held, Ordering::Relaxed);
    }

    /// Sets a limit state except for what is held.
    #[inline]
    pub(crate) fn set_level(&mut self, index: usize, Level { level, phase }: Level) {
        let state = self.words.state(index);
        state[0].store(level, Ordering::Relaxed);
        state[1].store(phase, Ordering::Relaxed);
    }

    /// Makes it the slot of the name `hash`, with nothing consumed. Only `slot_allocator.rs` calls
    /// this and the next.
    pub(crate) fn occupy(&mut self, hash: u128) {
        self.set_last_change(0);
        for index in 0..self.words.states.len() / STATE_WORDS {
            self.set_state(index, LimitState::default());
        }
        self.set_word(2, (hash >> 64) as u64);
        self.set_word(3, hash as u64);
        self.header |= LIVE;
    }

    /// Removes the tenant. The generation grows, so handles of the old tenant are stale.
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
fn state([level, phase, held]: &[AtomicU64; STATE_WORDS]) -> LimitState {
    let [level, phase, held] = [level, phase, held].map(|word| word.load(Ordering::Relaxed));
    LimitState { level, phase, held }
}
