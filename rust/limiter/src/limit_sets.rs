//! Interned limit sets with reference counts: the limiter's default limits, and others that some
//! keys share.
//!
//! Gateways have few sets of limits for many keys (tiers), so a slot holds the number of its set.
//! Adaptive limits use many different sets in a day but few at once, so a number is reused when no
//! slot has it any more.
//!
//! A number is counted *before* a slot gets it and released *after* the slot has lost it, and slots
//! are read and written under their locks. As long as a thread reads a set, some slot has its
//! number, so the set is not overwritten. To read a set is therefore to read words, without a lock
//! or a count of readers. (`tests/loom`)

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError};

use crate::limits::limit::Limit;
use crate::limits::prepared_limit::{PREPARED_WORDS, PreparedLimit};
use crate::sync::{AtomicU64, LIMIT_SETS, LIMIT_SETS_PER_CHUNK, Mutex, Ordering};

/// The most different sets of limits at a time, including the defaults.
pub const MOST_LIMIT_SETS: usize = LIMIT_SETS;

/// A set of limits, in the order of the limiter's defaults.
pub type LimitSet = Box<[Limit]>;

/// Keys have 65,536 different sets of limits already, including the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyLimitSets;

pub(crate) struct LimitSets {
    definitions: LimitSet,
    /// Set 0, prepared.
    defaults: Box<[PreparedLimit]>,
    /// The words of all other sets, [`LIMIT_SETS_PER_CHUNK`] to a chunk.
    chunks: Box<[OnceLock<Box<[AtomicU64]>>]>,
    registry: Mutex<Registry>,
}

struct Registry {
    /// The numbers of the sets that are in use.
    numbers: HashMap<LimitSet, usize>,
    /// References to each number: by slots, and by threads that are about to store it in one.
    reference_counts: Vec<u32>,
    free: Vec<usize>,
}

impl LimitSets {
    pub(crate) fn new(defaults: LimitSet) -> Self {
        let chunks = (0..LIMIT_SETS / LIMIT_SETS_PER_CHUNK).map(|_| OnceLock::new()).collect();
        // The defaults are never released.
        let registry = Registry {
            numbers: HashMap::from([(defaults.clone(), 0)]),
            reference_counts: vec![1],
            free: Vec::new(),
        };
        Self {
            defaults: defaults.iter().map(|&limit| PreparedLimit::new(limit)).collect(),
            definitions: defaults,
            chunks,
            registry: Mutex::new(registry),
        }
    }

    /// The default limits.
    pub(crate) fn definitions(&self) -> &[Limit] {
        &self.definitions
    }

    /// The default limits, prepared.
    #[inline]
    pub(crate) fn defaults(&self) -> &[PreparedLimit] {
        &self.defaults
    }

    /// Set `number`, which is not 0, prepared. The caller has locked a slot that has it.
    #[inline]
    pub(crate) fn prepared(&self, number: usize) -> impl Iterator<Item = PreparedLimit> + '_ {
        let words = self.words(number).as_chunks::<PREPARED_WORDS>().0;
        words.iter().map(|words| {
            PreparedLimit::from_words(words.each_ref().map(|word| word.load(Ordering::Relaxed)))
        })
    }

    /// The limits of set `number`. The caller has locked a slot that has it, or holds a reference.
    pub(crate) fn get(&self, number: usize) -> impl Iterator<Item = Limit> + '_ {
        let own = if number == 0 { &self.definitions[..] } else { &[] };
        let chunks = (number != 0).then(|| self.prepared(number).map(|limit| limit.definition));
        own.iter().copied().chain(chunks.into_iter().flatten())
    }

    /// The number of `limits`, with one more reference. O(limits), one lock.
    pub(crate) fn acquire(&self, limits: LimitSet) -> Result<usize, TooManyLimitSets> {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = registry.numbers.get(&limits) {
            registry.reference_counts[number] += u32::from(number != 0);
            return Ok(number);
        }
        let number = match registry.free.pop() {
            Some(number) => number,
            None if registry.reference_counts.len() < LIMIT_SETS => {
                registry.reference_counts.push(0);
                registry.reference_counts.len() - 1
            }
            None => return Err(TooManyLimitSets),
        };
        let chunk = self.chunks[number / LIMIT_SETS_PER_CHUNK].get_or_init(|| {
            (0..LIMIT_SETS_PER_CHUNK * self.words_per_set()).map(|_| AtomicU64::new(0)).collect()
        });
        let start = number % LIMIT_SETS_PER_CHUNK * self.words_per_set();
        let words = limits.iter().flat_map(|&limit| PreparedLimit::new(limit).to_words());
        for (word, value) in chunk[start..].iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        registry.reference_counts[number] = 1;
        registry.numbers.insert(limits, number);
        Ok(number)
    }

    /// Adds a reference to a number that has one already.
    pub(crate) fn retain(&self, number: usize) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.reference_counts[number] += u32::from(number != 0);
    }

    /// Removes a reference to a number. O(limits).
    pub(crate) fn release(&self, number: usize) {
        if number == 0 {
            return;
        }
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.reference_counts[number] -= 1;
        if registry.reference_counts[number] == 0 {
            let limits: LimitSet = self.get(number).collect();
            registry.numbers.remove(&limits);
            registry.free.push(number);
        }
    }

    /// Words in a set.
    fn words_per_set(&self) -> usize {
        PREPARED_WORDS * self.defaults.len()
    }

    #[inline]
    fn words(&self, number: usize) -> &[AtomicU64] {
        let chunk = self.chunks[number / LIMIT_SETS_PER_CHUNK].get();
        let start = number % LIMIT_SETS_PER_CHUNK * self.words_per_set();
        chunk.and_then(|chunk| chunk.get(start..start + self.words_per_set())).unwrap_or_default()
    }
}
