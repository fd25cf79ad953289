//! The status codes: one enumeration of all ways in which a call can fail.
//!
//! The first paragraph of each comment says what happened, and the second what to do. Both go to the table in
//! `docs/reference/errors.md`.

/// Why a call failed. Every negative result of every function is one of these.
///
/// Numbers are grouped by hundreds: any function can fail with one from -1 to -99, the tokenizer from -100,
/// limiters from -200 and pools from -300. A number is never reused, even after its meaning is gone.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SluiceStatus {
    /// The body of the call panicked, which is a bug in sluice. The process and the library go on.
    ///
    /// Report it with the message.
    Panic = -1,
    /// An argument breaks the contract of its function: a null or misaligned pointer, overlapping buffers,
    /// or a number that is out of range.
    ///
    /// Correct the argument that the message names. TypeScript checks arguments before it calls, and throws
    /// a `TypeError` or a `RangeError` for them.
    InvalidArgument = -2,
    /// The handle was never opened, or is closed.
    ///
    /// Open the object again. TypeScript reports its own closed objects as `SLUICE_DISPOSED`.
    InvalidHandle = -3,
    /// The process has as many open handles of this kind as it can have, which is a million for most kinds.
    ///
    /// Close objects that are no longer used.
    TooManyHandles = -4,
    /// The result is greater than an `int32_t` can hold.
    ///
    /// Split the input.
    TooLarge = -5,
    /// The job was stopped before it was done.
    ///
    /// Start it again if its result is still wanted.
    Stopped = -6,
    /// The job is not at a step that allows this call.
    ///
    /// Open a job, write to it, poll it until it is done, and read it, in this order.
    WrongStep = -7,
    /// The system has no memory for the call. No other object was harmed.
    ///
    /// Free memory, or call with less.
    OutOfMemory = -8,
    /// The process was made by `fork` without `exec`, and lacks the threads that run jobs.
    ///
    /// Use the synchronous calls in such a process.
    Forked = -9,
    /// No encoding has this name.
    ///
    /// Use one of the names in `ENCODINGS`. The message has the nearest one.
    UnknownEncoding = -101,
    /// The bytes are not valid UTF-8.
    ///
    /// Decode the text with its own charset first. `byteOffset` is where the first invalid character begins,
    /// and `textIndex` which text of a batch it is in.
    InvalidUtf8 = -102,
    /// The text contains a special token, and the tokenizer was opened to refuse special tokens.
    ///
    /// Remove the special token, or open the tokenizer with another `special`. `byteOffset` is where it
    /// begins in the text as UTF-8, and `textIndex` which text of a batch it is in.
    SpecialToken = -103,
    /// No token of the vocabulary has this id.
    ///
    /// Decode with the encoding that made the ids. `tokenId` is the id, and `tokenIndex` its index in the
    /// list.
    UnknownToken = -104,
    /// The operating system gave no random bytes for a secret hash key.
    ///
    /// Permit the `getrandom` system call, or `/dev/urandom`, in the sandbox.
    NoEntropy = -105,
    /// The key was forgotten, or was idle and evicted.
    ///
    /// Look the key up again by its name. Only calls with keys by number report this. `partIndex` is the
    /// index of the key in a call with several.
    StaleKey = -201,
    /// All slots of the limiter are in use, and none of those that were examined holds an idle key.
    ///
    /// Raise `maxKeys`, or forget keys that are no longer used.
    TooManyKeys = -202,
    /// The reservation was settled or cancelled before, has expired, or belongs to another thread. Nothing was
    /// changed.
    ///
    /// Renew long reservations before they expire.
    ReservationClosed = -203,
    /// A limiter of this name is open with other options.
    ///
    /// Open it with the same options everywhere. The message says what differs, and `limitIndex` is the
    /// index of the first limit that differs.
    LimiterMismatch = -204,
    /// The limiter and its keys use 65,536 different sets of limits.
    ///
    /// Give keys of one plan the same limits.
    TooManyLimitSets = -205,
    /// The limiters of one call use different clocks.
    ///
    /// Open limiters that are used together with the same clock.
    DifferentClocks = -206,
    /// The key has 16,777,215 open reservations.
    ///
    /// Settle or cancel reservations. `partIndex` is the index of the key in a call with several.
    TooManyReservations = -207,
    /// The bytes are not a snapshot, are damaged, or are of a limiter with other limits. Nothing was changed.
    ///
    /// Restore into a new limiter that has at least one of the limits.
    BadSnapshot = -208,
    /// The limiter is not shared with other processes.
    ///
    /// Open it with the option `shared`, or use the call of the same name without `Shared`.
    NotShared = -209,
    /// A pool of this name is open with other options.
    ///
    /// Open it with the same options everywhere. The message says which option differs.
    PoolMismatch = -301,
    /// As many callers wait for a lease as may wait.
    ///
    /// Answer with status 503, or raise `queue.max`.
    QueueFull = -302,
    /// No lease became free in time.
    ///
    /// Answer with status 503. `AcquireTimeoutError.stats` says which upstreams are busy or resting.
    AcquireTimeout = -303,
    /// The pool is closed, or is being drained.
    ///
    /// Acquire from an open pool. In development, this also happens when the module was loaded anew.
    PoolClosed = -304,
    /// The lease was given back before, has expired, or belongs to another Worker.
    ///
    /// Renew leases of long requests, or raise `leaseTtlMs`.
    StaleLease = -305,
    /// The pool already has an upstream of this id.
    ///
    /// Give each upstream an id of its own.
    DuplicateUpstream = -306,
    /// The pool has no upstream of this id.
    ///
    /// Use the id of an upstream that was declared or added.
    UnknownUpstream = -307,
    /// The pool has 4,096 upstreams or 4,096 members, or the process has 1,024 pools.
    ///
    /// Close pools that are no longer used, or split the pool.
    PoolTooLarge = -308,
}
