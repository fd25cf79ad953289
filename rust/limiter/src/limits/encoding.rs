//! Fixed-width encoding of a limit as four 64-bit words, for shared limit sets and for snapshots.

use crate::limits::limit::{Kind, Limit, MOST};
use crate::limits::quota_window::{QuotaWindow, Span, TimeZone};
use crate::limits::time_zone::{FARTHEST, Zone};

/// Words of a limit.
pub(crate) const LIMIT: usize = 4;
/// The longest period: 366 days.
const LONGEST: u64 = 366 * 86_400_000_000_000;

/// Flag in the first word: the third word is the number of a time zone and not an offset.
const IN_ZONE: u64 = 1 << 16;

/// Whether the encoded limit uses a time zone.
pub(crate) fn is_in_zone(words: &[u64; LIMIT]) -> bool {
    words[0] & IN_ZONE != 0
}

impl Limit {
    /// Encodes the limit: kind and unit, two parameters of the kind, capacity.
    #[inline]
    pub(crate) fn to_words(self) -> [u64; LIMIT] {
        let (kind, a, b) = match self.kind {
            Kind::Rate { units, ns } => (0, units, ns),
            Kind::Concurrency => (1, 0, 0),
            Kind::Credit { is_consumed } => (7, u64::from(is_consumed), 0),
            Kind::Quota(QuotaWindow { span, time_zone }) => {
                let (kind, a) = match span {
                    Span::Every(ns) => (2, ns),
                    Span::Day => (3, 0),
                    Span::Week { first } => (4, first.into()),
                    Span::Month { day } => (5, day.into()),
                    Span::Year { month, day } => (6, u64::from(month) << 8 | u64::from(day)),
                };
                match time_zone {
                    TimeZone::Offset(ns) => (kind, a, ns.cast_unsigned()),
                    TimeZone::Zone(zone) => (kind | IN_ZONE, a, zone.number() as u64),
                }
            }
        };
        [(self.unit as u64) << 8 | kind, a, b, self.capacity]
    }

    /// Decodes what [`Limit::to_words`] returned.
    #[inline]
    pub(crate) fn from_words([head, a, b, capacity]: [u64; LIMIT]) -> Self {
        let quota = |span| {
            let zone = if head & IN_ZONE == 0 { None } else { Zone::of(b as usize) };
            let time_zone = zone.map_or(TimeZone::Offset(b.cast_signed()), TimeZone::Zone);
            Kind::Quota(QuotaWindow { span, time_zone })
        };
        let kind = match head & 0xFF {
            0 => Kind::Rate { units: a, ns: b },
            2 => quota(Span::Every(a)),
            3 => quota(Span::Day),
            4 => quota(Span::Week { first: a as u8 }),
            5 => quota(Span::Month { day: a as u8 }),
            6 => quota(Span::Year { month: (a >> 8) as u8, day: a as u8 }),
            7 => Kind::Credit { is_consumed: a != 0 },
            _ => Kind::Concurrency,
        };
        Self { kind, unit: (head >> 8) as usize & 0xFF, capacity }
    }

    /// Decodes words from an untrusted source; none if they are no valid limit.
    pub(crate) fn read(words: [u64; LIMIT]) -> Option<Self> {
        let limit = Self::from_words(words);
        let is_sound = match limit.kind {
            Kind::Rate { units, ns } => {
                (1..=MOST).contains(&units) && (1..=LONGEST).contains(&ns) && limit.is_in_range()
            }
            Kind::Quota(QuotaWindow { span, time_zone }) => {
                let is_near = |ns: i64| ns.unsigned_abs() <= FARTHEST.unsigned_abs();
                let is_in_range = match time_zone {
                    TimeZone::Offset(ns) => is_near(ns),
                    TimeZone::Zone(_) => true,
                };
                span.is_sound() && is_in_range
            }
            Kind::Concurrency | Kind::Credit { .. } => true,
        };
        let is_amount = limit.capacity <= MOST || limit.is_unlimited();
        (limit.to_words() == words && is_amount && is_sound).then_some(limit)
    }

    /// The time zone that the limit uses, if any.
    pub(crate) fn zone(&self) -> Option<Zone> {
        match self.kind {
            Kind::Quota(QuotaWindow { time_zone: TimeZone::Zone(zone), .. }) => Some(zone),
            _ => None,
        }
    }
}
