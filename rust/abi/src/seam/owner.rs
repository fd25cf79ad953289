//! Ownership of handles by threads: a thread-local ordered set whose destructor closes what is left.
//!
//! A JavaScript Worker can be terminated at any instruction, and then none of its JavaScript runs, neither
//! `finally` nor a `FinalizationRegistry`. Its native thread ends, however, and runs the destructors of its
//! thread-locals, 10 to 60 ms after `terminate()` in both runtimes (see ARCHITECTURE.md). So every handle belongs
//! to the thread that opened it and is closed with it. A thread can also outlive its program, which a runtime
//! loads again when a file changes (`process/thread.rs`).

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A table of handles that a thread can leave behind.
pub(crate) trait Table: Sync {
    /// Closes `handle`, whose owner is gone. Does nothing if it is closed already.
    fn abandon(&self, handle: u32);

    /// Whether its handles hold something that other threads may wait for.
    fn is_shared(&self) -> bool {
        false
    }
}

thread_local! {
    static OWNED: RefCell<Owned> = const { RefCell::new(Owned(BTreeSet::new())) };
}

/// An ordered set, because the hasher of `std` asks for random bytes and panics if there are none.
struct Owned(BTreeSet<Ownership>);

/// One handle of one table. Tables are statics, so an address identifies a table.
#[derive(Clone, Copy)]
struct Ownership {
    table: &'static dyn Table,
    handle: u32,
}

impl Ownership {
    fn rank(&self) -> (usize, u32) {
        (std::ptr::from_ref(self.table).cast::<()>().addr(), self.handle)
    }
}

impl PartialEq for Ownership {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Ownership {}

impl PartialOrd for Ownership {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ownership {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        for Ownership { table, handle } in std::mem::take(&mut self.0) {
            table.abandon(handle);
        }
    }
}

/// Closes the handles that this thread owns, or only those of tables that [are shared](Table::is_shared).
/// O(n log n).
pub(crate) fn release_all(only_shared: bool) {
    let mine = OWNED.try_with(|owned| std::mem::take(&mut owned.borrow_mut().0));
    for Ownership { table, handle } in mine.unwrap_or_default() {
        if only_shared && !table.is_shared() {
            adopt(table, handle);
        } else {
            table.abandon(handle);
        }
    }
}

/// Makes this thread the owner of `handle`. O(log n) in the handles it owns.
pub(crate) fn adopt(table: &'static dyn Table, handle: u32) {
    let _ = OWNED.try_with(|owned| owned.borrow_mut().0.insert(Ownership { table, handle }));
}

/// Forgets a handle that was closed, if this thread owned it. O(log n).
pub(crate) fn release(table: &'static dyn Table, handle: u32) {
    let _ = OWNED.try_with(|owned| owned.borrow_mut().0.remove(&Ownership { table, handle }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::handle::Handles;

    static TABLE: Handles = Handles::new("thing");

    #[test]
    fn handles_are_closed_with_the_thread_that_opened_them() {
        let open = || {
            let handle = TABLE.open(1).expect("open").cast_unsigned();
            adopt(&TABLE, handle);
            handle
        };
        let mine = open();
        let theirs = std::thread::spawn(open).join().expect("join");
        assert!(TABLE.get(theirs).is_err());
        assert_eq!(TABLE.get(mine).expect("still open"), 1);
    }

    #[test]
    fn a_thread_releases_shared_handles_or_all() {
        struct Shared(Handles);
        impl Table for Shared {
            fn abandon(&self, handle: u32) {
                self.0.abandon(handle);
            }
            fn is_shared(&self) -> bool {
                true
            }
        }
        static SHARED: Shared = Shared(Handles::new("member"));
        static OWN: Handles = Handles::new("thing");
        let open = || {
            let handles = [&SHARED.0, &OWN].map(|it| it.open(1).expect("open").cast_unsigned());
            adopt(&SHARED, handles[0]);
            adopt(&OWN, handles[1]);
            handles
        };
        let theirs = std::thread::spawn(move || {
            let first = open();
            release_all(true);
            assert!(SHARED.0.get(first[0]).is_err() && OWN.get(first[1]).is_ok());
            let second = open();
            release_all(false);
            for handle in [first[0], second[0]] {
                assert!(SHARED.0.get(handle).is_err());
            }
            for handle in [first[1], second[1]] {
                assert!(OWN.get(handle).is_err());
            }
        });
        theirs.join().expect("join");
    }

    #[test]
    fn a_released_handle_is_left_alone() {
        static OTHER: Handles = Handles::new("thing");
        let handle = std::thread::spawn(|| {
            let handle = OTHER.open(1).expect("open").cast_unsigned();
            adopt(&OTHER, handle);
            release(&OTHER, handle);
            handle
        });
        assert!(OTHER.get(handle.join().expect("join")).is_ok());
    }
}
