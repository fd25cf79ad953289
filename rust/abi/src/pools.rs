//! The pools of the process, by name, and the handles of their members.
//!
//! A handle names a pool and a member of it, so who calls is known from the handle. Each pool is
//! behind one mutex, which a call holds for some tens of nanoseconds and under which it takes no other
//! lock of a pool. Only opening and closing take a second one, the names', always first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sluice_pool::{Pool, Refusal};

use crate::clock::coarse_millis;
use crate::handle::Handles;
use crate::owner::{self, Table};
use crate::status::{Failure, SluiceStatus};

/// So many pools may be open.
const POOLS: usize = 1 << 10;

/// A pool and what the ABI adds to it.
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    /// The options that it was opened with.
    pub(crate) declared: Vec<f64>,
    pub(crate) ids: Box<str>,
    name: Box<str>,
    /// The members whose bell somebody asked for.
    pub(crate) wanted: BTreeSet<u32>,
}

type Place = Mutex<Option<Box<Shared>>>;

static PLACES: [Place; POOLS] = [const { Mutex::new(None) }; POOLS];
/// Taken before a place where both are, and only to open and close.
/// Trees, because a hash table asks for random bytes, which a system may not have.
static NAMES: Mutex<BTreeMap<Box<str>, u32>> = Mutex::new(BTreeMap::new());
static MEMBERS: Members = Members(Handles::new("pool"));

/// The table of handles, as owners see it.
struct Members(Handles);

impl Table for Members {
    fn abandon(&self, handle: u32) {
        // Another thread may have closed it meanwhile, which is as good.
        let _ = reap(handle);
    }

    fn is_shared(&self) -> bool {
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a member of the pool called `name`. If there is none, `make` makes it; else `check` says
/// whether it is the one that is meant.
pub(crate) fn open(
    name: &str,
    check: impl FnOnce(&Shared) -> Result<(), Failure>,
    make: impl FnOnce() -> Result<(Pool, Vec<f64>, Box<str>), Failure>,
) -> Result<i32, Failure> {
    let mut names = lock(&NAMES);
    let index = match names.get(name) {
        Some(&index) => {
            if let Some(shared) = &*lock(&PLACES[index as usize]) {
                check(shared)?;
            }
            index
        }
        None => {
            let free = PLACES.iter().position(|place| lock(place).is_none()).ok_or_else(|| {
                Failure::new(SluiceStatus::PoolTooLarge, format!("{POOLS} pools are open"))
            })?;
            let (pool, declared, ids) = make()?;
            let wanted = BTreeSet::new();
            let shared = Shared { pool, declared, ids, name: name.into(), wanted };
            *lock(&PLACES[free]) = Some(Box::new(shared));
            names.insert(name.into(), free as u32);
            free as u32
        }
    };
    let mut place = lock(&PLACES[index as usize]);
    let shared = place.as_mut().ok_or_else(|| Failure::argument("the pool is gone"))?;
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
                *place = None;
            }
            Err(failure)
        }
    }
}

/// Calls `f` with the pool of `handle`, the member that it is, and the time.
#[inline]
pub(crate) fn with<R>(
    handle: u32,
    f: impl FnOnce(&mut Shared, u32, u64) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let value = MEMBERS.0.get(handle)?;
    let mut place = lock(&PLACES[(value >> 16) as usize]);
    // Closed while this call waited for the lock?
    MEMBERS.0.get(handle)?;
    match place.as_mut() {
        Some(shared) => f(shared, value & 0xFFFF, coarse_millis()),
        None => Err(MEMBERS.0.invalid(handle)),
    }
}

/// Closes a member: whatever it holds comes back. The last one takes the pool along.
pub(crate) fn close(handle: u32) -> Result<(), Failure> {
    reap(handle)?;
    owner::release(&MEMBERS, handle);
    Ok(())
}

fn reap(handle: u32) -> Result<(), Failure> {
    let mut names = lock(&NAMES);
    let value = MEMBERS.0.invalidate(handle)?;
    let mut place = lock(&PLACES[(value >> 16) as usize]);
    if let Some(shared) = place.as_mut() {
        shared.wanted.remove(&handle);
        shared.pool.reap(value & 0xFFFF, coarse_millis());
        if shared.pool.members() == 0 {
            names.remove(&shared.name);
            *place = None;
        }
    }
    drop(place);
    MEMBERS.0.recycle(handle);
    Ok(())
}

/// A refusal of the pool as a failure.
pub(crate) fn refused(refusal: Refusal) -> Failure {
    let (status, message) = match refusal {
        Refusal::QueueFull => (SluiceStatus::QueueFull, "as many wait as may"),
        Refusal::Leaving => (SluiceStatus::PoolClosed, "the pool is closed or being drained"),
        Refusal::StaleLease => {
            (SluiceStatus::StaleLease, "the lease is not in use, or not this Worker's")
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

/// What a caller has to see to after a call.
#[inline]
pub(crate) fn chores(shared: &Shared, member: u32) -> i32 {
    use crate::waiter::{SLUICE_CHORE_MAIL, SLUICE_CHORE_RING};
    let mail = if shared.pool.has_mail(member) { SLUICE_CHORE_MAIL } else { 0 };
    let ring = if shared.pool.has_rings() { SLUICE_CHORE_RING } else { 0 };
    (mail | ring).cast_signed()
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

    /// P11: "lock-free" was said of a map of locks, where a call could wait for any other. Here a lock
    /// is called one, and a call takes that of its own pool alone: it goes on while those of another
    /// pool, and of the names, are held for ever.
    #[test]
    fn p11_a_call_takes_the_lock_of_its_own_pool_and_no_other() {
        let (held, free) = (open_named("p11, held"), open_named("p11, free"));
        let index = |handle: u32| MEMBERS.0.get(handle).map_or(0, |value| (value >> 16) as usize);
        assert_ne!(index(held), index(free));
        let names = lock(&NAMES);
        let place = lock(&PLACES[index(held)]);
        let (done, told) = channel();
        std::thread::spawn(move || {
            let went = with(free, |shared, member, now| {
                let lease = shared.pool.acquire(member, None, now);
                let released = lease.map(|id| shared.pool.release(member, id, Outcome::Ok, 0, now));
                Ok(released == Some(Ok(())))
            });
            let _ = done.send(went.is_ok_and(|went| went));
        });
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(true), "the call waits");
        drop((names, place));
        assert!(close(held).is_ok() && close(free).is_ok());
    }
}
