//! Caps, rests and probes of one pool over all processes: a held-lease protocol with a store (Valkey or Redis).
//!
//! A process holds *permits*, which are concurrency leases: it may have as many requests in flight as it
//! holds permits, and it loses them when it was silent for one lease time. Each call states everything the
//! process uses, so a call that is lost, late or repeated does no harm: only the reply to the newest call
//! counts. While a call is under way, a process uses no more than it stated.
//!
//! | module | content |
//! |---|---|
//! | `settings` | what is shared, and what happens while the store does not answer |
//! | `message` | the texts of a call and of its reply |
//! | `session` | the state of the process: lease, call under way, permits of each upstream |
//! | `plan` | how many permits to want, from what is in flight and who waits |
//! | `pool.lua` | the script of the store |
//! | `store` | the script's twin in Rust, for tests |
//!
//! `operations::sharing` joins a session to its pool.

pub mod message;
pub(crate) mod plan;
pub(crate) mod session;
pub(crate) mod settings;
#[cfg(feature = "oracle")]
pub mod store;

/// The script that the store runs.
pub const SCRIPT: &str = include_str!("pool.lua");
