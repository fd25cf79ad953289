//! Time as an argument: this crate reads no clock.

/// Milliseconds on a monotonic clock of any origin.
pub type Millis = u64;

/// A time that never comes.
pub const NEVER: Millis = Millis::MAX;
