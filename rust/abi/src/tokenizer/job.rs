//! Jobs: asynchronous batches on a thread pool, polled by their owner.
//!
//! A caller opens a job, writes the packed batch in any number of parts with the last one marked, polls until
//! the job is done, reads the result in any number of parts, and closes the job. The library copies each part,
//! so the caller's buffer is free after each call. No native thread ever calls back.
//!
//! A job that is stopped or closed early ends after the text, or the part of a long text, that a thread works
//! on. A job is closed when the thread of its owner ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use sluice_tokenizer::{BatchError, SpecialTokenMode, Tokenizer};

use crate::seam::boundary::{boundary, caught};
use crate::seam::failure::{Failure, count};
use crate::seam::objects::Objects;
use crate::seam::slice;
use crate::seam::status::SluiceStatus;
use crate::tokenizer::batch::Batch;
use crate::tokenizer::resolve;
use crate::tokenizer::special::special_mode;

/// The job counts: its result is one count for each text.
pub const SLUICE_JOB_COUNT: u32 = 0;
/// The job encodes: its result is `n + 1` offsets and then the ids, as `sluice_batch_encode` has it.
pub const SLUICE_JOB_ENCODE: u32 = 1;

static JOBS: Objects<Job> = Objects::new("job");

/// One job, as its owner sees it.
struct Job {
    tokenizer: &'static Tokenizer,
    special: SpecialTokenMode,
    kind: u32,
    step: Step,
}

enum Step {
    /// The packed batch as far as it is written.
    Writing(Vec<u8>),
    /// Started. The worker sets the outcome.
    Started(Arc<Work>),
}

/// The state that owner and worker share.
struct Work {
    stop: AtomicBool,
    outcome: OnceLock<Result<Vec<u32>, Failure>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        let Step::Started(work) = &self.step else { return };
        work.stop.store(true, Ordering::Relaxed);
        // Freeing megabytes takes milliseconds, which the owner's thread should not spend.
        let work = Arc::clone(work);
        pool::spawn(move || drop(work));
    }
}

/// Opens a job for the texts of a packed batch and returns its handle. O(1).
///
/// `kind` is one of the `SLUICE_JOB_*` constants. `bytes` is the expected size of the batch, which may be
/// wrong. Fails with `TOO_MANY_HANDLES` and `OUT_OF_MEMORY`. A child of `fork` that does not `exec` lacks the
/// threads that run jobs.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_open(tokenizer: u32, special: u32, kind: u32, bytes: u32) -> i32 {
    boundary(|| {
        if kind > SLUICE_JOB_ENCODE {
            return Err(Failure::argument(format!("kind is {kind}, not 0 or 1")));
        }
        let (tokenizer, special) = (resolve(tokenizer)?, special_mode(special)?);
        let mut batch = Vec::new();
        batch.try_reserve_exact(bytes as usize).map_err(|_| Failure::memory("the batch"))?;
        JOBS.open(Job { tokenizer, special, kind, step: Step::Writing(batch) })
    })
}

/// Appends a part of the packed batch, and starts the job if `last` is not 0. O(`bytes_len`).
///
/// Fails with `WRONG_STEP` once the job is started, and with `OUT_OF_MEMORY`, which appends nothing.
///
/// # Safety
/// `bytes` points to `bytes_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_job_write(
    job: u32,
    bytes: *const u8,
    bytes_len: u32,
    last: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let bytes = unsafe { slice::input("bytes", bytes, bytes_len) }?;
        JOBS.with(job, |job| {
            let Step::Writing(batch) = &mut job.step else {
                return Err(Failure::new(SluiceStatus::WrongStep, "the job is started already"));
            };
            batch.try_reserve(bytes.len()).map_err(|_| Failure::memory("the batch"))?;
            batch.extend_from_slice(bytes);
            if last != 0 {
                let batch = std::mem::take(batch);
                job.start(batch);
            }
            Ok(0)
        })
    })
}

