//! Refusals: why a cost does not fit, ordered by how long that lasts.

/// Why a cost does not fit. Ordered: a limit that refuses for longer, or more finally, is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The credit of a shared limit does not cover it: only the store knows whether it fits.
    Lease,
    /// It fits after this many nanoseconds and not before, if nothing else happens.
    Until(u64),
    /// It fits only after a reservation has ended.
    Held,
    /// It never fits: the cost, with what its own reservation already holds, exceeds the capacity.
    Never,
}

impl Refusal {
    /// The same refusal for a caller whose clock is `ns` behind the key's, and who has to wait that
    /// much longer.
    #[inline(always)]
    pub(crate) fn later(self, ns: u64) -> Self {
        match self {
            Self::Until(wait) => Self::Until(wait.saturating_add(ns)),
            Self::Lease | Self::Held | Self::Never => self,
        }
    }
}
