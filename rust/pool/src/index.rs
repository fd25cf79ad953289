//! Indices of slabs: small integers, with a sentinel.

/// The index of no entry.
pub(crate) const NONE: u32 = u32::MAX;
