//! Many texts at once, on as many threads as pay.
//!
//! The texts are cut into *groups* of about [`GROUP_BYTES`]: neighbouring short texts stay
//! together, a long text is cut where cutting changes nothing (see [`Tokenizer::cut`]). Threads take
//! groups in order, and results are put together in order, so a batch equals its texts one by one
//! whatever the threads do. Between two groups a batch can be stopped.

use std::collections::TryReserveError;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{error::Error, special::Special, texts::Texts, tokenizer::Tokenizer};

/// About this much text is taken at a time: large enough that taking it costs nothing beside
/// tokenizing it, small enough that threads finish together and a stop is soon noticed.
const GROUP_BYTES: usize = 64 << 10;

/// Batches smaller than this stay on the calling thread: waking others costs more than they save. Two
/// threads take 1.2 times as long for a megabyte of English as one, 0.8 times for four and 0.6 times
/// for sixteen (`bench/record/2026-11-26-engine-tables.txt`); other scripts gain sooner.
pub const PARALLEL_BYTES: usize = 1 << 20;

/// Why a batch has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// A text failed, the first of those that do.
    Text {
        /// Which one.
        index: usize,
        /// Why.
        error: Error,
    },
    /// The batch was stopped.
    Stopped,
    /// The system has no memory for what it takes.
    OutOfMemory,
}

impl From<TryReserveError> for BatchError {
    fn from(_: TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

/// How a batch is to be worked on.
#[derive(Clone, Copy)]
pub struct BatchOptions<'a> {
    /// What the text of a special token means.
    pub special: Special,
    /// At most so many threads, the calling one among them; 0 is one for each CPU.
    pub threads: usize,
    /// Stops the batch soon after it becomes true.
    pub stop: &'a AtomicBool,
}

impl Tokenizer {
    /// The number of tokens of each text.
    ///
    /// # Errors
    /// [`BatchError`]: the first text that fails, or that the batch was stopped.
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

    /// `n + 1` offsets and then the ids of the tokens of all `n` texts: those of text `i` are words
    /// `n + 1 + offsets[i]` up to `n + 1 + offsets[i + 1]`.
    ///
    /// # Errors
    /// [`BatchError`]: the first text that fails, or that the batch was stopped.
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
            let n = self.encode_each(&group, plan.special, &mut ends, &mut room)?;
            // All parts are there at once, and this one has been given a place for each byte.
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
    /// Where the ids of each segment end.
    ends: Vec<u32>,
}

/// The batch, cut into segments, which are whole texts or pieces of long ones, and grouped.
struct Plan<'a> {
    special: Special,
    segments: Texts<'a>,
    /// Which text each of them is of.
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
            // A text without special tokens is the same in every mode, and may then be cut.
            special: if special == Special::Error { Special::Text } else { special },
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
            while plan.special == Special::Text && end - start > 2 * GROUP_BYTES {
                let Some(at) = tokenizer.cut(&texts.all()[start..end], GROUP_BYTES) else { break };
                plan.push(index, start..start + at)?;
                start += at;
            }
            plan.push(index, start..end)?;
        }
        let (mut start, mut bytes) = (0, 0);
        for (i, segment) in plan.segments.iter().enumerate() {
            bytes += segment.len();
            // One more for the rest behind the loop.
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
        debug_assert!(is_text, "a text is cut between characters, and they are in order");
        self.text_of.push(text);
        Ok(())
    }

    /// Works on every group and returns the results in order.
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
        // Groups are taken in order and a taken one is finished, so whatever stops the batch early,
        // nothing before it is missing.
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
                // Where the system gives no thread, the others do the work.
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

/// An empty vector with room for `capacity`.
fn with_room<T>(capacity: usize) -> Result<Vec<T>, TryReserveError> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(capacity)?;
    Ok(vector)
}

/// Zeros that the allocator has ready: what is not used of them takes no memory.
fn zeros(length: usize) -> Result<Vec<u32>, BatchError> {
    bytemuck::allocation::try_zeroed_vec(length).map_err(|()| BatchError::OutOfMemory)
}

