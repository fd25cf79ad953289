//! Upstream leases: how many requests may be in flight to which upstream, in what order callers wait,
//! and which upstreams are healthy.
//!
//! A [`Pool`] is a deterministic state machine: it reads no clock (time is an argument), does no I/O,
//! starts no thread and calls nothing back. Results for other members, such as a lease that was handed
//! over to a waiter, go to the member's mailbox; [`Pool::take_ring`] returns which member to wake.
//!
//! Every operation is O(1) or O(log n) in leases, waiters and upstreams, except for operations on a
//! whole member ([`Pool::leave`], [`Pool::reap`], suspension), which are linear and rare.
//!
//! | module | content |
//! |---|---|
//! | `pool` | acquire, wait, cancel, release, renew, confirm, collect |
//! | `operations` | granting and hand-over, timers, membership, configuration, observation |
//! | `shared` | caps, rests and probes over all processes: permits with a lease, granted by a store |
//! | `wait_queue` | the priority queue of waiters |
//! | `lease` | the slab of leases, in order of expiry |
//! | `upstreams` | selection (least outstanding requests), health (outlier ejection), adaptive limits (AIMD) |
//! | `indexed_heap` | the one data structure of its own |
//! | `member`, `event`, `results`, `settings`, `stats`, `time`, `index` | plain types |
//!
//! The slow reference pool `naive` is the oracle of the tests. No two modules import each other.
#![forbid(unsafe_code)]

mod event;
mod index;
mod indexed_heap;
mod lease;
mod member;
#[cfg(feature = "oracle")]
pub mod naive;
mod operations;
mod pool;
mod results;
mod settings;
pub mod shared;
mod stats;
mod time;
mod upstreams;
mod wait_queue;

pub use event::{Event, EventKind};
pub use lease::LeaseId;
pub use pool::Pool;
pub use results::{Acquired, Refusal, UpstreamChange, WaitResult};
pub use settings::{Adaptive, HealthSettings, Outcome, Settings, UpstreamSettings};
pub use shared::settings::{Outage, SharedSettings};
pub use stats::{Counts, SharedState, SharedStats, SharedUpstream, UpstreamStats};
pub use time::{Millis, NEVER};
pub use upstreams::adaptive_limit::AdaptiveLimit;
pub use upstreams::health::{Health, HealthChange, State};
pub use upstreams::token::UpstreamToken;
pub use wait_queue::WaiterId;
