//! A set-associative cache of short pre-tokens that grows in steps while it is in use.
//!
//! A thread that tokenizes little has 64 KiB. After some hundred new pre-tokens the cache grows to a huge page, and
//! after some thousand to its full size. A separate thread allocates and touches the larger memory: clearing a huge
//! page takes 0.1 ms, and several milliseconds where the host of a virtual machine must find it first. Until the
//! memory is ready, the smaller cache serves.

use super::set::{CacheEntry, Set};
use crate::{
    memory::{HUGE_PAGE, HeapLines, Memory},
    vocab::{NUMBER_BITS, Vocabulary, key::Key},
};
use std::thread::{self, JoinHandle};

/// The binary logarithm of the first number of sets.
const FIRST_BITS: u32 = 10;
/// The binary logarithm of the second number of sets: those of a huge page.
const SECOND_BITS: u32 = (HUGE_PAGE / size_of::<Set>()).ilog2();

/// The stack of a thread that only touches memory.
const STACK_BYTES: usize = 64 << 10;

/// A cache of short pre-tokens.
pub(crate) struct ShortCache {
    memory: Memory,
    /// The binary logarithm of the number of sets.
    bits: u32,
    /// The same at full size.
    max_bits: u32,
    /// The number of insertions before the cache should grow.
    until_growth: usize,
    /// The thread that prepares the larger memory, once the cache should grow.
    preparing: Option<JoinHandle<Option<Memory>>>,
}

impl ShortCache {
    /// An empty cache that grows up to two to the power of `max_bits` sets.
    pub(crate) fn new(max_bits: u32) -> Self {
        Self::with(Memory::Heap(HeapLines::new(1 << FIRST_BITS)), FIRST_BITS, max_bits)
    }

    fn with(memory: Memory, bits: u32, max_bits: u32) -> Self {
        let until_growth = if bits < max_bits { 1 << (bits - 1) } else { usize::MAX };
        Self { memory, bits, max_bits, until_growth, preparing: None }
    }

    /// The cache as the vocabulary with this number sees it.
    #[inline(always)]
    pub(crate) fn view(&self, number: u32) -> ShortView<'_> {
        const NONE: &[Set] = &[[0; 4]];
        // There are always sets. That the compiler knows so saves a bounds check for each pre-token.
        let sets = if self.memory.lines().is_empty() { NONE } else { self.memory.lines() };
        ShortView { sets, last: sets.len() - 1, salt: self.salt(number) }
    }

    /// The salt of a vocabulary, which is xored to hashes.
    ///
    /// Vocabularies map a pre-token to different sets, and the number follows from the set and the pre-token. So an
    /// entry need not store its vocabulary.
    #[inline(always)]
    fn salt(&self, number: u32) -> usize {
        (number as usize) << (self.bits - NUMBER_BITS)
    }

    /// The set at an index.
    #[inline(always)]
    pub(crate) fn set_mut(&mut self, index: usize) -> &mut Set {
        let sets = self.memory.lines_mut();
        let last = sets.len() - 1;
        &mut sets[index & last]
    }

    /// Whether the cache has its full size.
    #[inline(always)]
    pub(crate) fn is_full_size(&self) -> bool {
        self.bits == self.max_bits
    }

    /// Counts an insertion. Whether the cache should grow.
    #[inline(always)]
    pub(crate) fn should_grow(&mut self) -> bool {
        self.until_growth = self.until_growth.saturating_sub(1);
        self.until_growth == 0
    }

    /// The larger memory, if it is ready. If nothing prepares it yet, starts a thread that does. As a thread with
    /// that many new pre-tokens will look up more, the preparing thread also reads the tables of the vocabulary ahead.
    #[cold]
    pub(crate) fn larger_memory(&mut self, vocabulary: &Vocabulary) -> Option<Memory> {
        let Some(preparing) = self.preparing.take() else {
            let count = 1 << self.next_bits();
            let tables = vocabulary.read_ahead();
            let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
                if let Some(tables) = tables {
                    tables.read();
                }
                let mut memory = Memory::try_new(count)?;
                memory.populate();
                Some(memory)
            });
            if thread.is_err() {
                // The system has no thread now; try again later.
                self.until_growth = 1 << (self.bits - 1);
            }
            self.preparing = thread.ok();
            return None;
        };
        if !preparing.is_finished() {
            self.preparing = Some(preparing);
            return None;
        }
        let memory = preparing.join().ok().flatten();
        if memory.is_none() {
            // The system does not have that much memory: the cache keeps its size.
            self.until_growth = usize::MAX;
        }
        memory
    }

    fn next_bits(&self) -> u32 {
        if self.bits < SECOND_BITS { SECOND_BITS.min(self.max_bits) } else { self.max_bits }
    }

    /// Moves all entries into larger memory. O(entries).
    #[inline(always)]
    pub(crate) fn grow<E: CacheEntry>(&mut self, memory: Memory, hash: impl Fn(Key) -> u64) {
        let bits = memory.lines().len().ilog2();
        let mut grown = Self::with(memory, bits, self.max_bits);
        for (index, set) in self.memory.lines().iter().enumerate() {
            for (key, entry) in E::ways(set).filter(|(key, _)| *key != 0) {
                let hash = hash(key);
                // The salt, and thus the vocabulary, is the difference of the index and the hash.
                let number = (index ^ hash as usize) >> (self.bits - NUMBER_BITS);
                let number = number as u32 & ((1 << NUMBER_BITS) - 1);
                let index = hash as usize ^ grown.salt(number);
                entry.insert(grown.set_mut(index), key);
            }
        }
        *self = grown;
    }
}

/// A [`ShortCache`] as one vocabulary sees it. Indices are taken modulo the number of sets, a power of two.
#[derive(Clone, Copy)]
pub(crate) struct ShortView<'a> {
    sets: &'a [Set],
    /// The index of the last set, all bits of which are ones.
    last: usize,
    salt: usize,
}

impl<'a> ShortView<'a> {
    /// The index of the set of a pre-token with this hash.
    #[inline(always)]
    pub(crate) fn index(self, hash: u64) -> usize {
        (hash as usize ^ self.salt) & self.last
    }

    /// The set at an index.
    #[inline(always)]
    pub(crate) fn set(self, index: usize) -> &'a Set {
        &self.sets[index & self.last]
    }
}

#[cfg(test)]
impl ShortCache {
    /// A cache of a fixed size.
    pub(crate) fn fixed(memory: Memory) -> Self {
        let bits = memory.lines().len().ilog2();
        Self::with(memory, bits, bits)
    }

    /// The number of sets.
    pub(crate) fn len(&self) -> usize {
        self.memory.lines().len()
    }

    /// The number of insertions before the cache should grow.
    pub(crate) fn until_growth(&self) -> usize {
        self.until_growth
    }

    /// Whether larger memory is ready.
    pub(crate) fn is_prepared(&self) -> bool {
        self.preparing.as_ref().is_some_and(JoinHandle::is_finished)
    }
}
