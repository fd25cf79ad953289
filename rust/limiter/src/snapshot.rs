//! A limiter as bytes, and back.
//!
//! Version 1, little-endian 64-bit words: magic and version; the secret (2 words); the limits, as a
//! check that they are the same (1 + 4 words each); wall time in nanoseconds; the number of plans and
//! then the limits of each; the number of keys, and for each its hash (2), its plan, and two words a
//! limit: what is consumed and when its window ends. Reservations do not outlive a process that may have
//! sent their requests: they are written as consumed in full.
//!
//! Consumed amounts are rounded up to a millionth of a unit. Time that passes between snapshot and
//! restore is taken from the wall clock; if that went back, no time has passed.

use crate::keys::Full;
use crate::limit::{Kind, Limit};
use crate::limiter::Limiter;
use crate::rule::Rule;
use crate::time::Now;
use crate::window::Span;

/// The version that is written; others are refused.
pub const VERSION: u64 = 1;
const MAGIC: u64 = u64::from_le_bytes(*b"sluiceL\0");

/// Why a snapshot was refused; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// Not a snapshot, or cut short, or changed.
    Bytes,
    /// Of another version.
    Version(u64),
    /// Of a limiter with other limits.
    OtherLimits,
    /// The limiter has keys already.
    NotEmpty,
    /// It has more keys than there are places.
    Full,
}

impl Limiter {
    /// Writes all keys. O(keys); each key is consistent, all together only if nobody uses them.
    pub fn snapshot(&self, now: Now) -> Vec<u8> {
        self.book.expire(now);
        let secret = u128::from_le_bytes(self.keys.secret());
        let mut words = vec![MAGIC, VERSION, secret as u64, (secret >> 64) as u64];
        write_limits(&mut words, self.limits());
        words.push(now.wall_ns.cast_unsigned());
        let count = words.len();
        words.push(0);
        let mut plans = Vec::new();
        let mut keys = 0;
        let mut body = Vec::new();
        for index in 0..self.keys.reach() {
            let Some(slot) = self.slots.lock(index) else { continue };
            if !slot.is_live() {
                continue;
            }
            keys += 1;
            let plan = match slot.plan() {
                0 => 0,
                number => plans.iter().position(|&at| at == number).map_or_else(
                    || {
                        plans.push(number);
                        plans.len()
                    },
                    |at| at + 1,
                ),
            };
            body.extend([(slot.hash() >> 64) as u64, slot.hash() as u64, plan as u64]);
            let now = now.at_least(slot.seen());
            for (index, Rule { limit, .. }) in self.plans.get(slot.plan()).iter().enumerate() {
                let mut cell = slot.cell(index);
                let held = std::mem::take(&mut cell.held);
                limit.charge(&mut cell, held, now);
                let end = if matches!(limit.kind, Kind::Quota(_)) { cell.phase } else { 0 };
                body.extend([limit.used(&cell, now), end]);
            }
        }
        words[count] = plans.len() as u64;
        for plan in plans {
            write_limits(&mut words, self.plans.get(plan).iter().map(|rule| &rule.limit));
        }
        words.push(keys);
        words.extend(body);
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// Takes over the keys of a snapshot. O(keys). For a limiter that nobody uses yet.
    ///
    /// # Errors
    /// Why the bytes do not fit.
    pub fn restore(&self, bytes: &[u8], now: Now) -> Result<(), Damaged> {
        if !bytes.len().is_multiple_of(8) {
            return Err(Damaged::Bytes);
        }
        let words: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|c| u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]))
            .collect();
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
        let secret = u128::from(words.next()?) | u128::from(words.next()?) << 64;
        let own = read_limits(&mut words, self.limits())?;
        if *own != *self.limits() {
            return Err(Damaged::OtherLimits);
        }
        let wall_ns = words.next()?.cast_signed();
        let plans = words.next()?;
        let plans: Vec<Box<[Limit]>> =
            (0..plans).map(|_| read_limits(&mut words, self.limits())).collect::<Result<_, _>>()?;
        let keys = words.next()?;
        let stride = 3 + 2 * self.limits().len();
        let body = words.0;
        if (body.len() as u64).checked_sub(1) != keys.checked_mul(stride as u64) {
            return Err(Damaged::Bytes);
        }
        if self.keys.live() > 0 || self.keys.reach() > 0 {
            return Err(Damaged::NotEmpty);
        }
        if keys > u64::from(self.keys.max()) {
            return Err(Damaged::Full);
        }
        let rows = body[..body.len() - 1].chunks_exact(stride);
        if rows.clone().any(|row| row[2] as usize > plans.len()) {
            return Err(Damaged::Bytes);
        }
        let numbers: Vec<usize> = (plans.into_iter().map(|plan| self.plans.number(plan)))
            .collect::<Result<_, _>>()
            .map_err(|_| Damaged::Full)?;
        self.keys.set_secret(secret.to_le_bytes());
        let passed = now.wall_ns.saturating_sub(wall_ns).max(0).unsigned_abs();
        for row in rows {
            let hash = u128::from(row[0]) << 64 | u128::from(row[1]);
            let key = self
                .keys
                .intern(&self.slots, hash, now.ns, |_, _| false)
                .map_err(|Full| Damaged::Full)?;
            let Some(mut slot) = self.slots.lock(key.index) else { continue };
            if row[2] > 0 {
                slot.set_plan(numbers[row[2] as usize - 1]);
            }
            for (index, Rule { limit, .. }) in self.plans.get(slot.plan()).iter().enumerate() {
                let (used, end) = (row[3 + 2 * index], row[4 + 2 * index]);
                let mut cell = slot.cell(index);
                match limit.kind {
                    Kind::Rate { units, ns } => {
                        let decayed = u128::from(passed) * u128::from(units) / u128::from(ns);
                        let decayed = u64::try_from(decayed).unwrap_or(u64::MAX);
                        limit.set_used(&mut cell, used.saturating_sub(decayed), now);
                    }
                    Kind::Quota(_) => (cell.level, cell.phase) = (used, end),
                    Kind::Concurrency => {}
                }
                slot.set_cell(index, cell);
            }
        }
        Ok(())
    }
}

