//! What happened, for logs and metrics: a short memory that every member reads at its own pace.

use std::collections::VecDeque;
use std::sync::Arc;

/// So many events are kept.
const KEPT: usize = 256;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// Failures ejected an upstream; `value` is for how long.
    Ejected = 1,
    /// An upstream asked for rest; `value` is how long.
    Cooling = 2,
    /// An upstream is back: a probe succeeded, or a rest that it asked for is over.
    Recovered = 3,
    /// A lease outlived its time.
    Expired = 4,
    /// A member left `value` leases and `other` places behind.
    Reaped = 5,
    /// `value` events were not kept for long enough.
    Missed = 6,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// The id of the upstream, where one is meant: an index could name another by the time it is read.
    pub upstream: Option<Arc<str>>,
    /// See [`EventKind`].
    pub value: u64,
    /// See [`EventKind`].
    pub other: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    kept: VecDeque<Event>,
    /// The number of the first that is kept.
    first: u64,
}

impl Events {
    pub(crate) fn push(
        &mut self,
        kind: EventKind,
        upstream: Option<Arc<str>>,
        value: u64,
        other: u64,
    ) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            self.first += 1;
        }
        self.kept.push_back(Event { kind, upstream, value, other });
    }

    /// The number that the next event will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// The event of number `from`, or what was missed since, and the number after it.
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
