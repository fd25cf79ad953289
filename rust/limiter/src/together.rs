//! Several keys of several limiters in one decision, and reservations on them.
//!
//! All slots are locked, in the order of (limiter, index) and each once; all limits are checked; only
//! then is anything written.

use std::sync::{Arc, Weak};

use crate::book::{Held, HeldPart, ReservationId};
use crate::keys::Key;
use crate::limiter::{Denial, Fault, Limiter, MOST_LIMITS, Verdict};
use crate::slot::Slot;
use crate::time::Now;

/// A key of a limiter and what a call costs there.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The limiter.
    pub limiter: &'a Arc<Limiter>,
    /// One of its keys. A key that is named twice is charged once.
    pub key: Key,
    /// In millionths, one for each of the limiter's units.
    pub costs: &'a [u64],
}

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

type Locked<'a> = [Option<Slot<'a>>; MOST_LIMITS];

/// Decides and consumes, all or nothing. O(limits).
///
/// # Errors
/// A [`Fault`]; nothing is changed then.
pub fn take_all(parts: &[Part<'_>], now: Now) -> Verdict {
    let mut locked = lock_and_check(parts, now)?;
    if let Checked::Denied(denial) = locked {
        return Ok(Some(denial));
    }
    for (part, slot) in locked.parts(parts) {
        part.limiter.charge(slot, part.costs, now);
    }
    Ok(None)
}

/// As [`take_all`], and consumes nothing.
///
/// # Errors
/// A [`Fault`].
pub fn peek_all(parts: &[Part<'_>], now: Now) -> Verdict {
    match lock_and_check(parts, now)? {
        Checked::Denied(denial) => Ok(Some(denial)),
        Checked::Fits(_) => Ok(None),
    }
}

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
    let mut locked = lock_and_check(parts, now)?;
    if let Checked::Denied(denial) = locked {
        return Ok(Err(denial));
    }
    let full = locked.parts(parts).position(|(_, slot)| !slot.can_open());
    if let Some(part) = full {
        return Err(Fault::TooManyReservations(part));
    }
    let mut held = Vec::with_capacity(parts.len());
    for (part, slot) in locked.parts(parts) {
        let limits = part.limiter.plans.get(slot.plan());
        let costs: Vec<u64> = limits.iter().map(|limit| part.costs[limit.unit]).collect();
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
            let held = shard.get(id).map_err(|_| Fault::NotOpen)?;
            if held.parts.iter().map(|part| part.units).sum::<usize>() != costs.len() {
                return Err(Fault::WrongCosts);
            }
        }
        self.book.remove(id).map_err(|_| Fault::NotOpen)?.settle(actual, now);
        Ok(())
    }

    /// Adds to a reservation, all or nothing; `costs` as in [`Actual::Costs`]. O(limits).
    ///
    /// # Errors
    /// A [`Fault`]; nothing is changed then.
    pub fn top_up(&self, id: ReservationId, costs: &[u64], now: Now) -> Verdict {
        self.book.expire(now);
        // Held until all is written: nobody can end the reservation in between.
        let mut shard = self.book.shard(id.index);
        let held = shard.get(id).map_err(|_| Fault::NotOpen)?;
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
        let mut locked = lock_and_check_now(&parts, now)?;
        if let Checked::Denied(denial) = locked {
            return Ok(Some(denial));
        }
        for ((part, slot), kept) in locked.parts(&parts).zip(&mut held.parts) {
            let limits = part.limiter.plans.get(slot.plan());
            let more: Vec<u64> = limits.iter().map(|limit| part.costs[limit.unit]).collect();
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

    fn settle(self, actual: Actual<'_>, now: Now) {
        let limiters = self.limiters();
        let places: Vec<_> = (self.parts.iter().zip(&limiters))
            .map(|(part, limiter)| Some((limiter.as_deref()?, part.key)))
            .collect();
        let (mut locked, _) = lock_all(&places);
        let mut units = 0;
        for ((part, place), slot) in self.parts.iter().zip(&places).zip(&mut locked) {
            let first = units;
            units += part.units;
            let (Some((limiter, _)), Some(slot)) = (place, slot) else { continue };
            if !slot.is(part.key.generation) {
                continue;
            }
            let now = now.at_least(slot.seen());
            for (index, limit) in limiter.plans.get(slot.plan()).iter().enumerate() {
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

/// All slots, locked, or what refuses.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, for one call")]
enum Checked<'a> {
    Fits(Locked<'a>),
    Denied(Denial),
}

impl<'a> Checked<'a> {
    /// The parts that have a slot: all but those named before.
    fn parts<'b>(
        &'b mut self,
        parts: &'b [Part<'_>],
    ) -> impl Iterator<Item = (&'b Part<'b>, &'b mut Slot<'a>)> {
        let slots = match self {
            Checked::Fits(slots) => &mut slots[..],
            Checked::Denied(_) => &mut [],
        };
        parts.iter().zip(slots).filter_map(|(part, slot)| Some((part, slot.as_mut()?)))
    }
}

fn lock_and_check<'a>(parts: &[Part<'a>], now: Now) -> Result<Checked<'a>, Fault> {
    if let Some(first) = parts.first() {
        first.limiter.book.expire(now);
    }
    lock_and_check_now(parts, now)
}

fn lock_and_check_now<'a>(parts: &[Part<'a>], now: Now) -> Result<Checked<'a>, Fault> {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    let limits: usize = parts.iter().map(|part| part.limiter.limits().len()).sum();
    if limits > MOST_LIMITS || parts.len() > MOST_LIMITS {
        return Err(Fault::TooManyLimits);
    }
    if parts.iter().any(|part| !Arc::ptr_eq(&part.limiter.book, &first.limiter.book)) {
        return Err(Fault::DifferentClocks);
    }
    if parts.iter().any(|part| part.costs.len() != part.limiter.units) {
        return Err(Fault::WrongCosts);
    }
    let mut places = [None; MOST_LIMITS];
    for (place, part) in places.iter_mut().zip(parts) {
        *place = Some((&**part.limiter, part.key));
    }
    let (locked, twice) = lock_all(&places[..parts.len()]);
    let mut worst: Option<Denial> = None;
    let mut before = 0;
    for (index, part) in parts.iter().enumerate() {
        match &locked[index] {
            Some(slot) if slot.is(part.key.generation) => {
                if let Some(Denial { limit, refusal }) =
                    part.limiter.check(slot, part.costs, now)?
                    && worst.is_none_or(|worst| worst.refusal < refusal)
                {
                    worst = Some(Denial { limit: before + limit, refusal });
                }
            }
            None if twice & 1 << index != 0 => {}
            _ => return Err(Fault::Stale(index)),
        }
        before += part.limiter.limits().len();
    }
    Ok(worst.map_or(Checked::Fits(locked), Checked::Denied))
}