struct Words<'a>(&'a [u64]);

impl Words<'_> {
    fn next(&mut self) -> Result<u64, Damaged> {
        let (&first, rest) = self.0.split_first().ok_or(Damaged::Bytes)?;
        self.0 = rest;
        Ok(first)
    }
}

fn write_limits<'a>(
    words: &mut Vec<u64>,
    limits: impl IntoIterator<Item = &'a Limit, IntoIter: ExactSizeIterator>,
) {
    let limits = limits.into_iter();
    words.push(limits.len() as u64);
    for limit in limits {
        let (kind, a, b) = match limit.kind {
            Kind::Rate { units, ns } => (0, units, ns),
            Kind::Concurrency => (1, 0, 0),
            Kind::Quota(window) => {
                let (kind, a) = match window.span {
                    Span::Every(ns) => (2, ns),
                    Span::Week => (3, 0),
                    Span::Month => (4, 0),
                };
                (kind, a, window.offset_ns.cast_unsigned())
            }
        };
        words.extend([(limit.unit as u64) << 8 | kind, a, b, limit.capacity]);
    }
}

/// Limits that were written, which are like `own` but for their numbers.
fn read_limits(words: &mut Words<'_>, own: &[Limit]) -> Result<Box<[Limit]>, Damaged> {
    if words.next()? != own.len() as u64 {
        return Err(Damaged::OtherLimits);
    }
    let read = own.iter().map(|own| {
        let (head, a, b, capacity) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let kind = match (head & 0xFF, own.kind) {
            (0, Kind::Rate { .. }) if a > 0 && b > 0 => Kind::Rate { units: a, ns: b },
            (1, Kind::Concurrency) => Kind::Concurrency,
            (2..=4, Kind::Quota(_)) => own.kind,
            _ => return Err(Damaged::OtherLimits),
        };
        let read = Limit { kind, unit: own.unit, capacity };
        let mut again = Vec::new();
        write_limits(&mut again, &[read]);
        if again[1..] == [head, a, b, capacity] && read.is_in_range() {
            Ok(read)
        } else {
            Err(Damaged::OtherLimits)
        }
    });
    read.collect()
}

/// FNV-1a over bytes: against accidents, not against forgery.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
