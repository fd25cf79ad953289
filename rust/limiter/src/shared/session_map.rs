//! A concurrent hash map (DashMap) from keys to their sessions.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::{DashMap, Entry};

use crate::decision::Fault;
use crate::keys::key::Key;
use crate::shared::core::Core;
use crate::shared::session::Session;
use crate::time::Now;

/// The sessions of a shared limiter.
#[derive(Default)]
pub(crate) struct SessionMap(DashMap<Key, Arc<Mutex<Session>>, BuildHasherDefault<KeyHasher>>);

impl SessionMap {
    /// Calls `f` with the locked session of a key, if it has one. O(1).
    pub(crate) fn find<R>(&self, key: Key, f: impl FnOnce(&mut Session) -> R) -> Option<R> {
        loop {
            // The lock of the map is released before that of the session is taken.
            let session = Arc::clone(&*self.0.get(&key)?);
            let mut session = lock(&session);
            if !session.is_dropped {
                return Some(f(&mut session));
            }
        }
    }

    /// Calls `f` with the locked session of a key, which is created if it has none, and whether it
    /// was. O(limits).
    ///
    /// # Errors
    /// [`Fault::Stale`].
    pub(crate) fn open<R>(
        &self,
        core: &Core,
        key: Key,
        name: &[u8],
        now: Now,
        f: impl FnOnce(&mut Session, bool) -> R,
    ) -> Result<R, Fault> {
        loop {
            let (session, is_new) = match self.0.entry(key) {
                Entry::Occupied(entry) => (Arc::clone(entry.get()), false),
                Entry::Vacant(entry) => {
                    core.limiter.pin(key)?;
                    let session = Session::new(core, key, name, now);
                    (Arc::clone(&*entry.insert(Arc::new(Mutex::new(session)))), true)
                }
            };
            let mut session = lock(&session);
            if !session.is_dropped {
                return Ok(f(&mut session, is_new));
            }
        }
    }

    /// Removes a locked session. Its key can be evicted then. O(log n).
    pub(crate) fn drop(&self, core: &Core, session: &mut Session, now: Now) {
        session.is_dropped = true;
        core.deadlines.replace(session.key, session.deadline_ns.take(), None);
        core.limiter.unpin(session.key, now);
        self.0.remove(&session.key);
    }

    /// Calls `f` with each locked session, one after the other. O(sessions).
    pub(crate) fn each(&self, mut f: impl FnMut(&mut Session)) {
        // No session is locked under a lock of the map.
        let sessions: Vec<_> = self.0.iter().map(|entry| Arc::clone(entry.value())).collect();
        for session in sessions {
            let mut session = lock(&session);
            if !session.is_dropped {
                f(&mut session);
            }
        }
    }
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fibonacci hashing of a key's index and generation, which callers cannot choose.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.0 = self.0.rotate_left(32) ^ u64::from(word);
    }
}
