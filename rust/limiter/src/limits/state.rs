//! The state of a key towards one limit: three words.

use crate::limits::quota_window::QuotaWindow;
use crate::time::Now;

/// The state of a key towards one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitState {
    /// Rate: the TAT, in whole nanoseconds. Quota: what is consumed in the window.
    pub(crate) level: u64,
    /// Rate: the fraction of the TAT, over the rate's `units`. Quota: when the window ends.
    pub(crate) phase: u64,
    /// The amount that open reservations hold.
    pub(crate) held: u64,
}

/// The consumed amount: the first two words of a [`LimitState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) level: u64,
    pub(crate) phase: u64,
}

/// The amount consumed in the current window, and when the window ends.
///
/// If the recorded end is later than any window of now can end, the wall clock was ahead and has
/// been corrected. The consumed amount stays, but not that end: the key would have to wait until
/// then.
#[inline]
pub(crate) fn window_of(state: &LimitState, window: QuotaWindow, now: Now) -> (u64, i64) {
    let end = state.phase.cast_signed();
    if now.wall_ns >= end || state.level == 0 {
        return (0, window.end(now.wall_ns));
    }
    let left = end.saturating_sub(now.wall_ns).unsigned_abs();
    if left > window.longest() {
        return (state.level, window.end(now.wall_ns));
    }
    (state.level, end)
}
