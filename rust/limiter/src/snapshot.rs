//! A limiter as bytes, and back.
//!
//! Version 3, little-endian 64-bit words: magic and version; the secret (2 words); the number of time
//! zones, and for each its name (length in bytes, then the bytes with zeros behind), its first offset, the
//! number of changes and those (2 words each); the number of limits, and for each its words (with the
//! number of its zone in this list) and its label; wall time in nanoseconds; the number of sets of limits
//! that keys have of their own, and the words of each; the number of keys, and for each its hash (2), its set (0 for the limiter's own), and two words a limit:
//! what is consumed and when its window ends; a checksum. Reservations do not outlive a process that may
//! have sent their requests: they are written as consumed in full.
//!
//! What is restored are limits of the same label (names of limit and unit) and kind; a quota's window has
//! to be equally long. Their numbers may have changed: what a key has used stays. Where a quota's windows
//! begin on other days or in another place now, what a window has had that is not over counts in the one
//! that is under way. Of a limiter that has no such limit nothing is taken over.
//!
//! Consumed amounts are rounded up to a millionth of a unit. Time that passes between snapshot and
//! restore is taken from the wall clock; if that went back, no time has passed.

use std::collections::{HashMap, TryReserveError};

use crate::keys::Full;
use crate::limit::{Kind, Limit};
use crate::limiter::{Limiter, MOST_LIMITS};
use crate::plan::{MOST_PLANS, Plan};
use crate::snapshot_words::{Words, Zones, checksum, write_label};
use crate::sync::FIRST;
use crate::time::Now;

/// The version that is written; others are refused.
pub const VERSION: u64 = 3;
const MAGIC: u64 = u64::from_le_bytes(*b"sluiceL\0");

/// Why a snapshot was refused; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// Not a snapshot, or cut short, or changed.
    Bytes,
    /// Of another version.
    Version(u64),
    /// Of a limiter that has no limit in common with this one.
    OtherLimits,
    /// The limiter has keys already.
    NotEmpty,
    /// It has more keys than there are places, or more sets of limits.
    Full,
    /// The system has no memory for it.
    Memory,
}

impl From<TryReserveError> for Damaged {
    fn from(_: TryReserveError) -> Self {
        Self::Memory
    }
}

/// All of a snapshot but its keys.
struct Head {
    secret: u128,
    /// The limiter's own limits then.
    limits: Vec<Limit>,
    /// For each limit of this limiter, which of those it is.
    from: Vec<Option<usize>>,
    wall_ns: i64,
    plans: Vec<Vec<Limit>>,
    keys: u64,
}

impl Limiter {
    /// Writes all keys. O(keys); each key is consistent, all together only if nobody uses them.
    ///
    /// # Errors
    /// There is no memory for all of them.
    pub fn snapshot(&self, now: Now) -> Result<Vec<u8>, TryReserveError> {
        self.book.expire(now);
        let secret = u128::from_le_bytes(self.keys.secret());
        let mut words = vec![MAGIC, VERSION, secret as u64, (secret >> 64) as u64];
        let mut zones = Zones::default();
        let mut limits = vec![self.limits().len() as u64];
        for (limit, label) in self.limits().iter().zip(&self.labels) {
            limits.extend(zones.words_of(limit));
            write_label(&mut limits, label.as_bytes());
        }
        limits.push(now.wall_ns.cast_unsigned());
        let mut plans: HashMap<Plan, u64> = HashMap::new();
        let mut sets = Vec::new();
        let mut keys = 0;
        let mut body = Vec::new();
        for index in 0..self.keys.reach() {
            let Some(slot) = self.slots.lock(index) else { continue };
            if !slot.is_live() {
                continue;
            }
            keys += 1;
            let limits: Plan = self.plans.get(slot.plan()).collect();
            body.try_reserve(3 + 2 * limits.len())?;
            body.extend([(slot.hash() >> 64) as u64, slot.hash() as u64]);
            let at = body.len();
            body.push(0);
            let now = now.at_least(slot.seen());
            for (index, limit) in limits.iter().enumerate() {
                let mut cell = slot.cell(index);
                let held = std::mem::take(&mut cell.held);
                limit.charge(&mut cell, held, now);
                let end = if matches!(limit.kind, Kind::Quota(_)) { cell.phase } else { 0 };
                body.extend([limit.used(&cell, now), end]);
            }
            // By what they are: a number may be another set's by the next slot.
            if slot.plan() != 0 {
                let next = plans.len() as u64 + 1;
                body[at] = *plans.entry(limits).or_insert_with_key(|limits| {
                    sets.extend(limits.iter().flat_map(|limit| zones.words_of(limit)));
                    next
                });
            }
        }
        zones.write(&mut words);
        words.extend(limits);
        words.push(plans.len() as u64);
        words.extend(sets);
        words.push(keys);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(8 * (words.len() + body.len() + 1))?;
        bytes.extend(words.iter().chain(&body).flat_map(|word| word.to_le_bytes()));
        bytes.extend(checksum(&bytes).to_le_bytes());
        Ok(bytes)
    }

