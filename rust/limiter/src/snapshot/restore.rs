//! Restoring a snapshot.

use crate::keys::key::Full;
use crate::limit_sets::{LimitSet, MOST_LIMIT_SETS};
use crate::limiter::{Limiter, MOST_LIMITS};
use crate::limits::limit::{Kind, Limit};
use crate::snapshot::encoding::{MAGIC, Reader, VERSION, checksum};
use crate::snapshot::error::RestoreError;
use crate::sync::FIRST_CHUNK;
use crate::time::Now;

/// Everything in a snapshot before its keys.
struct Header {
    secret: u128,
    /// The default limits of the limiter that was saved.
    limits: Vec<Limit>,
    /// For each limit of this limiter, its index in `limits`.
    from: Vec<Option<usize>>,
    wall_ns: i64,
    limit_sets: Vec<Vec<Limit>>,
    keys: u64,
}

impl Limiter {
    /// Restores the keys of a snapshot, into a limiter that is not in use yet. O(keys).
    ///
    /// Amounts consumed of a limit that no longer exists are dropped; of a new limit nothing is
    /// consumed. Limits of a key's own stay as they were, except for those that equalled a default:
    /// they follow the default.
    ///
    /// # Errors
    /// The reason why the snapshot was refused.
    pub fn restore(&self, bytes: &[u8], now: Now) -> Result<(), RestoreError> {
        if !bytes.len().is_multiple_of(8) {
            return Err(RestoreError::Bytes);
        }
        let mut words = Vec::new();
        words.try_reserve_exact(bytes.len() / 8)?;
        words.extend(bytes.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)));
        let mut words = Reader(&words);
        if words.next()? != MAGIC {
            return Err(RestoreError::Bytes);
        }
        let version = words.next()?;
        if version != VERSION {
            return Err(RestoreError::Version(version));
        }
        let (all, last) = bytes.split_last_chunk::<8>().ok_or(RestoreError::Bytes)?;
        if u64::from_le_bytes(*last) != checksum(all) {
            return Err(RestoreError::Bytes);
        }
        let header = self.read_header(&mut words)?;
        let stride = 3 + 2 * header.limits.len();
        let (_, body) = words.0.split_last().ok_or(RestoreError::Bytes)?;
        if Some(body.len() as u64) != header.keys.checked_mul(stride as u64) {
            return Err(RestoreError::Bytes);
        }
        if self.keys.live() > 0 || self.keys.high_water_mark() > 0 {
            return Err(RestoreError::NotEmpty);
        }
        if header.keys > u64::from(self.keys.max()) {
            return Err(RestoreError::Full);
        }
        let rows = body.chunks_exact(stride);
        if rows.clone().any(|row| row[2] > header.limit_sets.len() as u64) {
            return Err(RestoreError::Bytes);
        }
        for index in (0..header.keys as u32).step_by(FIRST_CHUNK) {
            self.slots.ensure(index).ok_or(RestoreError::Memory)?;
        }
        // References are held here until all slots that have the sets have their own.
        let mut numbers = vec![0];
        for limits in &header.limit_sets {
            match self.limit_sets.acquire(self.limits_from(&header, limits)) {
                Ok(number) => numbers.push(number),
                Err(_) => {
                    numbers.into_iter().for_each(|number| self.limit_sets.release(number));
                    return Err(RestoreError::Full);
                }
            }
        }
        self.keys.set_secret(header.secret.to_le_bytes());
        let restored = rows
            .into_iter()
            .try_for_each(|row| self.restore_key(row, numbers[row[2] as usize], &header, now));
        numbers.into_iter().for_each(|number| self.limit_sets.release(number));
        restored
    }

    fn read_header(&self, words: &mut Reader<'_>) -> Result<Header, RestoreError> {
        let secret = u128::from(words.next()?) | u128::from(words.next()?) << 64;
        let mut zones = Vec::new();
        for _ in 0..words.next()? {
            zones.push(words.zone()?);
        }
        let count = words.next()?;
        if !(1..=MOST_LIMITS as u64).contains(&count) {
            return Err(RestoreError::Bytes);
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
            return Err(RestoreError::OtherLimits);
        }
        let wall_ns = words.next()?.cast_signed();
        let mut limit_sets = Vec::new();
        let sets = words.next()?;
        if sets > MOST_LIMIT_SETS as u64 {
            return Err(RestoreError::Full);
        }
        for _ in 0..sets {
            let set: Vec<Limit> =
                limits.iter().map(|_| words.limit(&zones)).collect::<Result<_, _>>()?;
            if !set.iter().zip(&limits).all(|(limit, own)| limit.is_like(own)) {
                return Err(RestoreError::Bytes);
            }
            limit_sets.push(set);
        }
        let keys = words.next()?;
        Ok(Header { secret, limits, from, wall_ns, limit_sets, keys })
    }

    /// The limits of a key whose saved limits are `saved`.
    fn limits_from(&self, header: &Header, saved: &[Limit]) -> LimitSet {
        let limit = |(own, from): (&Limit, &Option<usize>)| match *from {
            Some(at) if saved[at] != header.limits[at] => Limit { unit: own.unit, ..saved[at] },
            _ => *own,
        };
        self.limits().iter().zip(&header.from).map(limit).collect()
    }

    fn restore_key(
        &self,
        row: &[u64],
        limit_set: usize,
        header: &Header,
        now: Now,
    ) -> Result<(), RestoreError> {
        let passed = now.wall_ns.saturating_sub(header.wall_ns).max(0).unsigned_abs();
        let hash = u128::from(row[0]) << 64 | u128::from(row[1]);
        let then = match row[2] {
            0 => &header.limits,
            set => &header.limit_sets[set as usize - 1],
        };
        let key = self.keys.intern(&self.slots, hash, now.ns, |_, _| false).map_err(|full| {
            if full == Full::Memory { RestoreError::Memory } else { RestoreError::Full }
        })?;
        self.limit_sets.retain(limit_set);
        let Some(mut slot) = self.lock(key) else {
            // The key was evicted in the meantime, as it had consumed nothing yet.
            self.limit_sets.release(limit_set);
            return self.restore_key(row, limit_set, header, now);
        };
        let before = slot.limit_set();
        slot.set_limit_set(limit_set);
        for (index, limit) in self.limit_sets.get(limit_set).enumerate() {
            let Some(at) = header.from[index] else { continue };
            let (used, end) = (row[3 + 2 * at], row[4 + 2 * at]);
            let mut state = slot.state(index);
            match limit.kind {
                Kind::Rate { units, ns } => {
                    let decayed = u128::from(passed) * u128::from(units) / u128::from(ns);
                    let decayed = u64::try_from(decayed).unwrap_or(u64::MAX);
                    limit.set_used(&mut state, used.saturating_sub(decayed), now);
                }
                kind @ Kind::Quota(_) if kind == then[at].kind => {
                    (state.level, state.phase) = (used, end);
                }
                Kind::Quota(_) if now.wall_ns < end.cast_signed() => {
                    limit.set_used(&mut state, used, now);
                }
                Kind::Quota(_) => {}
                // What is consumed of a shared limit is in its store.
                Kind::Concurrency | Kind::Credit { .. } => {}
            }
            slot.set_state(index, state);
        }
        drop(slot);
        self.limit_sets.release(before);
        Ok(())
    }
}
