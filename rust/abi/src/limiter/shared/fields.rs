//! Layout of the settings of shared limiters as they cross: the index of each number, and its range.

/// How many numbers a shared configuration has before that of the limiter.
pub const SLUICE_SHARED_HEADER: u32 = 5;
/// Shared mode: no credit is fetched before it is needed.
pub const SLUICE_SHARED_EXACT: u32 = 0;
/// Shared mode: credit is fetched where a process decides often enough.
pub const SLUICE_SHARED_AUTO: u32 = 1;
/// Shared mode: credit is fetched wherever it covers a call.
pub const SLUICE_SHARED_LEASED: u32 = 2;
/// While the store is out, a process admits its part of the limit.
pub const SLUICE_OUTAGE_SHARE: u32 = 0;
/// While the store is out, nothing is admitted.
pub const SLUICE_OUTAGE_CLOSED: u32 = 1;
/// While the store is out, everything is admitted.
pub const SLUICE_OUTAGE_OPEN: u32 = 2;
/// The most processes that a setting names.
pub const SLUICE_MAX_PROCESSES: u32 = 1_000_000;
/// The shortest lease, in milliseconds.
pub const SLUICE_MIN_LEASE_MS: f64 = 20.0;
/// The longest lease, in milliseconds.
pub const SLUICE_MAX_LEASE_MS: f64 = 3_600_000.0;
/// The shortest timeout of a call to the store, in milliseconds.
pub const SLUICE_MIN_TIMEOUT_MS: f64 = 1.0;
/// The longest timeout of a call to the store, in milliseconds.
pub const SLUICE_MAX_TIMEOUT_MS: f64 = 60_000.0;

/// Indices of the numbers before the configuration of a shared limiter.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceSharedHeader {
    /// A mode: `SLUICE_SHARED_EXACT`, `_AUTO` or `_LEASED`.
    Mode,
    /// 1 if keys are full for one lease after the store has lost its state, else 0.
    IsStrict,
    /// How many processes share the limits at least.
    Processes,
    /// How long credit is lent, in milliseconds.
    LeaseMs,
    /// How long an answer of the store may take, in milliseconds.
    TimeoutMs,
}

const _: () = assert!(SLUICE_SHARED_HEADER == SluiceSharedHeader::TimeoutMs as u32 + 1);
