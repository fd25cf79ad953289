//! From a limit in millionths and nanoseconds to what the script in the store computes with:
//! integers that are exact in doubles.
//!
//! Amounts become *quanta*. A quantum is a millionth, or the smallest power of ten of millionths with
//! which the capacity is at most 2^52. Costs are rounded up and credit is rounded down, so rounding
//! never admits more. A rate becomes a fraction of quanta and microseconds that is never faster than
//! the limit. It is slower by at most 2^-20 of it, unless a millionth takes more than an hour.

use crate::limits::limit::{Kind, Limit, UNLIMITED};
use crate::limits::quota_window::{QuotaWindow, Span};
use crate::shared::message::{MOST_QUANTA, WireKind, WireLimit};

/// The shortest window of a quota that can be shared, in nanoseconds: one second. A request knows two
/// windows, and must arrive in one of them.
pub const SHORTEST_WINDOW_NS: u64 = 1_000_000_000;

/// A fraction with a numerator or a denominator up to this is used as it is: its steps are at most
/// a second or about a unit.
const SMALL: u128 = 1 << 20;

/// How a limit is written on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    scale: u64,
    capacity: Option<u64>,
    kind: PlanKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlanKind {
    Rate { quanta: u64, us: u64 },
    Quota(QuotaWindow),
    Concurrency,
}

impl Plan {
    /// The plan of a limit; none if it is a quota with windows of less than a second.
    #[must_use]
    pub fn of(limit: &Limit) -> Option<Self> {
        let most = if limit.is_unlimited() { 0 } else { limit.capacity };
        let mut scale = 1;
        while most / scale > MOST_QUANTA {
            scale *= 10;
        }
        Self::with_scale(limit, scale)
    }

    /// The plan of a limit that replaces the one of this plan for a key, in the same quanta; none if
    /// it is too large for them, or a quota with windows of less than a second.
    #[must_use]
    pub fn replacement(&self, limit: &Limit) -> Option<Self> {
        Self::with_scale(limit, self.scale)
    }

    fn with_scale(limit: &Limit, scale: u64) -> Option<Self> {
        let capacity = (limit.capacity != UNLIMITED).then_some(limit.capacity / scale);
        if capacity.is_some_and(|capacity| capacity > MOST_QUANTA) {
            return None;
        }
        let kind = match limit.kind {
            Kind::Rate { units, ns } => {
                let (quanta, us) = fraction(units, ns, scale);
                PlanKind::Rate { quanta, us }
            }
            Kind::Quota(QuotaWindow { span: Span::Every(ns), .. }) if ns < SHORTEST_WINDOW_NS => {
                return None;
            }
            Kind::Quota(window) => PlanKind::Quota(window),
            Kind::Concurrency => PlanKind::Concurrency,
            // Credit is already the share of a process.
            Kind::Credit { .. } => return None,
        };
        Some(Self { scale, capacity, kind })
    }

    /// Millionths in a quantum.
    #[must_use]
    pub fn scale(&self) -> u64 {
        self.scale
    }

    /// The capacity in quanta; none if unlimited.
    #[must_use]
    pub fn capacity(&self) -> Option<u64> {
        self.capacity
    }

    /// A cost in quanta, rounded up; at most [`MOST_QUANTA`].
    #[must_use]
    pub fn cost(&self, millionths: u64) -> u64 {
        millionths.div_ceil(self.scale).min(MOST_QUANTA)
    }

    /// The quanta that an amount of millionths covers: rounded down, at most [`MOST_QUANTA`].
    #[must_use]
    pub fn quanta(&self, millionths: u64) -> u64 {
        (millionths / self.scale).min(MOST_QUANTA)
    }

    /// The millionths of an amount in quanta. Exact.
    #[must_use]
    pub fn millionths(&self, quanta: u64) -> u64 {
        quanta.saturating_mul(self.scale)
    }

    /// The limit for a request at this wall time of the server.
    #[must_use]
    pub fn at(&self, server_wall_ns: i64) -> WireLimit {
        let kind = match self.kind {
            PlanKind::Rate { quanta, us } => WireKind::Rate { quanta, us },
            PlanKind::Concurrency => WireKind::Concurrency,
            PlanKind::Quota(window) => {
                let end = window.end(server_wall_ns);
                WireKind::Quota {
                    start_us: us(start(&window, server_wall_ns)),
                    end_us: us(end),
                    next_end_us: us(window.end(end)),
                }
            }
        };
        WireLimit { kind, capacity: self.capacity }
    }

    /// The name of a limit on the wire: all but letters, digits, `-`, `_` and `.` is percent-encoded.
    /// Amounts of different quanta have different names, so they are never added.
    #[must_use]
    pub fn wire_name(&self, name: &str) -> String {
        let mut wire = String::with_capacity(name.len());
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
                wire.push(byte.into());
            } else {
                wire.push_str(&format!("%{byte:02X}"));
            }
        }
        if self.scale > 1 {
            wire.push_str(&format!("@{}", self.scale));
        }
        wire
    }
}

/// The start of the window that contains a moment: the last end of a window up to it, which is less
/// than the longest window away.
fn start(window: &QuotaWindow, wall_ns: i64) -> i64 {
    let end = window.end(wall_ns);
    if let Span::Every(ns) = window.span {
        return end.saturating_sub_unsigned(ns);
    }
    let mut before = wall_ns.saturating_sub_unsigned(window.longest());
    loop {
        let next = window.end(before);
        if next > wall_ns || next <= before {
            return before;
        }
        before = next;
    }
}

/// The first whole microsecond that is not before a time, from 1970 on.
fn us(ns: i64) -> u64 {
    ns.max(0).unsigned_abs().div_ceil(1000).min(MOST_QUANTA)
}

/// A rate of `units` millionths each `ns` as quanta each microseconds.
fn fraction(units: u64, ns: u64, scale: u64) -> (u64, u64) {
    let (quanta, us) = (u128::from(units) * 1000, u128::from(ns) * u128::from(scale));
    let divisor = gcd(quanta, us);
    let (quanta, us) = (quanta / divisor, us / divisor);
    let most = u128::from(MOST_QUANTA);
    let is_exact = quanta <= most && us <= most && (quanta <= SMALL || us <= SMALL);
    let (quanta, us) = if is_exact {
        (quanta, us)
    } else if quanta >= us * SMALL {
        ((quanta / us).min(most), 1)
    } else if quanta >= us {
        (quanta * SMALL / us, SMALL)
    } else if (us * SMALL).div_ceil(quanta) <= most {
        (SMALL, (us * SMALL).div_ceil(quanta))
    } else {
        (quanta * most / us, most)
    };
    (quanta as u64, us as u64)
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
