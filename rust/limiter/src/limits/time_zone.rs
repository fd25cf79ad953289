//! Time zones: for each zone a sorted array of the moments at which its offset from UTC changes,
//! searched by bisection.
//!
//! The library contains no time zone database. The opener of a limiter hands over what its runtime
//! knows, once for each name and process. Zones are never removed, so a number identifies one.

use std::sync::{Mutex, OnceLock, PoisonError};

/// The most zones; the IANA database has some 600 names.
pub const MOST_ZONES: usize = 1024;
/// The largest offset from UTC, in nanoseconds: 26 hours.
pub(crate) const FARTHEST: i64 = 26 * 3_600_000_000_000;
/// The most changes of a zone; real zones have fewer in two centuries.
pub const MOST_CHANGES: usize = 4096;

/// Allocated at first use: a static array would add 64 KB to the library's file.
static ZONES: OnceLock<Box<[OnceLock<Offsets>]>> = OnceLock::new();
static ADDING: Mutex<()> = Mutex::new(());

/// A registered time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(u16);

/// Why a time zone was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadZone {
    /// The changes are not in order, or an offset is more than 26 hours.
    Offsets,
    /// [`MOST_ZONES`] are registered already.
    TooMany,
}

/// The offsets of a time zone, in nanoseconds east of UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// The zone's name.
    pub name: String,
    /// The offset before the first change.
    pub first: i64,
    /// The changes in order: the moment, in nanoseconds since 1970, and the offset from then on.
    pub changes: Vec<(i64, i64)>,
}

impl Zone {
    /// The zone of that name, if it is registered. O(zones); callers ask once for each name and
    /// thread.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let mut known = ZONES.get()?.iter().map_while(OnceLock::get);
        known.position(|offsets| offsets.name == name).map(|number| Self(number as u16))
    }

    /// Registers a zone. If the name is registered already, the zone that exists is kept.
    /// O(changes).
    ///
    /// # Errors
    /// [`BadZone`].
    pub fn add(offsets: Offsets) -> Result<Self, BadZone> {
        let in_range = |offset: i64| offset.unsigned_abs() <= FARTHEST.unsigned_abs();
        let is_sound = offsets.changes.len() <= MOST_CHANGES
            && in_range(offsets.first)
            && offsets.changes.iter().all(|&(_, offset)| in_range(offset))
            && offsets.changes.is_sorted_by(|a, b| a.0 < b.0);
        if !is_sound {
            return Err(BadZone::Offsets);
        }
        let _adding = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = Self::find(&offsets.name) {
            return Ok(zone);
        }
        let zones = ZONES.get_or_init(|| (0..MOST_ZONES).map(|_| OnceLock::new()).collect());
        let number = zones.iter().position(|zone| zone.get().is_none()).ok_or(BadZone::TooMany)?;
        zones[number].get_or_init(|| offsets);
        Ok(Self(number as u16))
    }

    /// The zone of a number that [`Zone::number`] returned.
    #[must_use]
    pub fn of(number: usize) -> Option<Self> {
        ZONES.get()?.get(number)?.get().map(|_| Self(number as u16))
    }

    /// The number that identifies the zone in this process.
    #[must_use]
    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// The zone's offsets.
    #[must_use]
    pub fn offsets(self) -> &'static Offsets {
        static NOWHERE: Offsets = Offsets { name: String::new(), first: 0, changes: Vec::new() };
        let zone = ZONES.get().and_then(|zones| zones.get(usize::from(self.0)));
        zone.and_then(OnceLock::get).unwrap_or(&NOWHERE)
    }
}

impl Offsets {
    /// The offset at a moment. O(log changes).
    pub(crate) fn at(&self, wall_ns: i64) -> i64 {
        self.offset(self.changes.partition_point(|&(since, _)| since <= wall_ns))
    }

    /// The moment when a local clock first shows `local`. If the clock skips `local`, the moment of
    /// the jump. O(log changes).
    pub(crate) fn instant(&self, local: i64) -> i64 {
        let earliest = local.saturating_sub(FARTHEST);
        let mut at = self.changes.partition_point(|&(since, _)| since <= earliest);
        loop {
            let until = self.changes.get(at).map_or(i64::MAX, |&(since, _)| since);
            let instant = local.saturating_sub(self.offset(at));
            if instant < until {
                let since = if at == 0 { i64::MIN } else { self.changes[at - 1].0 };
                return instant.max(since);
            }
            at += 1;
        }
    }

    /// The offset after the first `changes` changes.
    fn offset(&self, changes: usize) -> i64 {
        if changes == 0 { self.first } else { self.changes[changes - 1].1 }
    }
}
