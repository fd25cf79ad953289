//! Writing a snapshot.

use std::collections::{HashMap, TryReserveError};

use crate::limit_sets::LimitSet;
use crate::limiter::Limiter;
use crate::limits::limit::{Kind, Limit};
use crate::snapshot::encoding::{MAGIC, VERSION, ZoneTable, checksum, write_label};
use crate::time::Now;

impl Limiter {
    /// Writes all keys. Each key is consistent in itself; all together are only if no thread uses
    /// them. A limiter of shared limits is written without keys. O(keys).
    ///
    /// # Errors
    /// The system has no memory for the snapshot.
    pub fn snapshot(&self, now: Now) -> Result<Vec<u8>, TryReserveError> {
        self.book.expire(now);
        let secret = u128::from_le_bytes(self.keys.secret());
        let mut words = vec![MAGIC, VERSION, secret as u64, (secret >> 64) as u64];
        let mut zones = ZoneTable::default();
        let mut limits = vec![self.limits().len() as u64];
        for (limit, label) in self.limits().iter().zip(&self.labels) {
            limits.extend(zones.words_of(limit));
            write_label(&mut limits, label.as_bytes());
        }
        limits.push(now.wall_ns.cast_unsigned());
        let mut limit_sets: HashMap<LimitSet, u64> = HashMap::new();
        let mut sets = Vec::new();
        let mut keys = 0;
        let mut body = Vec::new();
        // The state of shared limits is in their store, and credit does not outlive its process.
        let is_shared = self.limits().iter().any(Limit::is_credit);
        let slots = if is_shared { 0 } else { self.keys.high_water_mark() };
        for index in 0..slots {
            let Some(slot) = self.slots.lock(index) else { continue };
            if !slot.is_live() {
                continue;
            }
            keys += 1;
            let limits: LimitSet = self.limit_sets.get(slot.limit_set()).collect();
            body.try_reserve(3 + 2 * limits.len())?;
            body.extend([(slot.hash() >> 64) as u64, slot.hash() as u64]);
            let at = body.len();
            body.push(0);
            let now = now.at_least(slot.last_change());
            for (index, limit) in limits.iter().enumerate() {
                let mut state = slot.state(index);
                let held = std::mem::take(&mut state.held);
                limit.charge(&mut state, held, now);
                let end = if matches!(limit.kind, Kind::Quota(_)) { state.phase } else { 0 };
                body.extend([limit.used(&state, now), end]);
            }
            // By content and not by number: the number may be another set's by the next slot.
            if slot.limit_set() != 0 {
                let next = limit_sets.len() as u64 + 1;
                body[at] = *limit_sets.entry(limits).or_insert_with_key(|limits| {
                    sets.extend(limits.iter().flat_map(|limit| zones.words_of(limit)));
                    next
                });
            }
        }
        zones.write(&mut words);
        words.extend(limits);
        words.push(limit_sets.len() as u64);
        words.extend(sets);
        words.push(keys);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(8 * (words.len() + body.len() + 1))?;
        bytes.extend(words.iter().chain(&body).flat_map(|word| word.to_le_bytes()));
        bytes.extend(checksum(&bytes).to_le_bytes());
        Ok(bytes)
    }
}
