//! Jobs: asynchronous batches on a thread pool, polled by their owner.
//!
//! A caller opens a job, writes its input in any number of parts with the last one marked, polls until the job is
//! done, reads the result in any number of parts, and closes the job. The library copies each part,
//! so the caller's buffer is free after each call. No native thread ever calls back.
//!
//! A job that is stopped or closed early ends after the text, or the part of a long text, that a thread works
//! on. A job is closed when the thread of its owner ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use sluice_tokenizer::{BatchError, SpecialTokenMode, Tokenizer};

use crate::seam::boundary::{boundary, caught};
use crate::seam::failure::{Failure, Outcome, count};
use crate::seam::objects::Objects;
use crate::seam::slice;
use crate::seam::status::SluiceStatus;
use crate::tokenizer::batch::Batch;
use crate::tokenizer::lines;
use crate::tokenizer::resolve;
use crate::tokenizer::special::special_mode;

/// The job counts: its result is one count for each text.
pub const SLUICE_JOB_COUNT: u32 = 0;
/// The job encodes: its result is `n + 1` offsets and then the ids, as `sluice_batch_encode` has it.
pub const SLUICE_JOB_ENCODE: u32 = 1;

static JOBS: Objects<Job> = Objects::new("job");

/// The job counts the texts of a chunk of lines: its result is that of `sluice_lines_count`.
pub const SLUICE_JOB_COUNT_LINES: u32 = 2;
/// The job encodes the texts of a chunk of lines: its result is that of `sluice_lines_encode`.
pub const SLUICE_JOB_ENCODE_LINES: u32 = 3;
/// The job counts the texts of a column: its result is that of `sluice_column_count`.
pub const SLUICE_JOB_COUNT_COLUMN: u32 = 4;
/// The job encodes the texts of a column: its result is that of `sluice_column_encode`.
pub const SLUICE_JOB_ENCODE_COLUMN: u32 = 5;

/// One job, as its owner sees it.
struct Job {
    step: Step,
}

enum Step {
    /// What is to be done with the input, and the input as far as it is written.
    Writing(Task, Vec<u8>),
    /// Started. The worker sets the outcome.
    Started(Arc<Work>),
}

/// What a job does with its input.
enum Task {
    Batch { tokenizer: &'static Tokenizer, special: SpecialTokenMode, kind: u32 },
    Texts(lines::Task),
}

impl Task {
    fn run(&self, input: &[u8], stop: &AtomicBool) -> Result<Vec<u32>, Failure> {
        match self {
            Self::Texts(task) => task.run(input, stop),
            Self::Batch { tokenizer, special, kind } => {
                let batch = Batch::parse(input)?;
                let texts = batch.texts()?;
                let options = batch.options(*special, stop);
                Ok(match *kind {
                    SLUICE_JOB_COUNT => tokenizer.count_batch(&texts, options)?,
                    _ => tokenizer.encode_batch(&texts, options)?,
                })
            }
        }
    }
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
/// `kind` is `SLUICE_JOB_COUNT` or `SLUICE_JOB_ENCODE`. `bytes` is the expected size of the batch, which may be
/// wrong. Fails with `TOO_MANY_HANDLES` and `OUT_OF_MEMORY`. A child of `fork` that does not `exec` lacks the
/// threads that run jobs.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_open(tokenizer: u32, special: u32, kind: u32, bytes: u32) -> i32 {
    boundary(|| {
        if kind > SLUICE_JOB_ENCODE {
            return Err(Failure::argument(format!("kind is {kind}, not 0 or 1")));
        }
        let (tokenizer, special) = (resolve(tokenizer)?, special_mode(special)?);
        open(Task::Batch { tokenizer, special, kind }, bytes)
    })
}

/// Opens a job for a chunk of lines or the values of a column and returns its handle. O(1).
///
/// `kind` is one of the other `SLUICE_JOB_*` constants. The job has the settings of `reader` and, for a column, the
/// rows that were set last. `is_last` says of lines what it says in `sluice_lines_encode`. `bytes` is the expected
/// size of the input, which may be wrong. Fails as `sluice_job_open` does, and with `WRONG_STEP` for a column before
/// rows are set.
#[unsafe(no_mangle)]
pub extern "C" fn sluice_job_open_reader(reader: u32, kind: u32, is_last: u32, bytes: u32) -> i32 {
    boundary(|| {
        let is_last = is_last != 0;
        let task = match kind {
            SLUICE_JOB_COUNT_LINES => lines::Task::lines(reader, lines::Work::Count, is_last),
            SLUICE_JOB_ENCODE_LINES => lines::Task::lines(reader, lines::Work::Encode, is_last),
            SLUICE_JOB_COUNT_COLUMN => lines::Task::column(reader, lines::Work::Count),
            SLUICE_JOB_ENCODE_COLUMN => lines::Task::column(reader, lines::Work::Encode),
            _ => Err(Failure::argument(format!("kind is {kind}, not 2, 3, 4 or 5"))),
        };
        open(Task::Texts(task?), bytes)
    })
}

fn open(task: Task, bytes: u32) -> Outcome {
    let mut input = Vec::new();
    input.try_reserve_exact(bytes as usize).map_err(|_| Failure::memory("the batch"))?;
    JOBS.open(Job { step: Step::Writing(task, input) })
}

/// Appends a part of the input, and starts the job if `last` is not 0. O(`bytes_len`).
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
            let Step::Writing(_, input) = &mut job.step else {
                return Err(Failure::new(SluiceStatus::WrongStep, "the job is started already"));
            };
            input.try_reserve(bytes.len()).map_err(|_| Failure::memory("the batch"))?;
            input.extend_from_slice(bytes);
            if last != 0 {
                job.start();
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
    /// Starts a job that is still written.
    fn start(&mut self) {
        let work = Arc::new(Work { stop: AtomicBool::new(false), outcome: OnceLock::new() });
        let started = Step::Started(Arc::clone(&work));
        let Step::Writing(task, input) = std::mem::replace(&mut self.step, started) else { return };
        pool::spawn(move || {
            // A panic here is reported as one in a call is.
            let outcome = caught(|| {
                if work.stop.load(Ordering::Relaxed) {
                    return Err(BatchError::Stopped.into());
                }
                task.run(&input, &work.stop)
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
