//! An ordered set of deadlines: which key needs attention next.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::keys::key::Key;

/// At most one deadline for each key; the key's session knows which.
#[derive(Default)]
pub(crate) struct Deadlines(Mutex<BTreeSet<(u64, Key)>>);

impl Deadlines {
    /// Replaces the deadline of a key. O(log n).
    pub(crate) fn replace(&self, key: Key, before: Option<u64>, after: Option<u64>) {
        if before == after {
            return;
        }
        let mut set = self.lock();
        if let Some(before) = before {
            set.remove(&(before, key));
        }
        if let Some(after) = after {
            set.insert((after, key));
        }
    }

    /// Removes the first deadline that is up to `now_ns`. O(log n).
    pub(crate) fn pop(&self, now_ns: u64) -> Option<(u64, Key)> {
        let mut set = self.lock();
        if set.first()?.0 > now_ns {
            return None;
        }
        set.pop_first()
    }

    /// The earliest deadline.
    pub(crate) fn first(&self) -> Option<u64> {
        self.lock().first().map(|&(at, _)| at)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(u64, Key)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
