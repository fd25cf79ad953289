//! Jobs: a packed batch that is tokenized on another thread while the caller goes on.
//!
//! `open`, then `write` the packed batch in as many parts as suit the caller, the last one marked;
//! `poll` until it is done; `read` the result in as many parts; `close`. The library copies what is
//! written, so the caller's buffer is free after each call, and no native thread ever calls back.
//!
//! A job that is stopped or closed early ends soon after: with the text, or the part of a long text, that
//! a thread is at. A job whose owner's thread ends is closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use sluice_tokenizer::{BatchError, SpecialTokenMode, Tokenizer};

use crate::batch::{Batch, refused};
use crate::boundary::{boundary, caught};
use crate::objects::Objects;
use crate::slice;
use crate::status::{Failure, SluiceStatus, count};
use crate::tokenizer::{resolve, special_mode};

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
    /// The packed batch as far as it is written, in words so that it is aligned.
    Writing(Vec<u8>),
    /// Handed over; the worker fills in the outcome.
    Started(Arc<Work>),
}

/// What owner and worker share.
struct Work {
    stop: AtomicBool,
    outcome: OnceLock<Result<Vec<u32>, Failure>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        let Step::Started(work) = &self.step else { return };
        work.stop.store(true, Ordering::Relaxed);
        // Giving megabytes back takes milliseconds, which the owner's thread should not spend.
        let work = Arc::clone(work);
        pool::spawn(move || drop(work));
    }
}

/// Opens a job for the texts of a packed batch and returns its handle. O(1).
///
/// `kind` is one of the `SLUICE_JOB_*` constants, `bytes` the expected size of the batch, which may
/// be wrong. Fails with `TOO_MANY_HANDLES` and `OUT_OF_MEMORY`. The threads that do jobs are not there
/// in a child of `fork` that goes on without `exec`.
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

/// Appends a part of the packed batch; with `last` not 0 the job starts. O(`bytes_len`).
///
/// Fails with `WRONG_STEP` once the job is started, and with `OUT_OF_MEMORY`, which adds nothing.
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

/// Returns 1 if the job is done, 0 if it is not, or why it failed. O(1).
///
/// Fails as `sluice_batch_count` does, with `WRONG_STEP` before the job is started, and with `FORKED` in
/// a child of `fork` where it was not done before: no thread is at it there.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_poll(job: u32) -> i32 {
    boundary(|| {
        JOBS.with(job, |job| {
            let is_done = job.outcome()?.is_some();
            if !is_done && pool::is_elsewhere() {
                return Err(Failure::new(
                    SluiceStatus::Forked,
                    "the threads that do jobs stayed with the process that this one was forked from",
                ));
            }
            Ok(i32::from(is_done))
        })
    })
}

/// Writes the result from word `start` on and returns how many words the whole of it has.
///
/// O(`out_cap`). Fails as `sluice_job_poll` does, and with `WRONG_STEP` before the job is done.
///
/// # Safety
/// `out` points to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_job_read(job: u32, start: u32, out: *mut u32, out_cap: u32) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract; a job's result is no memory of the caller's.
        let out = unsafe { slice::output("out", out, out_cap, &[] as &[u8]) }?;
        JOBS.with(job, |job| {
            let Some(words) = job.outcome()? else {
                return Err(Failure::new(SluiceStatus::WrongStep, "the job is not done yet"));
            };
            let rest = words.get(start as usize..).unwrap_or_default();
            let fits = rest.len().min(out.len());
            out[..fits].copy_from_slice(&rest[..fits]);
            count(words.len())
        })
    })
}

/// Stops a job and returns 1 if no thread is at it any more, else 0: ask again. It has no result then,
/// unless it was done before. O(1).
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
            // A panic in here is a bug like any other, and is told like any other.
            let outcome = caught(|| {
                if work.stop.load(Ordering::Relaxed) {
                    return Err(refused(BatchError::Stopped));
                }
                let batch = Batch::parse(&batch)?;
                let texts = batch.texts()?;
                let options = batch.options(special, &work.stop);
                match kind {
                    SLUICE_JOB_COUNT => tokenizer.count_batch(&texts, options),
                    _ => tokenizer.encode_batch(&texts, options),
                }
                .map_err(refused)
            });
            // Only the worker sets it, and only once.
            let _ = work.outcome.set(outcome);
        });
    }

    /// The result, or none yet.
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

    /// Runs `work` on a worker; on a system that gives no threads, here and now.
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
