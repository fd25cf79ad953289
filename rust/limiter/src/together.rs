//! Several keys of several limiters in one decision.
//!
//! All slots are locked, in the order of (limiter, index) and each once; all limits are checked; only
//! then is anything written.

use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::book::HeldPart;
use crate::keys::Key;
use crate::limiter::{Denial, Fault, Levels, Limiter, MOST_LIMITS, Verdict};
use crate::slot::{CELL, Guard, HEAD, Slot, Words};
use crate::sync::AtomicU64;
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

/// The slots of parts, locked; none for those that were named before, or whose limiter is gone.
pub(crate) type Locked<'a> = ArrayVec<Option<Guard<'a>>, MOST_LIMITS>;

/// Decides and consumes, all or nothing. O(limits).
///
/// # Errors
/// A [`Fault`]; nothing is changed then.
pub fn take_all(parts: &[Part<'_>], now: Now) -> Verdict {
    let (mut locked, mut levels) = (Locked::new(), Levels::new());
    let denied = decide(parts, now, &mut locked, &mut levels)?;
    if denied.is_none() {
        let mut rest = &levels[..];
        for (part, slot) in parts.iter().zip(&mut locked) {
            let Some(slot) = slot.as_deref_mut() else { continue };
            let (levels, others) = rest.split_at(part.limiter.plans.own().len());
            rest = others;
            slot.set_levels(levels);
            slot.set_seen(now.at_least(slot.seen()).ns);
        }
    }
    Ok(denied)
}

/// As [`take_all`], and consumes nothing. [`Key::NONE`] stands for a name that has no key yet: it is
/// decided as a new key would be.
///
/// # Errors
/// A [`Fault`].
pub fn peek_all(parts: &[Part<'_>], now: Now) -> Verdict {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    first.limiter.book.expire(now);
    let (mut locked, mut levels) = (Locked::new(), Levels::new());
    decide_now(parts, &[], Absent::IsNew, now, &mut locked, &mut levels)
}

/// What [`Key::NONE`] is to a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Stale, since there is no slot to write to.
    IsStale,
    /// A key of which nothing is consumed.
    IsNew,
}

/// Locks all slots and tells what refuses; if nothing does, they stay locked in `locked`.
pub(crate) fn decide<'a>(
    parts: &[Part<'a>],
    now: Now,
    locked: &mut Locked<'a>,
    levels: &mut Levels,
) -> Verdict {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    first.limiter.book.expire(now);
    decide_now(parts, &[], Absent::IsStale, now, locked, levels)
}

/// [`decide`] for who has the book locked; `mine` is what the parts hold already, if anything.
pub(crate) fn decide_now<'a>(
    parts: &[Part<'a>],
    mine: &[HeldPart],
    absent: Absent,
    now: Now,
    locked: &mut Locked<'a>,
    levels: &mut Levels,
) -> Verdict {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    let limits: usize = parts.iter().map(|part| part.limiter.plans.own().len()).sum();
    if limits > MOST_LIMITS {
        return Err(Fault::TooManyLimits);
    }
    if parts.iter().any(|part| !Arc::ptr_eq(&part.limiter.book, &first.limiter.book)) {
        return Err(Fault::DifferentClocks);
    }
    if parts.iter().any(|part| part.costs.len() != part.limiter.units) {
        return Err(Fault::WrongCosts);
    }
    let places = parts.iter().map(|part| Some((&**part.limiter, part.key)));
    let twice = lock_all(places, locked);
    for (index, part) in parts.iter().enumerate() {
        match &locked[index] {
            Some(slot) if slot.is(part.key.generation) => {
                let then = now.at_least(slot.seen());
                if !part.limiter.admit(slot, part.costs, then, levels)? {
                    return refusal(parts, mine, now, locked, twice);
                }
            }
            None if twice & 1 << index != 0 => {}
            None if part.key == Key::NONE && absent == Absent::IsNew => {
                let slot = blank().ok_or(Fault::Stale(index))?;
                if !part.limiter.admit(&slot, part.costs, now, levels)? {
                    return refusal(parts, mine, now, locked, twice);
                }
            }
            _ => return Err(Fault::Stale(index)),
        }
    }
    Ok(None)
}

/// The first of the limits of all parts that refuse for longest.
#[cold]
fn refusal(
    parts: &[Part<'_>],
    mine: &[HeldPart],
    now: Now,
    locked: &Locked<'_>,
    twice: u32,
) -> Verdict {
    let mut worst: Option<Denial> = None;
    let mut before = 0;
    for (index, part) in parts.iter().enumerate() {
        let mine = mine.get(index).map_or(&[][..], |part| &part.held);
        let denial = match &locked[index] {
            Some(slot) if slot.is(part.key.generation) => {
                part.limiter.check(slot, part.costs, mine, now)?
            }
            None if twice & 1 << index != 0 => None,
            // Only a call for which it is new comes here.
            None if part.key == Key::NONE => {
                let slot = blank().ok_or(Fault::Stale(index))?;
                part.limiter.check(&slot, part.costs, mine, now)?
            }
            _ => return Err(Fault::Stale(index)),
        };
        if let Some(Denial { limit, refusal }) = denial
            && worst.is_none_or(|worst| worst.refusal < refusal)
        {
            worst = Some(Denial { limit: before + limit, refusal });
        }
        before += part.limiter.limits().len();
    }
    Ok(worst)
}

/// The slot of a key of which nothing is consumed or held, with the limiter's own limits. It is only read.
pub(crate) fn blank() -> Option<Slot<'static>> {
    static WORDS: [AtomicU64; HEAD + CELL * MOST_LIMITS] =
        [const { AtomicU64::new(0) }; HEAD + CELL * MOST_LIMITS];
    Slot::unlocked(Words::new(&WORDS)?)
}

/// Locks the slots of at most [`MOST_LIMITS`] places in order, each once; the bits tell which were named
/// before. O(n^2) for n places, which are a handful.
pub(crate) fn lock_all<'a>(
    places: impl Iterator<Item = Option<(&'a Limiter, Key)>>,
    locked: &mut Locked<'a>,
) -> u32 {
    let mut order: ArrayVec<(usize, &'a Limiter, Key), MOST_LIMITS> = ArrayVec::new();
    for (at, place) in places.enumerate() {
        locked.push(None);
        order.extend(place.map(|(limiter, key)| (at, limiter, key)));
    }
    let rank = |&(_, limiter, key): &(usize, &Limiter, Key)| (limiter.number, key);
    // An insertion sort: a handful, and mostly in order. Of equals the first stays first.
    for end in 1..order.len() {
        let mut at = end;
        while at > 0 && rank(&order[at - 1]) > rank(&order[at]) {
            order.swap(at - 1, at);
            at -= 1;
        }
    }
    let mut twice = 0;
    let mut last = None;
    for &(at, limiter, key) in &order {
        let before = last.replace((limiter.number, key));
        if before.is_some_and(|(n, k): (u64, Key)| (n, k.index) == (limiter.number, key.index)) {
            // With another generation one of the two is stale, and the caller will say so.
            twice |= u32::from(before == last) << at;
            continue;
        }
        locked[at] = limiter.slots.lock(key.index);
    }
    twice
}
