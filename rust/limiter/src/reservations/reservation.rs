//! The life of a reservation: reserve an estimated cost, renew, top up, and settle the actual cost.

use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use arrayvec::ArrayVec;

use crate::decision::{Denial, Fault, Verdict};
use crate::keys::key::Key;
use crate::limiter::{Levels, Limiter};
use crate::multi_key::{AbsentKey, Locked, Part, decide, decide_now, lock_all};
use crate::reservations::book::{Amounts, Held, HeldPart, HeldParts, NotOpen, ReservationId};
use crate::slots::slot::Slot;
use crate::time::Now;

/// The actual cost of a reservation.
#[derive(Clone, Copy, Debug)]
pub enum Actual<'a> {
    /// The reserved amounts.
    Full,
    /// Nothing: the request was never sent.
    Nothing,
    /// For each part, in millionths, one cost for each of its limiter's units; [`AS_RESERVED`]
    /// stands for the reserved amount.
    Costs(&'a [u64]),
}

/// In [`Actual::Costs`]: the reserved amount of this unit.
pub const AS_RESERVED: u64 = u64::MAX;

/// Reserves from all parts or from none, until the reservation is ended or `ttl_ns` have passed.
/// O(limits).
///
/// # Errors
/// A [`Fault`]; nothing is changed then.
pub fn reserve_all(
    parts: &[Part<'_>],
    owner: u32,
    ttl_ns: u64,
    now: Now,
) -> Result<Result<ReservationId, Denial>, Fault> {
    let mut locked = Locked::new();
    if let Some(denial) = decide(parts, now, &mut locked, &mut ArrayVec::new())? {
        return Ok(Err(denial));
    }
    let full = locked.iter().position(|slot| slot.as_ref().is_some_and(|slot| !slot.can_reserve()));
    if let Some(part) = full {
        return Err(Fault::TooManyReservations(part));
    }
    let mut held = HeldParts::with_capacity(parts.len());
    for (part, slot) in parts.iter().zip(&mut locked) {
        let Some(slot) = slot.as_deref_mut() else { continue };
        held.push(part.limiter.hold_part(slot, part.key, part.costs, now));
    }
    drop(locked);
    let book = &parts[0].limiter.book;
    Ok(Ok(book.add(Held { owner, expires: now.ns.saturating_add(ttl_ns), parts: held })))
}

impl Limiter {
    /// Reserves at one key, as [`reserve_all`] does for several. O(limits); allocates nothing for
    /// up to four limits.
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn reserve(
        self: &Arc<Self>,
        key: Key,
        costs: &[u64],
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> Result<Result<ReservationId, Denial>, Fault> {
        self.book.expire(now);
        if costs.len() != self.units {
            return Err(Fault::WrongCosts);
        }
        let mut slot = self.lock(key).ok_or(Fault::Stale(0))?;
        let then = now.at_least(slot.last_change());
        if !self.admit(&slot, costs, then, &mut Levels::new())?
            && let Some(denial) = self.check(&slot, costs, &[], now)?
        {
            return Ok(Err(denial));
        }
        if !slot.can_reserve() {
            return Err(Fault::TooManyReservations(0));
        }
        let part = self.hold_part(&mut slot, key, costs, now);
        drop(slot);
        Ok(Ok(self.add_reservation(part, owner, ttl_ns, now)))
    }

    /// Adds a reservation of one part to the book.
    #[inline(always)]
    pub(crate) fn add_reservation(
        &self,
        part: HeldPart,
        owner: u32,
        ttl_ns: u64,
        now: Now,
    ) -> ReservationId {
        let expires = now.ns.saturating_add(ttl_ns);
        self.book.add(Held { owner, expires, parts: HeldParts::from_buf([part]) })
    }

    /// Holds `costs` at a slot that admits them, for one more reservation.
    pub(crate) fn hold_part(
        self: &Arc<Self>,
        slot: &mut Slot<'_>,
        key: Key,
        costs: &[u64],
        now: Now,
    ) -> HeldPart {
        let held = self.costs_by_limit(costs);
        hold(slot, &held);
        slot.set_open_reservations(slot.open_reservations() + 1);
        slot.set_last_change(now.at_least(slot.last_change()).ns);
        self.opened(1);
        HeldPart { limiter: Arc::downgrade(self), key, units: self.units, held }
    }

    /// The cost of each limit, from costs of each unit.
    fn costs_by_limit(&self, costs: &[u64]) -> Amounts {
        self.limit_sets.defaults().iter().map(|limit| costs[limit.definition.unit]).collect()
    }

    /// Ends a reservation and charges its actual cost. What exceeds the reserved amount becomes
    /// debt. O(limits).
    ///
    /// Nothing is charged for a part whose key was forgotten.
    ///
    /// # Errors
    /// [`Fault::NotOpen`] or [`Fault::WrongCosts`]; nothing is changed then.
    pub fn settle(&self, id: ReservationId, actual: Actual<'_>, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        let held = self.book.remove(id, now, |held| match actual {
            Actual::Costs(costs) if costs.len() != held.units() => Err(Fault::WrongCosts),
            _ => Ok(()),
        })?;
        match &held.parts[..] {
            // This limiter is the only one concerned: its reference count need not change.
            [part] if ptr::eq(part.limiter.as_ptr(), self) => {
                if let Some(mut slot) = self.lock(part.key) {
                    self.settle_part(&mut slot, part, 0, actual, now);
                }
            }
            _ => held.settle(actual, now),
        }
        Ok(())
    }

    /// Ends what a reservation holds at a slot. The slot's costs begin at index `first` of
    /// [`Actual::Costs`].
    fn settle_part(
        &self,
        slot: &mut Slot<'_>,
        part: &HeldPart,
        first: usize,
        actual: Actual<'_>,
        now: Now,
    ) {
        let now = now.at_least(slot.last_change());
        for (index, limit) in self.limit_sets.get(slot.limit_set()).enumerate() {
            let reserved = part.held[index];
            let mut state = slot.state(index);
            state.held -= reserved;
            let actual = match actual {
                Actual::Full => reserved,
                Actual::Nothing => 0,
                Actual::Costs(costs) => match costs[first + limit.unit] {
                    AS_RESERVED => reserved,
                    actual => actual,
                },
            };
            limit.charge(&mut state, actual, now);
            slot.set_state(index, state);
        }
        slot.set_open_reservations(slot.open_reservations() - 1);
        slot.set_last_change(now.ns);
        self.opened(1u64.wrapping_neg());
    }

    /// Lets a reservation expire `ttl_ns` from now, or when it would have expired if that is later.
    /// O(log reservations).
    ///
    /// # Errors
    /// [`Fault::NotOpen`].
    pub fn renew(&self, id: ReservationId, ttl_ns: u64, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        let expires = now.ns.saturating_add(ttl_ns);
        self.book.shard(id.index).renew(id, expires, now).map_err(|_| Fault::NotOpen)
    }

    /// Adds to a reservation, for all parts or for none; `costs` as in [`Actual::Costs`].
    /// O(limits).
    ///
    /// A cost that would make the reservation greater than a limit never fits: the reservation
    /// itself holds what is missing.
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn top_up(&self, id: ReservationId, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        // Held until everything is written: no thread can end the reservation in between.
        let mut shard = self.book.shard(id.index);
        let held = shard.get(id, now).map_err(|_| Fault::NotOpen)?;
        if held.units() != costs.len() {
            return Err(Fault::WrongCosts);
        }
        let limiters = held.limiters();
        let mut rest = costs;
        let mut parts = Vec::with_capacity(held.parts.len());
        for (index, (part, limiter)) in held.parts.iter().zip(&limiters).enumerate() {
            let (costs, others) = rest.split_at(part.units);
            rest = others;
            let limiter = limiter.as_ref().ok_or(Fault::Stale(index))?;
            parts.push(Part { limiter, key: part.key, costs });
        }
        let mut locked = Locked::new();
        if let Some(denial) = decide_now(
            &parts,
            &held.parts,
            AbsentKey::IsStale,
            now,
            &mut locked,
            &mut ArrayVec::new(),
        )? {
            return Ok(Some(denial));
        }
        for ((part, slot), kept) in parts.iter().zip(&mut locked).zip(&mut held.parts) {
            let Some(slot) = slot.as_deref_mut() else { continue };
            let more = part.limiter.costs_by_limit(part.costs);
            hold(slot, &more);
            slot.set_last_change(now.at_least(slot.last_change()).ns);
            for (held, more) in kept.held.iter_mut().zip(more) {
                *held += more;
            }
        }
        Ok(None)
    }
}

