//! Outcomes of decisions of a shared limiter.

use crate::decision::{Denial, Fault};
use crate::keys::key::Key;
use crate::reservations::book::ReservationId;

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The credit of this process, or the lack of it.
    Credit,
    /// The store, now or in an answer that still holds.
    Store,
    /// The rules for an outage of the store.
    Outage,
}

/// A decision that did not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided<T> {
    /// What is allowed, or the limit that refuses. [`Refusal::Lease`](crate::Refusal::Lease) means
    /// that the store has to be asked.
    pub outcome: Result<T, Denial>,
    /// What decided.
    pub source: Source,
    /// Whether a call to the store is worthwhile now.
    pub needs_call: bool,
}

impl<T> Decided<T> {
    /// The same decision with what is allowed replaced.
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Decided<U> {
        let Self { outcome, source, needs_call } = self;
        Decided { outcome: outcome.map(f), source, needs_call }
    }
}

/// The number of a decision that waits for the store. It is below 2^53.
pub type Ticket = u64;

/// What a waiting decision wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// To consume its costs.
    Take,
    /// To reserve them.
    Reserve {
        /// The life of the reservation in nanoseconds, from the answer.
        ttl_ns: u64,
    },
}

/// The outcome of a decision that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// It has consumed its costs.
    Taken,
    /// It has reserved them.
    Reserved(ReservationId),
    /// A limit refuses.
    Refused(Denial),
    /// It could not be decided.
    Failed(Fault),
}

/// The answer to a decision that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which decision.
    pub ticket: Ticket,
    /// Its outcome.
    pub given: Given,
    /// What decided.
    pub source: Source,
}

/// A call to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its sequence number. [`SharedLimiter::receive`](super::SharedLimiter::receive) and
    /// [`SharedLimiter::fail`](super::SharedLimiter::fail) need it.
    pub seq: u64,
    /// The arguments of the script, separated by spaces.
    pub args: String,
    /// The name of the key.
    pub name: Vec<u8>,
}

/// What is to be done after an answer of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chores {
    /// Whether the key has another call to make now.
    pub send: bool,
    /// The owners whose mailbox was empty and is not any more.
    pub owners: Vec<u32>,
}

/// The keys that need a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The keys. [`SharedLimiter::send`](super::SharedLimiter::send) decides whether there is a
    /// call to make.
    pub keys: Vec<Key>,
    /// Nanoseconds until the next key is due, if there is one.
    pub next_ns: Option<u64>,
}
