//! The mutable state of the engine, one per thread: the pre-token caches, the lookahead queues and the entropy
//! heuristic.
//!
//! A thread's first text allocates 128 KiB and some more, of which only the pages in use take memory; the caches of
//! short pre-tokens in it grow to 12 MiB. A thread that ends leaves its tables to the next one. While a thread ends
//! and its tables are gone, empty ones serve.

use crate::{
    arch::{Processor, WithCpu},
    high_entropy::EntropyHeuristic,
    memory::Memory,
    pretoken_cache::{CacheEntry, LongCache, MergedCache, PendingBlock, RunCache, ShortCache},
    vocab::Vocabulary,
};
use std::{cell::RefCell, marker::PhantomData, sync::Mutex};

/// The full sizes of the two caches of short pre-tokens, as binary logarithms of sets: 8 MiB with ids and 4 MiB with
/// counts. Half of that costs prompts a fifth to a third of their speed; twice as much pays for ids alone, and only
/// in huge pages (`bench/record/2026-11-29-encode.txt`).
const CACHE_BITS: [u32; 2] = [17, 16];

/// The tables of a thread.
pub(crate) struct Tables {
    /// By [`CacheEntry::CACHE`].
    pub(super) short: [ShortCache; 2],
    pub(super) merged: MergedCache,
    pub(super) long: LongCache,
    pub(super) runs: RunCache,
    pub(super) entropy: EntropyHeuristic,
    /// The queues of two consecutive blocks.
    pub(super) queues: Box<[PendingBlock; 2]>,
}

impl Tables {
    /// Empty tables.
    #[cold]
    pub(crate) fn new() -> Self {
        // The allocator's zeroed memory takes no pages until it is used, so little of this is in use at first.
        Self {
            short: CACHE_BITS.map(ShortCache::new),
            merged: MergedCache::new(),
            long: LongCache::new(),
            runs: RunCache::new(),
            entropy: EntropyHeuristic::NO,
            queues: Box::new([PendingBlock::EMPTY; 2]),
        }
    }

    /// Grows a cache of short pre-tokens, if its larger memory is ready.
    #[cold]
    pub(super) fn grow<E: CacheEntry, C: Processor>(&mut self, vocabulary: &Vocabulary, cpu: C) {
        let cache = &mut self.short[E::CACHE];
        if let Some(memory) = cache.larger_memory(vocabulary) {
            let (queues, number) = (&mut *self.queues, vocabulary.number);
            cpu.run_outlined(Grow::<E> { cache, memory, queues, number, entry: PhantomData });
        }
    }

    /// The cache of short pre-tokens with this [index](CacheEntry::CACHE).
    #[cfg(test)]
    pub(crate) fn cache(&self, index: usize) -> &ShortCache {
        &self.short[index]
    }
}

/// A cache that grows while pre-tokens wait to be looked up in it.
struct Grow<'a, E> {
    cache: &'a mut ShortCache,
    memory: Memory,
    queues: &'a mut [PendingBlock; 2],
    /// The number of the vocabulary of the pre-tokens that wait.
    number: u32,
    entry: PhantomData<E>,
}

impl<E: CacheEntry> WithCpu for Grow<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<C: Processor>(self, cpu: C) {
        let Self { cache, memory, queues, number, .. } = self;
        cache.grow::<E>(memory, |key| cpu.cache_hash(key));
        // The old index of a pre-token may now be a set of another vocabulary.
        let cache = cache.view(number);
        for pending in queues.iter_mut().flat_map(|queue| &mut queue.pre_tokens) {
            pending.set = cache.index(cpu.cache_hash(pending.key));
        }
    }
}

/// The number of tables of ended threads that are kept for new threads. Helper threads live as long as their batch,
/// and filling empty tables costs each as much as some megabytes of text.
const KEPT: usize = 4;

static LEFT: Mutex<Vec<Tables>> = Mutex::new(Vec::new());

/// The tables of a thread, once it has some.
struct Own(Option<Tables>);

impl Drop for Own {
    fn drop(&mut self) {
        if let (Some(tables), Ok(mut left)) = (self.0.take(), LEFT.lock())
            && left.len() < KEPT
        {
            left.push(tables);
        }
    }
}

thread_local! {
    static TABLES: RefCell<Own> = const { RefCell::new(Own(None)) };
}

/// Calls `work` with the tables of this thread, or with empty ones if they are gone or in use.
#[inline(always)]
pub(super) fn with_tables<R>(work: impl FnOnce(&mut Tables) -> R) -> R {
    let mut work = Some(work);
    let done = TABLES.try_with(|tables| {
        let mut tables = tables.try_borrow_mut().ok()?;
        Some(work.take()?(tables.0.get_or_insert_with(take)))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(&mut Tables::new()),
        // Unreachable, as `work` is taken only for a result.
        (_, None) => unreachable!(),
    }
}

/// The tables of a thread that has ended, or empty ones.
#[cold]
fn take() -> Tables {
    let left = LEFT.lock().ok().and_then(|mut left| left.pop());
    left.unwrap_or_else(Tables::new)
}
