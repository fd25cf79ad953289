//! The registry of pools: an ordered map by name, a table of pools with one mutex each, and the handles of members.
//!
//! A handle names a pool and a member of it, so the handle says who calls. A call holds the mutex of its pool for
//! tens of nanoseconds, and takes no other lock of a pool meanwhile. Only opening and closing take a second lock,
//! that of the names, and always take it first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sluice_pool::{Pool, Refusal};

use crate::clock::{boot_millis, coarse_millis};
use crate::limiter::random;
use crate::seam::failure::Failure;
use crate::seam::handle::Handles;
use crate::seam::owner::{self, Table};
use crate::seam::status::SluiceStatus;

/// How many pools may be open.
const POOLS: usize = 1 << 10;

/// A pool and the state that the ABI adds to it.
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    /// The options that it was opened with.
    pub(crate) declared: Vec<f64>,
    pub(crate) ids: Box<str>,
    name: Box<str>,
    /// The members whose bell another member has asked for.
    pub(crate) wanted: BTreeSet<u32>,
    /// The id of this process for the store, if the pool is shared with other processes.
    pub(crate) process: Option<Box<str>>,
}

impl Shared {
    /// The time of the pool in milliseconds.
    #[inline]
    fn now(&self) -> u64 {
        if self.process.is_none() { coarse_millis() } else { boot_millis() }
    }
}

type Slot = Mutex<Option<Box<Shared>>>;

static SLOTS: [Slot; POOLS] = [const { Mutex::new(None) }; POOLS];
/// The slot of each name. Its lock is taken only to open and to close, and before that of a slot.
/// An ordered map, because a hash table asks for random bytes, which a system may not have.
static NAMES: Mutex<BTreeMap<Box<str>, u32>> = Mutex::new(BTreeMap::new());
static MEMBERS: Members = Members(Handles::new("pool"));

/// The table of handles whose owners are threads.
struct Members(Handles);

impl Table for Members {
    fn abandon(&self, handle: u32) {
        // If another thread has closed it meanwhile, there is nothing left to do.
        let _ = reap(handle);
    }

