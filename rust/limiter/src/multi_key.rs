//! Atomic decisions over several keys of several limiters, by ordered two-phase locking.
//!
//! All slots are locked, each once, in the order of (limiter, index); then all limits are checked;
//! only then is anything written.

use std::sync::Arc;

use arrayvec::ArrayVec;

use crate::decision::{Denial, Fault, Verdict};
use crate::empty_slot::empty_slot;
use crate::keys::key::Key;
use crate::limiter::{Levels, Limiter, MOST_LIMITS};
use crate::reservations::book::HeldPart;
use crate::slots::slot::Guard;
use crate::time::Now;

/// A key of a limiter and what a call costs there.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The limiter.
    pub limiter: &'a Arc<Limiter>,
    /// One of its keys. A key that is named twice is charged once.
    pub key: Key,
    /// The costs in millionths, one for each of the limiter's units.
    pub costs: &'a [u64],
}

/// The locked slots of the parts; none for duplicates and for parts whose limiter is gone.
pub(crate) type Locked<'a> = ArrayVec<Option<Guard<'a>>, MOST_LIMITS>;

/// Decides, and consumes from all parts or from none. O(limits).
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
            let (levels, others) = rest.split_at(part.limiter.limit_sets.defaults().len());
            rest = others;
            slot.set_levels(levels);
            slot.set_last_change(now.at_least(slot.last_change()).ns);
        }
    }
    Ok(denied)
}

/// Decides as [`take_all`] does, and consumes nothing. [`Key::NONE`] stands for a name that has no
/// key yet, and is decided as a new key would be.
///
/// # Errors
/// A [`Fault`].
pub fn peek_all(parts: &[Part<'_>], now: Now) -> Verdict {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    first.limiter.book.expire(now);
    let (mut locked, mut levels) = (Locked::new(), Levels::new());
    decide_now(parts, &[], AbsentKey::IsNew, now, &mut locked, &mut levels)
}

/// How a call treats [`Key::NONE`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbsentKey {
    /// As stale: there is no slot to write to.
    IsStale,
    /// As a key of which nothing is consumed.
    IsNew,
}

/// Locks all slots and returns the denial. If there is none, the slots stay locked in `locked`.
pub(crate) fn decide<'a>(
    parts: &[Part<'a>],
    now: Now,
    locked: &mut Locked<'a>,
    levels: &mut Levels,
) -> Verdict {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    first.limiter.book.expire(now);
    decide_now(parts, &[], AbsentKey::IsStale, now, locked, levels)
}

/// [`decide`] for a caller that has locked the book. `already_held` is what the parts' own
/// reservation holds, if any.
pub(crate) fn decide_now<'a>(
    parts: &[Part<'a>],
    already_held: &[HeldPart],
    absent_key: AbsentKey,
    now: Now,
    locked: &mut Locked<'a>,
    levels: &mut Levels,
) -> Verdict {
    let Some(first) = parts.first() else { return Err(Fault::TooManyLimits) };
    let limits: usize = parts.iter().map(|part| part.limiter.limit_sets.defaults().len()).sum();
    if limits > MOST_LIMITS {
        return Err(Fault::TooManyLimits);
    }
    if parts.iter().any(|part| !Arc::ptr_eq(&part.limiter.book, &first.limiter.book)) {
        return Err(Fault::DifferentClocks);
    }
    if parts.iter().any(|part| part.costs.len() != part.limiter.units) {
        return Err(Fault::WrongCosts);
    }
    let keys = parts.iter().map(|part| Some((&**part.limiter, part.key)));
    let duplicates = lock_all(keys, locked);
    for (index, part) in parts.iter().enumerate() {
        match &locked[index] {
            Some(slot) if slot.is_current(part.key.generation) => {
                let then = now.at_least(slot.last_change());
                if !part.limiter.admit(slot, part.costs, then, levels)? {
                    return refusal(parts, already_held, now, locked, duplicates);
                }
            }
            None if duplicates & 1 << index != 0 => {}
            None if part.key == Key::NONE && absent_key == AbsentKey::IsNew => {
                let slot = empty_slot().ok_or(Fault::Stale(index))?;
                if !part.limiter.admit(&slot, part.costs, now, levels)? {
                    return refusal(parts, already_held, now, locked, duplicates);
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
    already_held: &[HeldPart],
    now: Now,
    locked: &Locked<'_>,
    duplicates: u32,
) -> Verdict {
    let mut worst: Option<Denial> = None;
    let mut before = 0;
    for (index, part) in parts.iter().enumerate() {
        let already_held = already_held.get(index).map_or(&[][..], |part| &part.held);
        let denial = match &locked[index] {
            Some(slot) if slot.is_current(part.key.generation) => {
                part.limiter.check(slot, part.costs, already_held, now)?
            }
            None if duplicates & 1 << index != 0 => None,
            // Only a call with [`AbsentKey::IsNew`] gets here.
            None if part.key == Key::NONE => {
                let slot = empty_slot().ok_or(Fault::Stale(index))?;
                part.limiter.check(&slot, part.costs, already_held, now)?
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

/// Locks the slots of at most [`MOST_LIMITS`] keys in order, each once. Returns a bit for each key
/// that was named before. O(n^2) for n keys, which are few.
pub(crate) fn lock_all<'a>(
    keys: impl Iterator<Item = Option<(&'a Limiter, Key)>>,
    locked: &mut Locked<'a>,
) -> u32 {
    let mut order: ArrayVec<(usize, &'a Limiter, Key), MOST_LIMITS> = ArrayVec::new();
    for (at, key) in keys.enumerate() {
        locked.push(None);
        order.extend(key.map(|(limiter, key)| (at, limiter, key)));
    }
    let rank = |&(_, limiter, key): &(usize, &Limiter, Key)| (limiter.number, key);
    // Insertion sort: there are few keys, mostly in order. It is stable, so the first of equal keys
    // stays first.
    for end in 1..order.len() {
        let mut at = end;
        while at > 0 && rank(&order[at - 1]) > rank(&order[at]) {
            order.swap(at - 1, at);
            at -= 1;
        }
    }
    let mut duplicates = 0;
    let mut last = None;
    for &(at, limiter, key) in &order {
        let before = last.replace((limiter.number, key));
        if before.is_some_and(|(n, k): (u64, Key)| (n, k.index) == (limiter.number, key.index)) {
            // If the generations differ, one of the two is stale, and the caller reports it.
            duplicates |= u32::from(before == last) << at;
            continue;
        }
        locked[at] = limiter.slots.lock(key.index);
    }
    duplicates
}
