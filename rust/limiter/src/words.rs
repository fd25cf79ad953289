//! A limit as words: in the sets that some keys share, and in snapshots.

use crate::limit::{Kind, Limit, MOST};
use crate::window::{Span, Window};

/// Words of a limit.
pub(crate) const LIMIT: usize = 4;
/// No period is longer: 366 days.
const LONGEST: u64 = 366 * 86_400_000_000_000;

impl Limit {
    /// Kind and unit, what the kind consists of, capacity.
    #[inline]
    pub(crate) fn to_words(self) -> [u64; LIMIT] {
        let (kind, a, b) = match self.kind {
            Kind::Rate { units, ns } => (0, units, ns),
            Kind::Concurrency => (1, 0, 0),
            Kind::Quota(Window { span, offset_ns }) => {
                let (kind, a) = match span {
                    Span::Every(ns) => (2, ns),
                    Span::Week => (3, 0),
                    Span::Month => (4, 0),
                };
                (kind, a, offset_ns.cast_unsigned())
            }
        };
        [(self.unit as u64) << 8 | kind, a, b, self.capacity]
    }

    /// The limit of words that [`Limit::to_words`] made.
    #[inline]
    pub(crate) fn from_words([head, a, b, capacity]: [u64; LIMIT]) -> Self {
        let quota = |span| Kind::Quota(Window { span, offset_ns: b.cast_signed() });
        let kind = match head & 0xFF {
            0 => Kind::Rate { units: a, ns: b },
            2 => quota(Span::Every(a)),
            3 => quota(Span::Week),
            4 => quota(Span::Month),
            _ => Kind::Concurrency,
        };
        Self { kind, unit: (head >> 8) as usize, capacity }
    }

    /// The limit of any words, if they are those of one that can be decided by.
    pub(crate) fn read(words: [u64; LIMIT]) -> Option<Self> {
        let limit = Self::from_words(words);
        let is_sound = match limit.kind {
            Kind::Rate { units, ns } => {
                (1..=MOST).contains(&units) && (1..=LONGEST).contains(&ns) && limit.is_in_range()
            }
            Kind::Quota(_) | Kind::Concurrency => true,
        };
        (limit.to_words() == words && limit.capacity <= MOST && is_sound).then_some(limit)
    }
}
