//! Time is an argument: this crate reads no clock.

/// A moment, as both clocks tell it.
///
/// Nanoseconds in integers: a double would make "exactly then" depend on rounding, and 64 bits reach
/// 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic, from any origin: what rates and expiries go by.
    pub ns: u64,
    /// Since 1970, UTC: what the windows of quotas go by. May jump.
    pub wall_ns: i64,
}

impl Now {
    /// This moment, or the monotonic `seen` if that is later.
    #[inline]
    pub(crate) fn at_least(self, seen: u64) -> Self {
        Self { ns: self.ns.max(seen), ..self }
    }
}