/// How many threads to start beside the calling one.
///
/// Threads of their own and not a pool's: a batch must not wait for another one's work to end
/// before its helpers get their turn.
fn helpers(threads: usize, groups: usize, bytes: usize) -> usize {
    if bytes < PARALLEL_BYTES {
        return 0;
    }
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cpus } else { threads.min(cpus) };
    threads.min(groups).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoding;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn options(special: Special, threads: usize) -> BatchOptions<'static> {
        BatchOptions { special, threads, stop: &NEVER }
    }

    /// `parts`, with a byte between each two that belongs to none.
    fn apart<'a>(parts: &[&str], all: &'a mut String) -> Texts<'a> {
        *all = parts.join("|");
        let mut texts = Texts::with_capacity(all, parts.len()).expect("room");
        let mut start = 0;
        for part in parts {
            assert!(texts.push(start..start + part.len()));
            start += part.len() + 1;
        }
        texts
    }

    /// Texts from empty to half a megabyte, some of which cannot be cut.
    fn strings() -> Vec<String> {
        let mut texts: Vec<String> = (0..300).map(|i| "word é中 12'll\n".repeat(i % 40)).collect();
        texts.push("Many words, one text. ".repeat(25_000));
        texts.push(String::new());
        texts.push("z".repeat(300_000));
        texts.push("a <|endoftext|> b ".repeat(20_000));
        texts
    }

    #[test]
    fn a_batch_equals_its_texts_one_by_one() {
        let tokenizer = Tokenizer::get(Encoding::O200kBase);
        let strings = strings();
        let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
        let mut all = String::new();
        let texts = apart(&strings, &mut all);
        for (special, threads) in [(Special::Text, 1), (Special::Text, 0), (Special::Allow, 3)] {
            let single: Vec<Vec<u32>> =
                strings.iter().map(|t| tokenizer.encode(t, special).expect("encodes")).collect();
            let counts = tokenizer.count_batch(&texts, options(special, threads)).expect("counts");
            let words = tokenizer.encode_batch(&texts, options(special, threads)).expect("encodes");
            assert_eq!(counts.len(), texts.len());
            let ids = &words[texts.len() + 1..];
            for (i, expected) in single.iter().enumerate() {
                assert_eq!(counts[i] as usize, expected.len(), "text {i}");
                assert_eq!(&ids[words[i] as usize..words[i + 1] as usize], expected, "text {i}");
            }
        }
    }

    #[test]
    fn the_first_failing_text_is_named() {
        let tokenizer = Tokenizer::get(Encoding::O200kBase);
        let mut all = String::new();
        let texts = apart(&["fine", "<|endofprompt|>", "<|endoftext|>"], &mut all);
        let refused = tokenizer.count_batch(&texts, options(Special::Error, 0));
        assert!(matches!(refused, Err(BatchError::Text { index: 1, .. })), "{refused:?}");
    }

    #[test]
    fn a_batch_that_is_stopped_says_so() {
        let stop = AtomicBool::new(true);
        let tokenizer = Tokenizer::get(Encoding::O200kBase);
        let stopped = BatchOptions { special: Special::Text, threads: 0, stop: &stop };
        let mut all = String::new();
        let texts = apart(&["a"], &mut all);
        assert_eq!(tokenizer.count_batch(&texts, stopped), Err(BatchError::Stopped));
        assert_eq!(tokenizer.encode_batch(&texts, stopped), Err(BatchError::Stopped));
    }

    #[test]
    fn an_empty_batch_is_empty() {
        let tokenizer = Tokenizer::get(Encoding::O200kBase);
        let none = Texts::with_capacity("of no text", 0).expect("room");
        assert_eq!(tokenizer.count_batch(&none, options(Special::Text, 0)), Ok(vec![]));
        assert_eq!(tokenizer.encode_batch(&none, options(Special::Text, 0)), Ok(vec![0]));
    }
}