    fn is_shared(&self) -> bool {
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a member of the pool called `name`. If there is no such pool, `make` makes it, or else `check` accepts or
/// refuses it.
pub(crate) fn open(
    name: &str,
    check: impl FnOnce(&Shared) -> Result<(), Failure>,
    make: impl FnOnce() -> Result<(Pool, Vec<f64>, Box<str>), Failure>,
) -> Result<i32, Failure> {
    let mut names = lock(&NAMES);
    let index = match names.get(name) {
        Some(&index) => {
            if let Some(shared) = &*lock(&SLOTS[index as usize]) {
                check(shared)?;
            }
            index
        }
        None => {
            let free = SLOTS.iter().position(|slot| lock(slot).is_none()).ok_or_else(|| {
                Failure::new(SluiceStatus::PoolTooLarge, format!("{POOLS} pools are open"))
            })?;
            let (pool, declared, ids) = make()?;
            // A new one each time, because sequence numbers begin again.
            let process = if pool.is_shared() {
                Some(format!("{:016x}", u64::from_le_bytes(random()?)).into())
            } else {
                None
            };
            let wanted = BTreeSet::new();
            let shared = Shared { pool, declared, ids, name: name.into(), wanted, process };
            *lock(&SLOTS[free]) = Some(Box::new(shared));
            names.insert(name.into(), free as u32);
            free as u32
        }
    };
    let mut slot = lock(&SLOTS[index as usize]);
    let shared = slot.as_mut().ok_or_else(|| Failure::argument("the pool is gone"))?;
    let member = shared.pool.join(0).map_err(refused)?;
    match MEMBERS.0.open(index << 16 | member) {
        Ok(handle) => {
            shared.pool.set_bell(member, handle.cast_unsigned());
            owner::adopt(&MEMBERS, handle.cast_unsigned());
            Ok(handle)
        }
        Err(failure) => {
            shared.pool.reap(member, 0);
            if shared.pool.members() == 0 {
                names.remove(name);
                *slot = None;
            }
            Err(failure)
        }
    }
}

/// Calls `f` with the pool of `handle`, its member, and the time in milliseconds.
#[inline]
pub(crate) fn with<R>(
    handle: u32,
    f: impl FnOnce(&mut Shared, u32, u64) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let value = MEMBERS.0.get(handle)?;
    let mut slot = lock(&SLOTS[(value >> 16) as usize]);
    // It may have been closed while this call waited for the lock.
    MEMBERS.0.get(handle)?;
    match slot.as_mut() {
        Some(shared) => {
            let now = shared.now();
            f(shared, value & 0xFFFF, now)
        }
        None => Err(MEMBERS.0.invalid(handle)),
    }
}

/// Closes a member, which releases all that it holds. Closing the last member removes the pool.
pub(crate) fn close(handle: u32) -> Result<(), Failure> {
    reap(handle)?;
    owner::release(&MEMBERS, handle);
    Ok(())
}

fn reap(handle: u32) -> Result<(), Failure> {
    let mut names = lock(&NAMES);
    let value = MEMBERS.0.invalidate(handle)?;
    let mut slot = lock(&SLOTS[(value >> 16) as usize]);
    if let Some(shared) = slot.as_mut() {
        shared.wanted.remove(&handle);
        let now = shared.now();
        shared.pool.reap(value & 0xFFFF, now);
        if shared.pool.members() == 0 {
            names.remove(&shared.name);
            *slot = None;
        }
    }
    drop(slot);
    MEMBERS.0.recycle(handle);
    Ok(())
}

/// The failure for a refusal of the pool.
pub(crate) fn refused(refusal: Refusal) -> Failure {
    let (status, message) = match refusal {
        Refusal::QueueFull => (SluiceStatus::QueueFull, "as many callers wait as may wait"),
        Refusal::Leaving => (SluiceStatus::PoolClosed, "the pool is closed or being drained"),
        Refusal::StaleLease => {
            (SluiceStatus::StaleLease, "the lease is not in use, or belongs to another Worker")
        }
        Refusal::DuplicateUpstream => {
            (SluiceStatus::DuplicateUpstream, "the pool has an upstream of that id already")
        }
        Refusal::TooMany => {
            (SluiceStatus::PoolTooLarge, "the pool has 4096 upstreams or members already")
        }
    };
    Failure::new(status, message)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use sluice_pool::{Outcome, Settings, UpstreamSettings};

    use super::*;

    fn open_named(name: &str) -> u32 {
        let make = || {
            let mut pool = Pool::new(Settings::default());
            let settings = UpstreamSettings { max_in_flight: 1, weight: 1.0, tier: 0 };
            pool.add_upstream("a", settings, 0).map_err(refused)?;
            Ok((pool, Vec::new(), "".into()))
        };
        open(name, |_| Ok(()), make).map(i32::cast_unsigned).unwrap_or_default()
    }

    /// P11: a map of locks was called lock-free, although a call could wait for any other. Here a call takes the lock
    /// of its own pool alone: it completes while the locks of another pool and of the names are held.
    #[test]
    fn p11_a_call_takes_the_lock_of_its_own_pool_and_no_other() {
        let (held, free) = (open_named("p11, held"), open_named("p11, free"));
        let index = |handle: u32| MEMBERS.0.get(handle).map_or(0, |value| (value >> 16) as usize);
        assert_ne!(index(held), index(free));
        let names = lock(&NAMES);
        let slot = lock(&SLOTS[index(held)]);
        let (done, results) = channel();
        std::thread::spawn(move || {
            let went = with(free, |shared, member, now| {
                let lease = shared.pool.acquire(member, None, now);
                let released = lease.map(|id| shared.pool.release(member, id, Outcome::Ok, 0, now));
                Ok(released == Some(Ok(())))
            });
            let _ = done.send(went.is_ok_and(|went| went));
        });
        assert_eq!(results.recv_timeout(Duration::from_secs(20)), Ok(true), "the call waits");
        drop((names, slot));
        assert!(close(held).is_ok() && close(free).is_ok());
    }
}