/// Returns 1 if the job is done, 0 if it is not, or the status of its failure. O(1).
///
/// Fails as `sluice_batch_count` does, and with `WRONG_STEP` before the job is started. Fails with `FORKED` in
/// a child of `fork` if the job was not done before, because no thread works on it there.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_poll(job: u32) -> i32 {
    boundary(|| {
        JOBS.with(job, |job| {
            let is_done = job.outcome()?.is_some();
            if !is_done && pool::is_elsewhere() {
                return Err(Failure::new(
                    SluiceStatus::Forked,
                    "the threads that run jobs are in the process that this one was forked from",
                ));
            }
            Ok(i32::from(is_done))
        })
    })
}

/// Writes the result from word `start` on, and returns the number of words in the whole result.
///
/// O(`out_cap`). Fails as `sluice_job_poll` does, and with `WRONG_STEP` before the job is done.
///
/// # Safety
/// `out` points to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_job_read(job: u32, start: u32, out: *mut u32, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract. The result is memory of the library, so there is no input to overlap.
        let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
        JOBS.with(job, |job| {
            let Some(words) = job.outcome()? else {
                return Err(Failure::new(SluiceStatus::WrongStep, "the job is not done yet"));
            };
            let rest = words.get(start as usize..).unwrap_or_default();
            slice::write(rest, out);
            count(words.len())
        })
    })
}

/// Stops a job, and returns 1 if no thread works on it any more, or 0 to call again. A stopped job has no
/// result, unless it was done before. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_stop(job: u32) -> i32 {
    boundary(|| {
        JOBS.with(job, |job| {
            let Step::Started(work) = &job.step else { return Ok(1) };
            work.stop.store(true, Ordering::Relaxed);
            Ok(i32::from(work.outcome.get().is_some()))
        })
    })
}

/// Closes a job, and stops it if it is not done. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_close(job: u32) -> i32 {
    boundary(|| JOBS.close(job).map(|_| 0))
}

impl Job {
    fn start(&mut self, batch: Vec<u8>) {
        let work = Arc::new(Work { stop: AtomicBool::new(false), outcome: OnceLock::new() });
        self.step = Step::Started(Arc::clone(&work));
        let (tokenizer, special, kind) = (self.tokenizer, self.special, self.kind);
        pool::spawn(move || {
            // A panic here is reported as one in a call is.
            let outcome = caught(|| {
                if work.stop.load(Ordering::Relaxed) {
                    return Err(BatchError::Stopped.into());
                }
                let batch = Batch::parse(&batch)?;
                let texts = batch.texts()?;
                let options = batch.options(special, &work.stop);
                Ok(match kind {
                    SLUICE_JOB_COUNT => tokenizer.count_batch(&texts, options)?,
                    _ => tokenizer.encode_batch(&texts, options)?,
                })
            });
            // Only the worker sets it, and only once.
            let _ = work.outcome.set(outcome);
        });
    }

    /// The result, or none while the job runs.
    fn outcome(&self) -> Result<Option<&[u32]>, Failure> {
        let Step::Started(work) = &self.step else {
            return Err(Failure::new(SluiceStatus::WrongStep, "the job is not started yet"));
        };
        match work.outcome.get() {
            None => Ok(None),
            Some(Ok(words)) => Ok(Some(words)),
            Some(Err(failure)) => Err(failure.clone()),
        }
    }
}

/// The threads that jobs run on.
mod pool {
    use std::sync::OnceLock;

    /// The process that has the threads, and the threads unless the system gives none.
    static POOL: OnceLock<(u32, Option<rayon::ThreadPool>)> = OnceLock::new();

    /// Runs `work` on a worker, or on this thread if the system gives no threads.
    pub(super) fn spawn(work: impl FnOnce() + Send + 'static) {
        // One CPU is left to JavaScript where there are two.
        let (_, pool) = POOL.get_or_init(|| {
            let cpus = std::thread::available_parallelism().map_or(1, usize::from);
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(cpus.saturating_sub(1).max(1))
                .thread_name(|i| format!("sluice-job-{i}"))
                .build();
            (std::process::id(), pool.ok())
        });
        match pool {
            Some(pool) => pool.spawn(work),
            None => work(),
        }
    }

    /// Whether this process was forked from the one that has the threads.
    pub(super) fn is_elsewhere() -> bool {
        POOL.get().is_some_and(|(process, _)| *process != std::process::id())
    }
}
