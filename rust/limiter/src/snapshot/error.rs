//! Errors of snapshots.

use std::collections::TryReserveError;

/// Why a snapshot was refused; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The bytes are no snapshot, or were cut short or changed.
    Bytes,
    /// The snapshot has another version.
    Version(u64),
    /// The snapshot is of a limiter that has no limit in common with this one.
    OtherLimits,
    /// The limiter has keys already.
    NotEmpty,
    /// The snapshot has more keys, limit sets or time zones than there is room for.
    Full,
    /// The system has no memory for it.
    Memory,
}

impl From<TryReserveError> for RestoreError {
    fn from(_: TryReserveError) -> Self {
        Self::Memory
    }
}
