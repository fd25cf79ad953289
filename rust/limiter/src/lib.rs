//! Rate limits (GCRA), quotas (fixed windows) and concurrency limits for many keys, shared by many
//! threads.
//!
//! A [`Limiter`] decides by several limits at once, all or nothing. A refusal changes nothing, names
//! the limit that binds, and says how long to wait. A call's cost can be reserved before the call and
//! settled when it is known. [`take_all`] and [`reserve_all`] decide over several keys of several
//! limiters in one step.
//!
//! The crate is pure: it has no unsafe code, reads no clock (time is an argument) and does no I/O. The
//! slow reference implementation `naive` is the oracle of its tests.
//!
//! From the inside out:
//!
//! | module | content |
//! |---|---|
//! | `limits` | the arithmetic of one limit: GCRA, quota windows, calendars, time zones, credit |
//! | `slots` | the state of one key behind a spin lock; the segmented array of all slots |
//! | `keys` | the hash table from names to slots; allocation and eviction of slots |
//! | `limit_sets` | interned limits that some keys have instead of the limiter's defaults |
//! | `limiter`, `decision` | decisions on one key, and their outcomes |
//! | `operations` | batches, partial takes, management of keys, credit of shared limits |
//! | `multi_key` | decisions on several keys |
//! | `reservations` | open reservations: reserve, settle, renew, expire |
//! | `snapshot` | saving and restoring a limiter |
//! | `shared` | limits that many processes share: the protocol with the script in the store |
//!
//! No two modules import each other, with one exception: see `reservations::book`.
#![forbid(unsafe_code)]

mod decision;
mod empty_slot;
mod keys;
mod limit_sets;
mod limiter;
mod limits;
mod multi_key;
#[cfg(feature = "oracle")]
pub mod naive;
mod name_map;
mod operations;
mod reservations;
pub mod shared;
mod slots;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;
mod time;

pub use decision::{Denial, Fault, Verdict};
pub use keys::key::{Full, Key};
pub use limit_sets::{LimitSet, MOST_LIMIT_SETS, TooManyLimitSets};
pub use limiter::{Config, Limiter, MOST_KEYS, MOST_LIMITS};
pub use limits::credit::Credit;
pub use limits::limit::{Kind, Limit, MOST, UNIT, UNLIMITED};
pub use limits::prepared_limit::PreparedCost;
pub use limits::quota_window::{QuotaWindow, Span, TimeZone};
pub use limits::refusal::Refusal;
pub use limits::state::LimitState;
pub use limits::time_zone::{BadZone, MOST_CHANGES, MOST_ZONES, Offsets, Zone};
pub use multi_key::{Part, peek_all, take_all};
pub use operations::batch::Batch;
pub use operations::key_management::{LimitStatus, Stats};
pub use reservations::book::{Book, NotOpen, ReservationId};
pub use reservations::reservation::{AS_RESERVED, Actual, reserve_all};
pub use snapshot::encoding::VERSION;
pub use snapshot::error::RestoreError;
pub use time::Now;