    /// Takes over the keys of a snapshot. O(keys). For a limiter that nobody uses yet.
    ///
    /// What a key has used of a limit that is there no more is dropped, and of a limit that is new it has
    /// used nothing. Limits of its own stay as they are, but those that were the limiter's own: they are
    /// what the limiter's are now.
    ///
    /// # Errors
    /// Why the bytes do not fit.
    pub fn restore(&self, bytes: &[u8], now: Now) -> Result<(), Damaged> {
        if !bytes.len().is_multiple_of(8) {
            return Err(Damaged::Bytes);
        }
        let mut words = Vec::new();
        words.try_reserve_exact(bytes.len() / 8)?;
        words.extend(bytes.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)));
        let mut words = Words(&words);
        if words.next()? != MAGIC {
            return Err(Damaged::Bytes);
        }
        let version = words.next()?;
        if version != VERSION {
            return Err(Damaged::Version(version));
        }
        let (all, last) = bytes.split_last_chunk::<8>().ok_or(Damaged::Bytes)?;
        if u64::from_le_bytes(*last) != checksum(all) {
            return Err(Damaged::Bytes);
        }
        let head = self.read_head(&mut words)?;
        let stride = 3 + 2 * head.limits.len();
        let (_, body) = words.0.split_last().ok_or(Damaged::Bytes)?;
        if Some(body.len() as u64) != head.keys.checked_mul(stride as u64) {
            return Err(Damaged::Bytes);
        }
        if self.keys.live() > 0 || self.keys.reach() > 0 {
            return Err(Damaged::NotEmpty);
        }
        if head.keys > u64::from(self.keys.max()) {
            return Err(Damaged::Full);
        }
        let rows = body.chunks_exact(stride);
        if rows.clone().any(|row| row[2] > head.plans.len() as u64) {
            return Err(Damaged::Bytes);
        }
        for index in (0..head.keys as u32).step_by(FIRST) {
            self.slots.make(index).ok_or(Damaged::Memory)?;
        }
        // Counted here until all slots that have them have counted them too.
        let mut numbers = vec![0];
        for plan in &head.plans {
            match self.plans.count(self.plan_from(&head, plan)) {
                Ok(number) => numbers.push(number),
                Err(_) => {
                    numbers.into_iter().for_each(|number| self.plans.give_back(number));
                    return Err(Damaged::Full);
                }
            }
        }
        self.keys.set_secret(head.secret.to_le_bytes());
        let restored = rows
            .into_iter()
            .try_for_each(|row| self.restore_key(row, numbers[row[2] as usize], &head, now));
        numbers.into_iter().for_each(|number| self.plans.give_back(number));
        restored
    }

    fn read_head(&self, words: &mut Words<'_>) -> Result<Head, Damaged> {
        let secret = u128::from(words.next()?) | u128::from(words.next()?) << 64;
        let mut zones = Vec::new();
        for _ in 0..words.next()? {
            zones.push(words.zone()?);
        }
        let count = words.next()?;
        if !(1..=MOST_LIMITS as u64).contains(&count) {
            return Err(Damaged::Bytes);
        }
        let (mut limits, mut labels) = (Vec::new(), Vec::new());
        let longest = self.labels.iter().map(String::len).max().unwrap_or(0);
        for _ in 0..count {
            limits.push(words.limit(&zones)?);
            labels.push(words.label(longest + 1)?);
        }
        let from: Vec<Option<usize>> = (self.limits().iter().zip(&self.labels))
            .map(|(own, label)| {
                let is_it = |&at: &usize| labels[at] == label.as_bytes() && limits[at].is_like(own);
                (0..limits.len()).find(is_it)
            })
            .collect();
        if from.iter().all(Option::is_none) {
            return Err(Damaged::OtherLimits);
        }
        let wall_ns = words.next()?.cast_signed();
        let mut plans = Vec::new();
        let sets = words.next()?;
        if sets > MOST_PLANS as u64 {
            return Err(Damaged::Full);
        }
        for _ in 0..sets {
            let plan: Vec<Limit> =
                limits.iter().map(|_| words.limit(&zones)).collect::<Result<_, _>>()?;
            if !plan.iter().zip(&limits).all(|(limit, own)| limit.is_like(own)) {
                return Err(Damaged::Bytes);
            }
            plans.push(plan);
        }
        let keys = words.next()?;
        Ok(Head { secret, limits, from, wall_ns, plans, keys })
    }

    /// The limits that a key has here which had `plan` there.
    fn plan_from(&self, head: &Head, plan: &[Limit]) -> Plan {
        let limit = |(own, from): (&Limit, &Option<usize>)| match *from {
            Some(at) if plan[at] != head.limits[at] => Limit { unit: own.unit, ..plan[at] },
            _ => *own,
        };
        self.limits().iter().zip(&head.from).map(limit).collect()
    }

    fn restore_key(&self, row: &[u64], plan: usize, head: &Head, now: Now) -> Result<(), Damaged> {
        let passed = now.wall_ns.saturating_sub(head.wall_ns).max(0).unsigned_abs();
        let hash = u128::from(row[0]) << 64 | u128::from(row[1]);
        let then = match row[2] {
            0 => &head.limits,
            set => &head.plans[set as usize - 1],
        };
        let key = self
            .keys
            .intern(&self.slots, hash, now.ns, |_, _| false)
            .map_err(|full| if full == Full::Memory { Damaged::Memory } else { Damaged::Full })?;
        self.plans.count_again(plan);
        let Some(mut slot) = self.lock(key) else {
            // Evicted in the meantime: it had used nothing yet.
            self.plans.give_back(plan);
            return self.restore_key(row, plan, head, now);
        };
        let before = slot.plan();
        slot.set_plan(plan);
        for (index, limit) in self.plans.get(plan).enumerate() {
            let Some(at) = head.from[index] else { continue };
            let (used, end) = (row[3 + 2 * at], row[4 + 2 * at]);
            let mut cell = slot.cell(index);
            match limit.kind {
                Kind::Rate { units, ns } => {
                    let decayed = u128::from(passed) * u128::from(units) / u128::from(ns);
                    let decayed = u64::try_from(decayed).unwrap_or(u64::MAX);
                    limit.set_used(&mut cell, used.saturating_sub(decayed), now);
                }
                kind @ Kind::Quota(_) if kind == then[at].kind => {
                    (cell.level, cell.phase) = (used, end);
                }
                Kind::Quota(_) if now.wall_ns < end.cast_signed() => {
                    limit.set_used(&mut cell, used, now);
                }
                Kind::Quota(_) => {}
                Kind::Concurrency => {}
            }
            slot.set_cell(index, cell);
        }
        drop(slot);
        self.plans.give_back(before);
        Ok(())
    }
}
