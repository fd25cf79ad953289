//! The text protocol between a process and the script in the store: encoder of requests, decoder of
//! replies.
//!
//! A request is the script's arguments, joined by single spaces; no argument is empty or has a space.
//! Amounts are integers of quanta (see [`Plan`](crate::shared::Plan)), at most [`MOST_QUANTA`]. Times
//! are microseconds of the server's clock.

mod reply;
mod request;

pub use reply::{BadReply, LimitGrant, Reply, SyncReply, Wait, WaiterResult};
pub use request::{
    LimitReport, LimitSetting, SyncRequest, Waiter, WireKind, WireLimit, encode_reset,
    encode_set_limits,
};

/// The largest amount on the wire, 2^52: sums of two are exact in the doubles of Lua.
pub const MOST_QUANTA: u64 = 1 << 52;
