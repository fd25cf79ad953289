//! A handle table of mutable objects, such as jobs: a generational index with one mutex a slot.
//!
//! [`Handles`] distinguishes live handles from stale ones, and this table adds the object and its lock. Calls on
//! one object exclude each other. Calls on different objects share no lock.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::seam::failure::Failure;
use crate::seam::handle::{CHUNKS, Handles, chunk_of, size_of, slot_of};
use crate::seam::owner::{self, Table};

type Slot<T> = Mutex<Option<T>>;

/// The live objects of one kind.
pub(crate) struct Objects<T: 'static> {
    handles: Handles,
    slots: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
}

impl<T: Send> Objects<T> {
    /// An empty table; `kind` is the noun in error messages.
    pub(crate) const fn new(kind: &'static str) -> Self {
        Self { handles: Handles::new(kind), slots: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Stores `object` until it is closed or this thread ends, and returns its handle. O(1).
    pub(crate) fn open(&'static self, object: T) -> Result<i32, Failure> {
        let handle = self.handles.open(0)?;
        // No other thread has the handle yet, so none can look before the object is stored.
        *self.slot(handle.cast_unsigned()).lock().unwrap_or_else(PoisonError::into_inner) =
            Some(object);
        owner::adopt(self, handle.cast_unsigned());
        Ok(handle)
    }

    /// Calls `f` with the object of `handle`, exclusively.
    pub(crate) fn with<R>(
        &self,
        handle: u32,
        f: impl FnOnce(&mut T) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        self.handles.get(handle)?;
        let mut slot = self.slot(handle).lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been closed, and the slot used again, while this call waited for the lock.
        self.handles.get(handle)?;
        match slot.as_mut() {
            Some(object) => f(object),
            None => Err(self.handles.invalid(handle)),
        }
    }

    /// Closes `handle` and returns its object. Waits for a call that is using it.
    pub(crate) fn close(&'static self, handle: u32) -> Result<T, Failure> {
        let object = self.take(handle)?;
        owner::release(self, handle);
        Ok(object)
    }

    fn take(&self, handle: u32) -> Result<T, Failure> {
        self.handles.invalidate(handle)?;
        let object = self.slot(handle).lock().unwrap_or_else(PoisonError::into_inner).take();
        // Only now may the slot be used again.
        self.handles.recycle(handle);
        object.ok_or_else(|| self.handles.invalid(handle))
    }

    fn slot(&self, handle: u32) -> &Slot<T> {
        let (chunk, at) = chunk_of(slot_of(handle));
        let slots = self.slots[chunk]
            .get_or_init(|| (0..size_of(chunk)).map(|_| Mutex::new(None)).collect());
        &slots[at]
    }
}

impl<T: Send> Table for Objects<T> {
    fn abandon(&self, handle: u32) {
        // If another thread has closed it meanwhile, there is nothing left to do.
        drop(self.take(handle));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::status::SluiceStatus;

    #[test]
    fn an_object_lives_from_open_to_close() {
        static TABLE: Objects<String> = Objects::new("thing");
        let handle = TABLE.open("a".to_owned()).expect("open").cast_unsigned();
        TABLE
            .with(handle, |s| {
                s.push('b');
                Ok(())
            })
            .expect("live");
        assert_eq!(TABLE.close(handle).expect("close"), "ab");
        let late = TABLE.with(handle, |_| Ok(())).expect_err("closed");
        assert_eq!(late.status, SluiceStatus::InvalidHandle);
        assert_eq!(TABLE.close(handle).expect_err("twice").status, SluiceStatus::InvalidHandle);
    }

    #[test]
    fn objects_are_dropped_with_the_thread_that_opened_them() {
        use std::sync::Arc;
        static TABLE: Objects<Arc<()>> = Objects::new("thing");
        let witness = Arc::new(());
        let theirs = witness.clone();
        std::thread::spawn(move || TABLE.open(theirs).expect("open")).join().expect("join");
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn use_and_close_race_without_mixing_objects_up() {
        static TABLE: Objects<u32> = Objects::new("thing");
        for round in 0..500 {
            let handle = TABLE.open(round).expect("open").cast_unsigned();
            std::thread::scope(|s| {
                s.spawn(|| {
                    if let Ok(seen) = TABLE.with(handle, |n| Ok(*n)) {
                        assert_eq!(seen, round);
                    }
                });
                s.spawn(|| assert_eq!(TABLE.close(handle).expect("close"), round));
            });
        }
    }
}
