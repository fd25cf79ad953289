//! Batches: a work queue of groups of texts, drained by as many threads as pay off.
//!
//! The texts are divided into *groups* of about [`GROUP_BYTES`]. Neighbouring short texts share a group; a long text
//! is split where that does not change its tokens ([`Tokenizer::cut`]). Threads take groups in order, and results are
//! assembled in order, so the result equals that of the texts one by one, whatever the scheduling. A batch can be
//! stopped between two groups.

mod texts;

pub use texts::Texts;

use crate::{
    error::BatchError,
    sink::EndToken,
    tokenizer::{Tokenizer, special_tokens::SpecialTokenMode},
};
use std::collections::TryReserveError;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The approximate size of a group. It is large enough that taking a group costs nothing beside tokenizing it, and
/// small enough that threads finish together and that a stop takes effect soon.
const GROUP_BYTES: usize = 64 << 10;

/// Batches of fewer bytes stay on the calling thread, as starting others costs more than they save. Two threads take
/// 1.2 times as long as one for 1 MB of English, 0.8 times for 4 MB and 0.6 times for 16 MB
/// (`bench/record/2026-11-26-engine-tables.txt`). Other scripts gain from smaller sizes on.
pub const PARALLEL_BYTES: usize = 1 << 20;

/// Options of a batch.
#[derive(Clone, Copy)]
pub struct BatchOptions<'a> {
    /// How the names of special tokens are treated.
    pub special: SpecialTokenMode,
    /// The maximum number of threads, including the calling one; 0 means one for each CPU.
    pub threads: usize,
    /// Stops the batch soon after it is set.
    pub stop: &'a AtomicBool,
}

impl Tokenizer {
    /// The number of tokens of each text. O(n).
    ///
    /// # Errors
    /// [`BatchError`] for the first text that fails, a stop, or a lack of memory.
    pub fn count_batch(
        &self,
        texts: &Texts<'_>,
        options: BatchOptions<'_>,
    ) -> Result<Vec<u32>, BatchError> {
        let plan = Plan::new(self, texts, options)?;
        let parts = plan.run(options, |group| {
            let mut counts = zeros(group.len())?;
            self.count_each(&group, plan.special, &mut counts)?;
            Ok(counts)
        })?;
        let mut counts = zeros(texts.len())?;
        for (text, tokens) in plan.text_of.iter().zip(parts.into_iter().flatten()) {
            counts[*text] += tokens;
        }
        Ok(counts)
    }

    /// `n + 1` offsets, and then the ids of the tokens of all `n` texts. The ids of text `i` are the elements from
    /// `n + 1 + offsets[i]` up to `n + 1 + offsets[i + 1]`. O(n).
    ///
    /// # Errors
    /// [`BatchError`] for the first text that fails, a stop, or a lack of memory.
    pub fn encode_batch(
        &self,
        texts: &Texts<'_>,
        options: BatchOptions<'_>,
    ) -> Result<Vec<u32>, BatchError> {
        let plan = Plan::new(self, texts, options)?;
        let parts = plan.run(options, |group| {
            // No text has more tokens than bytes.
            let mut room = zeros(group.iter().map(str::len).sum())?;
            let mut ends = zeros(group.len())?;
            let n = self.encode_each(&group, plan.special, EndToken::None, &mut ends, &mut room)?;
            // All parts exist at the same time, and `room` has an element for each byte.
            let mut ids = with_room(n)?;
            ids.extend_from_slice(&room[..n]);
            Ok(Part { ids, ends })
        })?;
        let header = texts.len() + 1;
        let total: usize = parts.iter().map(|part| part.ids.len()).sum();
        let mut words = with_room(header + total)?;
        words.resize(header, 0);
        let mut text_of = plan.text_of.iter();
        for part in parts {
            let base = words.len() - header;
            for (end, text) in part.ends.iter().zip(&mut text_of) {
                words[text + 1] = (base + *end as usize) as u32;
            }
            words.extend_from_slice(&part.ids);
        }
        Ok(words)
    }
}

/// The tokens of one group.
struct Part {
    ids: Vec<u32>,
    /// The end of the ids of each segment.
    ends: Vec<u32>,
}

/// A batch, divided into segments, which are whole texts or parts of long ones, and into groups of segments.
struct Plan<'a> {
    special: SpecialTokenMode,
    segments: Texts<'a>,
    /// The index of the text of each segment.
    text_of: Vec<usize>,
    groups: Vec<Range<usize>>,
    bytes: usize,
}

