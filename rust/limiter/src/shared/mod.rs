//! Limits that many processes share through a store (Valkey or Redis): leased credit on token buckets.
//!
//! A process reserves credit in the key's bucket, spends it locally, and reports what it spent. Credit
//! that is out counts as held and does not decay, so in any span of time `W` all processes together
//! admit at most `burst + rate * W`. This module has the arithmetic of the protocol, and no I/O.
//!
//! | module | content |
//! |---|---|
//! | `plan`, `message` | limits and calls as the script in the store reads them |
//! | `account` | what one limit of one key was granted and has spent |
//! | `session`, `call` | the state machine of one key; making calls |
//! | `answer`, `waiter_results` | reading answers: credit for the slot; results for those who waited |
//! | `schedule` | when a session asks and needs attention, and when it is over |
//! | `outage`, `outage_decisions` | what is admitted while the store is out of reach; decisions by that |
//! | `demand` | how much credit is worth asking for ahead |
//! | `core`, `session_map`, `mailboxes`, `deadlines`, `stats` | what keys have in common |
//! | `shared_limiter`, `inspect` | the limiter that all this makes, and what it knows |
//! | `once` | calls that are no part of a session |

mod account;
mod answer;
mod call;
mod core;
mod deadlines;
mod demand;
mod inspect;
mod mailboxes;
pub mod message;
mod once;
mod outage;
mod outage_decisions;
mod outcome;
mod plan;
mod schedule;
mod session;
mod session_map;
mod settings;
mod shared_limiter;
mod stats;
#[cfg(feature = "oracle")]
pub mod store;
mod waiter_results;

pub use inspect::{SharedKey, SharedStatus};
pub use once::Told;
pub use outcome::{Answer, Call, Chores, Decided, Due, Given, Source, Ticket, Want};
pub use plan::{Plan, SHORTEST_WINDOW_NS};
pub use settings::{Mode, OnLoss, OnOutage, Settings};
pub use shared_limiter::{NotShareable, SharedLimiter};
pub use stats::SharedStats;

/// The script that the store runs, in Lua.
pub const SYNC_SCRIPT: &str = include_str!("sync.lua");
