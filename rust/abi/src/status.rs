//! The one list of ways a call can fail.

use std::borrow::Cow;

/// Why a call failed. Every negative result of every function is one of these.
///
/// Grouped by hundreds: below -1 what any function can say, below -100 the tokenizer,
/// below -200 limiters, below -300 pools.
/// A number is never reused, also not after its meaning is gone.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SluiceStatus {
    /// A bug in sluice: the body of the call panicked. The library stays usable.
    Panic = -1,
    /// An argument is outside its contract: a null or misaligned pointer, overlapping buffers,
    /// or a number that is not one of the listed ones.
    InvalidArgument = -2,
    /// The handle was never given out, or was closed.
    InvalidHandle = -3,
    /// As many handles of this kind are open as there can be, a million of most: close some.
    TooManyHandles = -4,
    /// The result does not fit an `int32_t`.
    TooLarge = -5,
    /// The work was stopped before it was done.
    Stopped = -6,
    /// A job is not at a step where that can be asked of it.
    WrongStep = -7,
    /// The system has no memory for what the call takes. Nothing else was harmed.
    OutOfMemory = -8,
    /// The process is a copy of another, made by `fork`, and has not the threads that do jobs.
    Forked = -9,
    /// No encoding of that name.
    UnknownEncoding = -101,
    /// The text is not valid UTF-8.
    InvalidUtf8 = -102,
    /// The text holds a special token and the call asked for an error then.
    SpecialToken = -103,
    /// A token id that the vocabulary does not have.
    UnknownToken = -104,
    /// The system gave no random bytes, which the key of the count cache is made of.
    NoEntropy = -105,
    /// The key was forgotten, or was idle and its place was given away: ask for it by name again.
    StaleKey = -201,
    /// All places of the limiter are taken, and none of those that were looked at is by an idle key.
    TooManyKeys = -202,
    /// The reservation was settled or cancelled, has expired, never was, or is another thread's.
    ReservationClosed = -203,
    /// The limiter of that name is open with other limits.
    LimiterMismatch = -204,
    /// The limiter and its keys have 65,536 different sets of limits now.
    TooManyLimitSets = -205,
    /// The limiters of a call go by different clocks.
    DifferentClocks = -206,
    /// The key has 16,777,215 reservations open.
    TooManyReservations = -207,
    /// The bytes are not a snapshot that this limiter can take over.
    BadSnapshot = -208,
    /// A pool of that name is open with other options.
    PoolMismatch = -301,
    /// As many as may wait for a lease do already.
    QueueFull = -302,
    /// No lease came free in time.
    AcquireTimeout = -303,
    /// The pool was closed, or is being drained.
    PoolClosed = -304,
    /// The lease was given back, or taken back after its time, or is another Worker's.
    StaleLease = -305,
    /// The pool has an upstream of that id already.
    DuplicateUpstream = -306,
    /// The pool has no upstream of that id.
    UnknownUpstream = -307,
    /// The pool has 4096 upstreams, or 4096 members, or there are 1024 pools.
    PoolTooLarge = -308,
}

/// A status and the sentence that [`sluice_library_last_error`](crate::library::sluice_library_last_error) tells.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: SluiceStatus,
    pub(crate) message: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(status: SluiceStatus, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// There is no memory for `what`.
    #[cold]
    pub(crate) fn memory(what: &'static str) -> Self {
        Self::new(SluiceStatus::OutOfMemory, format!("there is not enough memory for {what}"))
    }

    pub(crate) fn argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SluiceStatus::InvalidArgument, message)
    }
}

/// What the body of an exported function comes to: a non-negative result or a failure.
pub(crate) type Outcome = Result<i32, Failure>;

/// A count as the ABI returns it.
pub(crate) fn count(n: usize) -> Outcome {
    i32::try_from(n).map_err(|_| {
        Failure::new(SluiceStatus::TooLarge, format!("result {n} is greater than {}", i32::MAX))
    })
}

/// A name as messages show it: as much of it as fits on a line.
pub(crate) fn quoted(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}
