//! Time as an argument: this crate reads no clock.

/// A moment on the monotonic clock and on the wall clock.
///
/// Times are integers of nanoseconds. With doubles, equality of times would depend on rounding; 64
/// bits cover 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time from any origin; rates and expiries use it.
    pub ns: u64,
    /// Wall time since 1970, UTC; the windows of quotas use it. It may jump.
    pub wall_ns: i64,
}

impl Now {
    /// This moment, with the monotonic time raised to `seen` if that is later.
    #[inline]
    pub(crate) fn at_least(self, seen: u64) -> Self {
        Self { ns: self.ns.max(seen), ..self }
    }
}
