//! Rate limits, quotas and concurrency for many keys, shared by many threads.
//!
//! A [`Limiter`] decides by several limits at once, all or nothing: a refusal changes not a bit, names
//! the limit that binds, and says when to come again. What a call costs can be reserved first and
//! settled when it is known. [`take_all`] and [`reserve_all`] decide over several keys of several
//! limiters in one go.
//!
//! The crate is pure: no unsafe code, no clock (time is an argument), no I/O. A plain twin, `naive`, is
//! the oracle of its tests.
//!
//! Files, from the inside out: `limit` (the arithmetic of one limit), `calendar`, `window` (of quotas), `zone` (local time), `rule` (a
//! limit made ready for deciding), `slot` (a key and its lock), `slots` (where they are), `alone` (many
//! slots without their locks), `backoff` (waiting), `names` (a map), `places` (which slots are free), `keys`
//! (from names to slots), `plan` (limits of some keys; `words`, as which they stand there), `limiter`
//! (decisions on one key; `up_to`, what there is), `batch` (on many), `upkeep` (what else can be done to
//! keys), `book` (open reservations), `together` (decisions on several keys), `reservation`, `snapshot`
//! (and `snapshot_words`).
#![forbid(unsafe_code)]

mod alone;
mod backoff;
mod batch;
mod book;
mod calendar;
mod keys;
mod limit;
mod limiter;
#[cfg(feature = "oracle")]
pub mod naive;
mod names;
mod places;
mod plan;
mod reservation;
mod rule;
mod slot;
mod slots;
mod snapshot;
mod snapshot_words;
mod sync;
#[cfg(test)]
mod tests;
mod time;
mod together;
mod up_to;
mod upkeep;
mod window;
mod words;
mod zone;

pub use batch::Batch;
pub use book::{Book, NotOpen, ReservationId};
pub use keys::{Full, Key};
pub use limit::{Cell, Kind, Limit, MOST, Refusal, UNIT, UNLIMITED};
pub use limiter::{Config, Denial, Fault, Limiter, MOST_KEYS, MOST_LIMITS, Verdict};
pub use plan::{MOST_PLANS, Plan, TooManyPlans};
pub use reservation::{AS_RESERVED, Actual, reserve_all};
pub use rule::Toll;
pub use snapshot::{Damaged, VERSION};
pub use time::Now;
pub use together::{Part, peek_all, take_all};
pub use upkeep::{Standing, Stats};
pub use window::{Place, Span, Window};
pub use zone::{BadZone, MOST_CHANGES, MOST_ZONES, Offsets, Zone};
