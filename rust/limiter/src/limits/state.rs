//! The state of a key towards one limit: three words.

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
