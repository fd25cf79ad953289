//! An event log: a ring buffer of events with a cursor for each member.

use std::collections::VecDeque;
use std::sync::Arc;

/// The number of events that are kept.
const CAPACITY: usize = 256;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// Failures ejected an upstream, for `value` milliseconds.
    Ejected = 1,
    /// An upstream asked for rest, for `value` milliseconds.
    Cooling = 2,
    /// An upstream is available again: a probe succeeded, or a rest that it asked for is over.
    Recovered = 3,
    /// A lease expired.
    Expired = 4,
    /// A member was removed that had `value` leases and `other` waiters.
    Reaped = 5,
    /// `value` events were overwritten before the member read them.
    Missed = 6,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The kind.
    pub kind: EventKind,
    /// The id of the upstream, if the event is about one. An index could name another upstream by
    /// the time it is read.
    pub upstream: Option<Arc<str>>,
    /// See [`EventKind`].
    pub value: u64,
    /// See [`EventKind`].
    pub other: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog {
    kept: VecDeque<Event>,
    /// The number of the oldest event that is kept.
    first: u64,
}

impl EventLog {
    pub(crate) fn push(
        &mut self,
        kind: EventKind,
        upstream: Option<Arc<str>>,
        value: u64,
        other: u64,
    ) {
        if self.kept.len() == CAPACITY {
            self.kept.pop_front();
            self.first += 1;
        }
        self.kept.push_back(Event { kind, upstream, value, other });
    }

    /// The number of the next event.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// The event of number `from`, or a [`EventKind::Missed`] event if it was overwritten, and the
    /// number of the event after it.
    pub(crate) fn next(&self, from: u64) -> Option<(Event, u64)> {
        if from < self.first {
            let value = self.first - from;
            let missed = Event { kind: EventKind::Missed, upstream: None, value, other: 0 };
            return Some((missed, self.first));
        }
        let event = self.kept.get(usize::try_from(from - self.first).ok()?)?;
        Some((event.clone(), from + 1))
    }
}