impl Held {
    /// Charges what was reserved: the request may have been sent.
    pub(crate) fn settle_in_full(self, now: Now) {
        self.settle(Actual::Full, now);
    }

    /// The same for a reservation that was not ended in time.
    pub(crate) fn expire(self, then: Now) {
        for limiter in self.limiters().iter().flatten() {
            limiter.expired.fetch_add(1, Ordering::Relaxed);
        }
        self.settle_in_full(then);
    }

    fn settle(self, actual: Actual<'_>, now: Now) {
        let limiters = self.limiters();
        let keys = (self.parts.iter().zip(&limiters))
            .map(|(part, limiter)| Some((limiter.as_deref()?, part.key)));
        let mut locked = Locked::new();
        lock_all(keys, &mut locked);
        let mut units = 0;
        for ((part, limiter), slot) in self.parts.iter().zip(&limiters).zip(&mut locked) {
            let first = units;
            units += part.units;
            let (Some(limiter), Some(slot)) = (limiter, slot.as_deref_mut()) else { continue };
            if !slot.is_current(part.key.generation) {
                continue;
            }
            limiter.settle_part(slot, part, first, actual, now);
        }
    }

    /// The number of costs of its parts.
    fn units(&self) -> usize {
        self.parts.iter().map(|part| part.units).sum()
    }

    fn limiters(&self) -> Vec<Option<Arc<Limiter>>> {
        self.parts.iter().map(|part| Weak::upgrade(&part.limiter)).collect()
    }
}

impl From<NotOpen> for Fault {
    fn from(_: NotOpen) -> Self {
        Self::NotOpen
    }
}

/// Adds the reserved amounts to what is held.
fn hold(slot: &mut Slot<'_>, costs: &[u64]) {
    for (index, cost) in costs.iter().enumerate() {
        let mut state = slot.state(index);
        state.held += cost;
        slot.set_state(index, state);
    }
}
