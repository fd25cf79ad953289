//! Outcomes of decisions: allowed, denied by a limit, or not decidable.

use crate::limits::refusal::Refusal;

/// None if the call is allowed, the denial if not, or why it could not be decided.
pub type Verdict = Result<Option<Denial>, Fault>;

/// The limit that refuses for longest, and why it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Its index over all limits of all parts, in their order.
    pub limit: usize,
    /// The reason.
    pub refusal: Refusal,
}

/// Why a call could not be decided; it changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The key of this part was forgotten, or was idle and evicted.
    Stale(usize),
    /// More than 16 limits in all.
    TooManyLimits,
    /// The limiters of the parts use different clocks.
    DifferentClocks,
    /// The key of this part has 16,777,215 open reservations.
    TooManyReservations(usize),
    /// The reservation was ended, has expired, never existed, or belongs to another owner.
    NotOpen,
    /// A list of costs does not have one cost for each unit.
    WrongCosts,
}
