//! The C ABI of sluice: the only cdylib and the only place of `extern "C"`.
//!
//! This crate *is* the declaration of the ABI. `rust/abigen` parses it and writes
//! `include/sluice.h`, `src/ffi/symbols.gen.ts` and `src/abi_hash.rs`; nothing is declared twice.
//!
//! # Conventions
//!
//! - Names are `sluice_<noun>_<verb>`, one Rust file per noun.
//! - Parameters are at most six of `uint32_t`, `int32_t`, `double`, `const T*` or `T*` with a
//!   length or capacity behind it. Inputs come first, outputs last.
//! - Every function returns `int32_t`, or `double` where a result has up to 53 bits: `>= 0` is a
//!   count, a flag, a handle or an id; `< 0` is a
//!   [`status::SluiceStatus`], and [`library::sluice_library_last_error`] tells the details.
//! - Lengths and capacities count elements of the pointed-to type. A pointer may be null where its
//!   length is 0.
//! - The caller owns every buffer; nothing is retained after the call returns.
//! - An output that does not fit is written as far as it does fit, and the size that is needed is
//!   returned: a result greater than the capacity means "call again with this much room".
//! - No input aborts the process: every body runs inside [`boundary`], and what has a size that a caller
//!   or a client decides is allocated fallibly and fails with `OUT_OF_MEMORY`.
//!
//! # What can still abort
//!
//! Rust aborts a process that is refused memory where nobody asks. That is so for small blocks of a fixed
//! size (an object behind a handle, the text of a message), for the tables of a thread's first text (12 MB
//! of address space), and for what grows entry by entry: the map of a limiter's names (20 bytes a key), its
//! open reservations, the waiting line and the leases of a pool.
//!
//! # Processes and threads
//!
//! A child that is made by `fork` and goes on without `exec` has only the thread that made it. Counts,
//! limiters and pools work there unless another thread held a lock of theirs at that moment; jobs do not,
//! and say `FORKED`. Which threads, leases and reservations are whose is not shared with the parent. No
//! runtime that sluice is for forks without `exec`.
//!
//! Files: `boundary` (panics), `status` (failures), `handle` (generations), `objects` (state behind
//! handles), `owner` (threads and programs that end), `slice` (pointers), `opened` (the limiters of a thread),
//! `limiter_names` (limiters by name), `pools` (pools by name), `ticks` (the clock, faster), `transcode`
//! (UTF-8) and `pin` are the plumbing; every other file is a noun of the ABI.

pub mod abi_hash;
pub mod batch;
pub mod bell;
mod boundary;
pub mod cache;
pub mod clock;
pub mod counter;
pub mod handle;
pub mod job;
pub mod lease;
pub mod library;
pub mod limiter;
pub mod limiter_batch;
pub mod limiter_config;
pub mod limiter_key;
mod limiter_names;
pub mod limiter_parts;
pub mod limiter_zone;
mod objects;
mod opened;
mod owner;
mod pin;
pub mod pool;
mod pools;
pub mod reservation;
mod slice;
pub mod status;
pub mod text;
pub mod thread;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod ticks;
pub mod tokenizer;
mod transcode;
pub mod upstream;
pub mod waiter;
