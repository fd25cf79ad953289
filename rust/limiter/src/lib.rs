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
//! Files, from the inside out: `limit` (the arithmetic of one limit), `window` (calendars), `slot` (a
//! key and its lock), `slots` (where they are), `keys` (from names to slots), `plan` (limits of some
//! keys), `limiter` (calls on one key), `book` (open reservations), `together` (calls on several keys),
//! `snapshot`.
#![forbid(unsafe_code)]

mod book;
mod keys;
mod limit;
mod limiter;
#[cfg(feature = "oracle")]
pub mod naive;
mod plan;
mod slot;
mod slots;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;
mod time;
mod together;
mod window;

pub use book::{Book, NotOpen, ReservationId};
pub use keys::{Full, Key};
pub use limit::{Cell, Kind, Limit, MOST, Refusal, UNIT};
pub use limiter::{
    Config, Denial, Fault, Limiter, MOST_KEYS, MOST_LIMITS, Standing, Stats, Verdict,
};
pub use plan::{MOST_PLANS, Plan, TooManyPlans};
pub use snapshot::{Damaged, VERSION};
pub use time::Now;
pub use together::{AS_RESERVED, Actual, Part, peek_all, reserve_all, take_all};
pub use window::{Span, Window};
