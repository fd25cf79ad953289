//! Upstream leases: how many requests may be in flight to which upstream, who waits and in what
//! order, and which upstream is healthy.
//!
//! A [`Pool`] is a state machine: it reads no clock (time is an argument), does no I/O, starts no
//! thread and calls nobody back. What others must be told (a lease that was handed to somebody in
//! line) lands in their mailbox, and [`Pool::take_ring`] says whom to wake.
//!
//! Every operation is O(1) or O(log n) in leases, waiters and upstreams, except for what happens
//! to a member as a whole ([`Pool::leave`], [`Pool::reap`], falling asleep), which is linear and rare.
//!
//! Files: `settings`, `upstream`, `health`, `window`, `limit`, `lease`, `line`, `member`, `event`,
//! `stats` are the nouns; `heap` is the one data structure; `pool` is what is asked of it, `grant` how
//! leases come and go, `roster` who takes part in it, `turn` what time does to it.
#![forbid(unsafe_code)]

mod answer;
mod event;
mod grant;
mod health;
mod heap;
mod lease;
mod limit;
mod line;
mod member;
#[cfg(feature = "oracle")]
pub mod naive;
mod pool;
mod roster;
mod settings;
mod stats;
mod turn;
mod upstream;
mod window;

pub use answer::{Acquired, Answer, Refusal, Setting};
pub use event::{Event, EventKind};
pub use health::{Health, HealthChange, State};
pub use lease::LeaseId;
pub use limit::Limit;
pub use line::WaiterId;
pub use pool::Pool;
pub use settings::{Adaptive, HealthSettings, Outcome, Settings, UpstreamSettings};
pub use stats::{Counts, UpstreamStats};
pub use upstream::UpstreamToken;

/// Milliseconds on a clock that only goes forward; where it starts does not matter.
pub type Millis = u64;

/// A time that never comes.
pub const NEVER: Millis = Millis::MAX;

/// No upstream, no lease, no waiter.
pub(crate) const NONE: u32 = u32::MAX;
