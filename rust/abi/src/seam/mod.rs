//! The seam between foreign callers and Rust: raw pointers become slices, panics and errors become statuses,
//! and objects become generational handles that are closed with the thread that opened them.
//!
//! Nothing here knows a noun of the ABI but [`failure`], which has a status for each error of the three core
//! crates.

mod arguments;
pub(crate) mod boundary;
pub mod call;
// It declares functions that cbindgen finds where they are defined.
/// cbindgen:ignore
mod call_table;
pub mod failure;
pub mod handle;
pub(crate) mod objects;
pub(crate) mod owner;
pub(crate) mod slice;
pub mod status;
