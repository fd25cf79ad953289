//! A limit as words: in the sets that some keys share, and in snapshots.

use crate::limit::{Kind, Limit, MOST};
use crate::window::{Place, Span, Window};
use crate::zone::{FARTHEST, Zone};

/// Words of a limit.
pub(crate) const LIMIT: usize = 4;
/// No period is longer: 366 days.
const LONGEST: u64 = 366 * 86_400_000_000_000;

/// In the first word: the third is the number of a time zone, and no offset.
const IN_ZONE: u64 = 1 << 16;

/// Whether words are of a limit that goes by a time zone.
pub(crate) fn is_in_zone(words: &[u64; LIMIT]) -> bool {
    words[0] & IN_ZONE != 0
}

impl Limit {
    /// Kind and unit, what the kind consists of, capacity.
    #[inline]
    pub(crate) fn to_words(self) -> [u64; LIMIT] {
        let (kind, a, b) = match self.kind {
            Kind::Rate { units, ns } => (0, units, ns),
            Kind::Concurrency => (1, 0, 0),
            Kind::Quota(Window { span, place }) => {
                let (kind, a) = match span {
                    Span::Every(ns) => (2, ns),
                    Span::Day => (3, 0),
                    Span::Week { first } => (4, first.into()),
                    Span::Month { day } => (5, day.into()),
                    Span::Year { month, day } => (6, u64::from(month) << 8 | u64::from(day)),
                };
                match place {
                    Place::Offset(ns) => (kind, a, ns.cast_unsigned()),
                    Place::Zone(zone) => (kind | IN_ZONE, a, zone.number() as u64),
                }
            }
        };
        [(self.unit as u64) << 8 | kind, a, b, self.capacity]
    }

    /// The limit of words that [`Limit::to_words`] made.
    #[inline]
    pub(crate) fn from_words([head, a, b, capacity]: [u64; LIMIT]) -> Self {
        let quota = |span| {
            let zone = if head & IN_ZONE == 0 { None } else { Zone::of(b as usize) };
            let place = zone.map_or(Place::Offset(b.cast_signed()), Place::Zone);
            Kind::Quota(Window { span, place })
        };
        let kind = match head & 0xFF {
            0 => Kind::Rate { units: a, ns: b },
            2 => quota(Span::Every(a)),
            3 => quota(Span::Day),
            4 => quota(Span::Week { first: a as u8 }),
            5 => quota(Span::Month { day: a as u8 }),
            6 => quota(Span::Year { month: (a >> 8) as u8, day: a as u8 }),
            _ => Kind::Concurrency,
        };
        Self { kind, unit: (head >> 8) as usize & 0xFF, capacity }
    }

    /// The limit of any words, if they are those of one that can be decided by.
    pub(crate) fn read(words: [u64; LIMIT]) -> Option<Self> {
        let limit = Self::from_words(words);
        let is_sound = match limit.kind {
            Kind::Rate { units, ns } => {
                (1..=MOST).contains(&units) && (1..=LONGEST).contains(&ns) && limit.is_in_range()
            }
            Kind::Quota(Window { span, place }) => {
                let is_near = |ns: i64| ns.unsigned_abs() <= FARTHEST.unsigned_abs();
                let is_somewhere = match place {
                    Place::Offset(ns) => is_near(ns),
                    Place::Zone(_) => true,
                };
                span.is_sound() && is_somewhere
            }
            Kind::Concurrency => true,
        };
        let is_amount = limit.capacity <= MOST || limit.is_unlimited();
        (limit.to_words() == words && is_amount && is_sound).then_some(limit)
    }

    /// The time zone that it goes by, if any.
    pub(crate) fn zone(&self) -> Option<Zone> {
        match self.kind {
            Kind::Quota(Window { place: Place::Zone(zone), .. }) => Some(zone),
            _ => None,
        }
    }
}
