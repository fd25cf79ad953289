//! The piece cache: a set-associative cache of short pieces, which grows with what is new to it.
//!
//! Who tokenizes little has 64 KiB of it, which are in use at once. After some hundred new pieces it grows to a
//! huge page, and after some thousand to its full size. The larger memory is asked for, and touched, by a thread
//! of its own: to clear a huge page takes a tenth of a millisecond, and several where the host of a virtual
//! machine has to find it first. Until it is there, the smaller cache serves.

use crate::{
    known::Known,
    lines::{Line, NUMBER_BITS},
    memory::{HUGE_PAGE, Memory, Plain},
    vocabulary::{Key, Vocabulary},
};
use std::thread::{self, JoinHandle};

/// The cache begins with two to the power of so many lines,
const FIRST_BITS: u32 = 10;
/// and goes on with those of one huge page.
const SECOND_BITS: u32 = (HUGE_PAGE / size_of::<Line>()).ilog2();

/// A thread that only touches memory needs hardly any stack.
const STACK_BYTES: usize = 64 << 10;

/// Lines that hold what is known of short pieces.
pub(crate) struct PieceCache {
    memory: Memory,
    bits: u32,
    /// How many bits it has in the end.
    most_bits: u32,
    /// How many pieces may come before it is to grow.
    until_growth: usize,
    /// Who prepares the larger memory, once it is to grow.
    preparing: Option<JoinHandle<Option<Memory>>>,
}

impl PieceCache {
    /// A cache that knows nothing yet, and has 2 to the power of `most_bits` lines in the end.
    pub(crate) fn new(most_bits: u32) -> Self {
        Self::with(Memory::Plain(Plain::new(1 << FIRST_BITS)), FIRST_BITS, most_bits)
    }

    fn with(memory: Memory, bits: u32, most_bits: u32) -> Self {
        let until_growth = if bits < most_bits { 1 << (bits - 1) } else { usize::MAX };
        Self { memory, bits, most_bits, until_growth, preparing: None }
    }

    /// Where the pieces of the vocabulary with this number are.
    #[inline(always)]
    pub(crate) fn view(&self, number: u32) -> View<'_> {
        const NONE: &[Line] = &[[0; 4]];
        // There always are lines. That this is so when it is compiled saves a look at the bounds for each piece.
        let lines = if self.memory.lines().is_empty() { NONE } else { self.memory.lines() };
        View { lines, last: lines.len() - 1, salt: self.salt(number) }
    }

    /// What a vocabulary changes of a hash.
    ///
    /// Each sends a piece to another line, and `number` can be told from the line and the piece; so what stands
    /// in a line need not say of which vocabulary it is.
    #[inline(always)]
    fn salt(&self, number: u32) -> usize {
        (number as usize) << (self.bits - NUMBER_BITS)
    }

    /// The line at a place.
    #[inline(always)]
    pub(crate) fn line_mut(&mut self, place: usize) -> &mut Line {
        let lines = self.memory.lines_mut();
        let last = lines.len() - 1;
        &mut lines[place & last]
    }

    /// Hears that a new piece was put into a line, and says whether the cache is to grow.
    #[inline(always)]
    pub(crate) fn is_to_grow(&mut self) -> bool {
        self.until_growth = self.until_growth.saturating_sub(1);
        self.until_growth == 0
    }

    /// Memory to grow into, if it is there. If not, a thread prepares it; and as a thread that has so much new is
    /// going to look up more, that thread reads the tables of its vocabulary ahead.
    #[cold]
    pub(crate) fn larger(&mut self, vocabulary: &Vocabulary) -> Option<Memory> {
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
                // The system has no thread now, and is asked again later.
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
            // The system has not so much memory: it stays as small as it is.
            self.until_growth = usize::MAX;
        }
        memory
    }

    fn next_bits(&self) -> u32 {
        if self.bits < SECOND_BITS { SECOND_BITS.min(self.most_bits) } else { self.most_bits }
    }

    /// Moves all that is known into larger memory.
    #[inline(always)]
    pub(crate) fn grow<K: Known>(&mut self, memory: Memory, hash: impl Fn(Key) -> u64) {
        let bits = memory.lines().len().ilog2();
        let mut grown = Self::with(memory, bits, self.most_bits);
        for (place, line) in self.memory.lines().iter().enumerate() {
            for (key, known) in K::all(line).filter(|(key, _)| *key != 0) {
                let hash = hash(key);
                // What the vocabulary has changed of the hash.
                let number = (place ^ hash as usize) >> (self.bits - NUMBER_BITS);
                let number = number as u32 & ((1 << NUMBER_BITS) - 1);
                let place = hash as usize ^ grown.salt(number);
                known.put(grown.line_mut(place), key);
            }
        }
        *self = grown;
    }
}

/// Where the pieces of one vocabulary are in a cache.
///
/// Places are told modulo the number of lines, which is a power of two.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    lines: &'a [Line],
    /// The place of the last line, all bits of which are set.
    last: usize,
    salt: usize,
}

impl<'a> View<'a> {
    /// The place of a piece with this hash.
    #[inline(always)]
    pub(crate) fn place(self, hash: u64) -> usize {
        (hash as usize ^ self.salt) & self.last
    }

    /// The line at a place.
    #[inline(always)]
    pub(crate) fn line(self, place: usize) -> &'a Line {
        &self.lines[place & self.last]
    }
}

#[cfg(test)]
impl PieceCache {
    /// A cache of one size.
    pub(crate) fn of(memory: Memory) -> Self {
        let bits = memory.lines().len().ilog2();
        Self::with(memory, bits, bits)
    }

    /// How many lines it has.
    pub(crate) fn len(&self) -> usize {
        self.memory.lines().len()
    }

    /// How many pieces may come before it is to grow.
    pub(crate) fn until_growth(&self) -> usize {
        self.until_growth
    }

    /// Whether there is memory to grow into.
    pub(crate) fn is_prepared(&self) -> bool {
        self.preparing.as_ref().is_some_and(JoinHandle::is_finished)
    }
}
