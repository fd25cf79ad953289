//! Reservations: what is held until it is known what a call has cost.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use arrayvec::ArrayVec;

use crate::book::{Held, HeldPart, ReservationId};
use crate::limiter::{Denial, Fault, Limiter, Verdict};
use crate::slot::Slot;
use crate::time::Now;
use crate::together::{Locked, Part, decide, decide_now, lock_all};

/// What a reservation turned out to have cost.
#[derive(Clone, Copy, Debug)]
pub enum Actual<'a> {
    /// What was reserved.
    Full,
    /// Nothing: it was never sent.
    Nothing,
    /// For each part, in millionths, one for each of its limiter's units; [`AS_RESERVED`] for what was
    /// reserved of a unit.
    Costs(&'a [u64]),
}

/// In [`Actual::Costs`]: what was reserved of this unit.
pub const AS_RESERVED: u64 = u64::MAX;

/// Reserves, all or nothing, until the reservation is ended or `ttl_ns` have passed. O(limits).
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
    let full = locked.iter().position(|slot| slot.as_ref().is_some_and(|slot| !slot.can_open()));
    if let Some(part) = full {
        return Err(Fault::TooManyReservations(part));
    }
    let mut held = Vec::with_capacity(parts.len());
    for (part, slot) in parts.iter().zip(&mut locked) {
        let Some(slot) = slot.as_deref_mut() else { continue };
        let rules = part.limiter.plans.own();
        let costs: Vec<u64> = rules.iter().map(|rule| part.costs[rule.limit.unit]).collect();
        hold(slot, &costs);
        slot.set_open(slot.open() + 1);
        slot.set_seen(now.at_least(slot.seen()).ns);
        part.limiter.opened(1);
        held.push(HeldPart {
            limiter: Arc::downgrade(part.limiter),
            key: part.key,
            units: part.limiter.units,
            held: costs,
        });
    }
    drop(locked);
    let book = &parts[0].limiter.book;
    Ok(Ok(book.add(Held { owner, expires: now.ns.saturating_add(ttl_ns), parts: held })))
}

impl Limiter {
    /// Ends a reservation and charges what it has cost. More than was reserved becomes debt. O(limits).
    ///
    /// A part whose key was forgotten is charged nothing.
    ///
    /// # Errors
    /// [`Fault::NotOpen`] or [`Fault::WrongCosts`]; nothing is changed then.
    pub fn settle(&self, id: ReservationId, actual: Actual<'_>, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        if let Actual::Costs(costs) = actual {
            let mut shard = self.book.shard(id.index);
            let held = shard.get(id, now).map_err(|_| Fault::NotOpen)?;
            if held.parts.iter().map(|part| part.units).sum::<usize>() != costs.len() {
                return Err(Fault::WrongCosts);
            }
        }
        self.book.remove(id, now).map_err(|_| Fault::NotOpen)?.settle(actual, now);
        Ok(())
    }

    /// Lets a reservation live for `ttl_ns` from now on, or as long as it would have if that is longer.
    /// O(log reservations).
    ///
    /// # Errors
    /// [`Fault::NotOpen`].
    pub fn renew(&self, id: ReservationId, ttl_ns: u64, now: Now) -> Result<(), Fault> {
        self.book.expire(now);
        let expires = now.ns.saturating_add(ttl_ns);
        self.book.shard(id.index).renew(id, expires, now).map_err(|_| Fault::NotOpen)
    }

    /// Adds to a reservation, all or nothing; `costs` as in [`Actual::Costs`]. O(limits).
    ///
    /// What would make it greater than a limit can never fit: the reservation itself holds what is missing.
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn top_up(&self, id: ReservationId, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        // Held until all is written: nobody can end the reservation in between.
        let mut shard = self.book.shard(id.index);
        let held = shard.get(id, now).map_err(|_| Fault::NotOpen)?;
        if held.parts.iter().map(|part| part.units).sum::<usize>() != costs.len() {
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
        if let Some(denial) =
            decide_now(&parts, &held.parts, now, &mut locked, &mut ArrayVec::new())?
        {
            return Ok(Some(denial));
        }
        for ((part, slot), kept) in parts.iter().zip(&mut locked).zip(&mut held.parts) {
            let Some(slot) = slot.as_deref_mut() else { continue };
            let rules = part.limiter.plans.own();
            let more: Vec<u64> = rules.iter().map(|rule| part.costs[rule.limit.unit]).collect();
            hold(slot, &more);
            slot.set_seen(now.at_least(slot.seen()).ns);
            for (held, more) in kept.held.iter_mut().zip(more) {
                *held += more;
            }
        }
        Ok(None)
    }
}

impl Held {
    /// Charges what was reserved: whoever held it may have sent the request.
    pub(crate) fn settle_in_full(self, now: Now) {
        self.settle(Actual::Full, now);
    }

    /// The same, since nobody ended it in time.
    pub(crate) fn expire(self, then: Now) {
        for limiter in self.limiters().iter().flatten() {
            limiter.expired.fetch_add(1, Ordering::Relaxed);
        }
        self.settle_in_full(then);
    }

    fn settle(self, actual: Actual<'_>, now: Now) {
        let limiters = self.limiters();
        let places = (self.parts.iter().zip(&limiters))
            .map(|(part, limiter)| Some((limiter.as_deref()?, part.key)));
        let mut locked = Locked::new();
        lock_all(places, &mut locked);
        let mut units = 0;
        for ((part, limiter), slot) in self.parts.iter().zip(&limiters).zip(&mut locked) {
            let first = units;
            units += part.units;
            let (Some(limiter), Some(slot)) = (limiter, slot.as_deref_mut()) else { continue };
            if !slot.is(part.key.generation) {
                continue;
            }
            let now = now.at_least(slot.seen());
            for (index, limit) in limiter.plans.get(slot.plan()).enumerate() {
                let reserved = part.held[index];
                let mut cell = slot.cell(index);
                cell.held -= reserved;
                let actual = match actual {
                    Actual::Full => reserved,
                    Actual::Nothing => 0,
                    Actual::Costs(costs) => match costs[first + limit.unit] {
                        AS_RESERVED => reserved,
                        actual => actual,
                    },
                };
                limit.charge(&mut cell, actual, now);
                slot.set_cell(index, cell);
            }
            slot.set_open(slot.open() - 1);
            slot.set_seen(now.ns);
            limiter.opened(1u64.wrapping_neg());
        }
    }

    fn limiters(&self) -> Vec<Option<Arc<Limiter>>> {
        self.parts.iter().map(|part| Weak::upgrade(&part.limiter)).collect()
    }
}

/// Adds what is reserved of each limit to what is held.
fn hold(slot: &mut Slot<'_>, costs: &[u64]) {
    for (index, cost) in costs.iter().enumerate() {
        let mut cell = slot.cell(index);
        cell.held += cost;
        slot.set_cell(index, cell);
    }
}