/// Adds what is reserved of each limit to what is held.
fn hold(slot: &mut Slot<'_>, costs: &[u64]) {
    for (index, cost) in costs.iter().enumerate() {
        let mut cell = slot.cell(index);
        cell.held += cost;
        slot.set_cell(index, cell);
    }
}

/// Locks the slots of `places` in order, each once; the bits tell which were named before.
fn lock_all<'a>(places: &[Option<(&'a Limiter, Key)>]) -> (Locked<'a>, u32) {
    let mut order = [0u8; MOST_LIMITS];
    let order = &mut order[..places.len()];
    for (at, place) in (0u8..).zip(order.iter_mut()) {
        *place = at;
    }
    let rank = |at: u8| places[at as usize].map(|(limiter, key)| (limiter.number, key.index, key));
    // A handful: insertion sort, which keeps the first of equals first.
    for end in 1..order.len() {
        let mut at = end;
        while at > 0 && rank(order[at - 1]) > rank(order[at]) {
            order.swap(at - 1, at);
            at -= 1;
        }
    }
    let mut locked: Locked<'a> = [const { None }; MOST_LIMITS];
    let mut twice = 0;
    let mut last = None;
    for &at in &*order {
        let Some((limiter, key)) = places[at as usize] else { continue };
        if last.is_some_and(|(number, index, _)| (number, index) == (limiter.number, key.index)) {
            // With another generation one of the two is stale, and the caller will say so.
            if last.is_some_and(|(_, _, generation)| generation == key.generation) {
                twice |= 1 << at;
            }
            continue;
        }
        last = Some((limiter.number, key.index, key.generation));
        if let Some(words) = limiter.slots.get(key.index) {
            locked[at as usize] = Some(Slot::lock(words));
        }
    }
    (locked, twice)
}