impl<'a> Plan<'a> {
    fn new(
        tokenizer: &Tokenizer,
        texts: &Texts<'a>,
        BatchOptions { special, stop, .. }: BatchOptions<'_>,
    ) -> Result<Self, BatchError> {
        let mut plan = Self {
            // A text that passed the check has the same tokens in the mode `Text`, which allows splits.
            special: if special == SpecialTokenMode::Error {
                SpecialTokenMode::Text
            } else {
                special
            },
            segments: Texts::with_capacity(texts.all(), texts.len())?,
            text_of: with_room(texts.len())?,
            groups: Vec::new(),
            bytes: texts.iter().map(str::len).sum(),
        };
        for (index, text) in texts.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Err(BatchError::Stopped);
            }
            tokenizer.check(text, special).map_err(|error| BatchError::Text { index, error })?;
            let Range { mut start, end } = texts.ranges()[index].clone();
            while plan.special == SpecialTokenMode::Text && end - start > 2 * GROUP_BYTES {
                let Some(at) = tokenizer.cut(&texts.all()[start..end], GROUP_BYTES) else { break };
                plan.push(index, start..start + at)?;
                start += at;
            }
            plan.push(index, start..end)?;
        }
        let (mut start, mut bytes) = (0, 0);
        for (i, segment) in plan.segments.iter().enumerate() {
            bytes += segment.len();
            // One more for the rest after the loop.
            plan.groups.try_reserve(2)?;
            if bytes >= GROUP_BYTES {
                plan.groups.push(start..i + 1);
                (start, bytes) = (i + 1, 0);
            }
        }
        if start < plan.segments.len() {
            plan.groups.push(start..plan.segments.len());
        }
        Ok(plan)
    }

    fn push(&mut self, text: usize, segment: Range<usize>) -> Result<(), TryReserveError> {
        self.segments.reserve()?;
        self.text_of.try_reserve(1)?;
        let is_text = self.segments.push(segment);
        debug_assert!(
            is_text,
            "texts are split at character boundaries, and segments are in order"
        );
        self.text_of.push(text);
        Ok(())
    }

    /// Runs `work` on every group and returns the results in order.
    fn run<T: Send>(
        &self,
        options: BatchOptions<'_>,
        work: impl Fn(Texts<'a>) -> Result<T, BatchError> + Sync,
    ) -> Result<Vec<T>, BatchError> {
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let mut results: Vec<Mutex<Option<Result<T, BatchError>>>> = with_room(self.groups.len())?;
        results.extend(self.groups.iter().map(|_| Mutex::new(None)));
        let mut finished = with_room(self.groups.len())?;
        // Groups are taken in order and every taken group is finished. So the results before the first failure or
        // stop are complete.
        let take = || {
            while !failed.load(Ordering::Relaxed) {
                let group = next.fetch_add(1, Ordering::Relaxed);
                let Some(range) = self.groups.get(group) else { break };
                let result = if options.stop.load(Ordering::Relaxed) {
                    Err(BatchError::Stopped)
                } else {
                    self.segments.at(range.clone()).map_err(BatchError::from).and_then(&work)
                };
                if result.is_err() {
                    failed.store(true, Ordering::Relaxed);
                }
                *results[group].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            }
        };
        let helpers = helpers(options.threads, self.groups.len(), self.bytes);
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                // If the system refuses a thread, the others do the work.
                let _ = std::thread::Builder::new().spawn_scoped(scope, take);
            }
            take();
        });
        for slot in results {
            let Some(result) = slot.into_inner().unwrap_or_else(PoisonError::into_inner) else {
                break;
            };
            finished.push(result?);
        }
        Ok(finished)
    }
}

/// An empty vector with room for `capacity` elements.
fn with_room<T>(capacity: usize) -> Result<Vec<T>, TryReserveError> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(capacity)?;
    Ok(vector)
}

/// Zeroed memory from the allocator, of which only the pages in use take memory.
fn zeros(length: usize) -> Result<Vec<u32>, BatchError> {
    bytemuck::allocation::try_zeroed_vec(length).map_err(|()| BatchError::OutOfMemory)
}

/// The number of threads to start beside the calling one.
///
/// They are not those of a shared pool, so that no batch waits for the work of another one.
fn helpers(threads: usize, groups: usize, bytes: usize) -> usize {
    if bytes < PARALLEL_BYTES {
        return 0;
    }
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cpus } else { threads.min(cpus) };
    threads.min(groups).saturating_sub(1)
}
